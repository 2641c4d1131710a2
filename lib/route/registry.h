// The name server's tables: who is there, which topics are where (replication.md 1, remoting.md
// 10).
//
//   topics    topic -> broker name -> queues
//   brokers   broker name -> cluster, id -> address
//   clusters  cluster -> broker names
//   live      (cluster, address) -> last word, data version, connection
//   filters   (cluster, address) -> filter servers
//   mappings  topic -> broker name -> queues of a static topic
//
// Everything is in memory and comes from registrations, so that any number of name servers need not
// know each other. A broker goes when it says so, when the connection it registered on closes, or
// when it was silent for longer than it promised.
//
// Any thread. Times are handed in: milliseconds of a clock that never steps back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "wire/register.h"
#include "wire/route.h"

namespace mq::route {

inline constexpr std::int64_t kHeartbeatTimeoutMs = 120'000;
inline constexpr std::int64_t kMasterId = 0;

class Registry {
 public:
  struct Options {
    bool delete_missing_topics = false;  // a registration without a topic takes it away
    bool support_acting_master = false;  // the smallest slave is shown as master when there is none
    bool notify_min_id_changed = false;  // keep notices for take_notices()
  };
  void set_options(const Options& options);

  struct Registration {
    std::string cluster;
    std::string broker;
    std::string address;
    std::int64_t id = kMasterId;
    std::string ha_address{};
    std::string zone{};
    std::int64_t timeout_ms = kHeartbeatTimeoutMs;
    std::optional<bool> enable_acting_master{};  // absent: a broker before 5.0
    std::uint64_t connection = 0;                // 0: none whose end would mean anything
    wire::RegisterBrokerBody body{};
  };
  // What a slave is told: empty for a master, and while its master is not there.
  struct Accepted {
    std::string master_address;
    std::string ha_address;
  };
  // Errors: kUnavailable (a broker that is not known says one topic alone: a change, not all of
  // it). A registration that another address with a newer state outranks is accepted and without
  // effect.
  Result<Accepted> register_broker(const Registration& from, std::int64_t now_ms);
  void unregister_broker(std::string_view cluster, std::string_view broker,
                         std::string_view address);
  // The brokers that registered on it last are gone.
  void connection_closed(std::uint64_t connection);
  // Removes who was silent for too long; returns their connections, to be closed.
  std::vector<std::uint64_t> expire(std::int64_t now_ms);

  // R(904).
  void heartbeat(std::string_view cluster, std::string_view address, std::int64_t now_ms);
  // R(322): a sign of life, too.
  wire::QueryDataVersionResponse query_version(std::string_view cluster, std::string_view address,
                                               const wire::DataVersion& version,
                                               std::int64_t now_ms);

  // Errors: kNotFound. Without the order configuration, which is somebody else's.
  Result<wire::TopicRouteData> route(std::string_view topic) const;
  [[nodiscard]] wire::ClusterInfo cluster_info() const;
  // R(901); the addresses are empty when there is no such broker.
  [[nodiscard]] wire::BrokerData member_group(std::string_view cluster,
                                              std::string_view broker) const;

  [[nodiscard]] std::vector<std::string> topics() const;
  [[nodiscard]] std::vector<std::string> topics_of_cluster(std::string_view cluster) const;
  // R(304): names of clusters and brokers, and the address of some broker.
  [[nodiscard]] wire::TopicList system_topics() const;
  enum class Unit { kUnit, kSubscribed, kSubscribedNotUnit };  // R(311), R(312), R(313)
  [[nodiscard]] std::vector<std::string> unit_topics(Unit which) const;

  // R(205), R(327): how many topics the broker has.
  std::int32_t change_write_perm(std::string_view broker, bool allow);
  // R(216): of one cluster, or everywhere when it is empty.
  void delete_topic(std::string_view topic, std::string_view cluster);
  // Of one broker alone.
  void delete_topic_of(std::string_view topic, std::string_view broker);
  // R(217). Without effect when one of the brokers is not known.
  void add_topic(std::string_view topic, const std::vector<wire::QueueData>& queues);

  // The brokers of a name have a new smallest id (R 905), and who is to be told.
  struct MinIdNotice {
    std::string broker;
    std::int64_t min_id = 0;
    std::string min_address;
    std::string offline_address;
    std::string ha_address;
    std::vector<std::string> tell;
  };
  [[nodiscard]] std::vector<MinIdNotice> take_notices();

 private:
  using Key = std::pair<std::string, std::string>;  // cluster, address
  struct Live {
    std::string broker;
    std::int64_t seen_ms = 0;
    std::int64_t timeout_ms = 0;
    wire::DataVersion version;
    std::uint64_t connection = 0;
    std::string ha_address;
  };
  template <typename T>
  using ByName = std::map<std::string, T, std::less<>>;
  using Queues = ByName<wire::QueueData>;  // by broker name

  [[nodiscard]] bool is_outranked(const Registration& from, const wire::BrokerData& broker) const
      MQ_REQUIRES(mu_);
  void take_topics(const Registration& from, const wire::BrokerData& broker, bool first)
      MQ_REQUIRES(mu_);
  void forget_missing_topics(const Registration& from) MQ_REQUIRES(mu_);
  [[nodiscard]] Accepted answer_to(const Registration& from, const wire::BrokerData& broker) const
      MQ_REQUIRES(mu_);
  void remove_locked(const Key& who, std::string_view broker) MQ_REQUIRES(mu_);
  void remove_broker_name(std::string_view broker) MQ_REQUIRES(mu_);
  void wipe_without_master(const wire::BrokerData& broker) MQ_REQUIRES(mu_);
  void note_min_id(const wire::BrokerData& broker, std::string_view offline,
                   std::string_view ha_address) MQ_REQUIRES(mu_);
  void show_acting_masters(std::string_view topic, wire::TopicRouteData& route) const
      MQ_REQUIRES(mu_);

  mutable Mutex mu_;
  Options options_ MQ_GUARDED_BY(mu_);
  ByName<Queues> topics_ MQ_GUARDED_BY(mu_);
  ByName<wire::BrokerData> brokers_ MQ_GUARDED_BY(mu_);
  ByName<std::set<std::string, std::less<>>> clusters_ MQ_GUARDED_BY(mu_);
  std::map<Key, Live> live_ MQ_GUARDED_BY(mu_);
  std::map<Key, std::vector<std::string>> filters_ MQ_GUARDED_BY(mu_);
  ByName<ByName<std::string>> mappings_ MQ_GUARDED_BY(mu_);
  std::vector<MinIdNotice> notices_ MQ_GUARDED_BY(mu_);
};

// Of a route, what a client of `zone` is to see: brokers of its zone, and those without a master.
void keep_zone(wire::TopicRouteData& route, std::string_view zone);

}  // namespace mq::route
