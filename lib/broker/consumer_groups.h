// Who is on line in which consumer group, and what the groups subscribe (semantics.md 9.1).
//
// A member is a connection, not a client id: a client that has connected again is there twice for a
// moment, and the end of its old connection does not take the new one along. The last heartbeat of
// any member decides how the group consumes and what it subscribes, as in the reference; members
// that want different things are named in conflicts().
//
// A state machine: handed the time, tells its caller whom to notify. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "broker/subscription.h"
#include "wire/command.h"
#include "wire/heartbeat.h"

namespace mq::broker {

// The program at the other end of a connection, as its heartbeat shows it.
struct Client {
  std::uint64_t connection = 0;
  std::string id;
  std::string address;  // "ip:port"
  wire::Language language = wire::Language::kJava;
  std::int32_t version = 0;
};

struct ConsumeMode {
  wire::ConsumeType type = wire::ConsumeType::kPassively;
  wire::MessageModel model = wire::MessageModel::kClustering;
  wire::ConsumeFrom from = wire::ConsumeFrom::kLastOffset;
};

// Members or subscriptions of a group have changed: these connections are to be told (R(40)).
// Nobody when the group consumes by broadcasting.
struct GroupChange {
  std::string group;
  std::vector<std::uint64_t> connections;
};

class ConsumerGroups {
 public:
  static constexpr std::int64_t kExpiryMs = 120'000;

  struct Registration {
    std::string_view group;
    ConsumeMode mode;
    // Nothing: the client counts on those of its last heartbeat (heartbeat V2).
    std::optional<Subscriptions> subscriptions;
    std::int64_t fingerprint = 0;  // of the subscriptions; 0: the client does not use it
  };
  struct Registered {
    GroupChange change;                // no connections when nothing changed
    bool subscriptions_known = false;  // by that fingerprint, for that member
    std::string conflict;  // a line for the log when this heartbeat has brought a new conflict
  };
  Registered heartbeat(const Client& client, Registration wanted, std::int64_t now_ms);

  // The member leaves the group.
  GroupChange leave(std::string_view group, std::uint64_t connection);
  // The connection has ended: its members leave all their groups.
  std::vector<GroupChange> connection_closed(std::uint64_t connection);

  struct Expired {
    std::vector<GroupChange> changes;
    std::vector<std::uint64_t> connections;  // silent ones, to be closed
  };
  // Members not heard of for longer than kExpiryMs leave.
  Expired expire(std::int64_t now_ms);

  [[nodiscard]] bool is_online(std::string_view group) const;
  // Nothing when the group is not on line.
  [[nodiscard]] std::optional<ConsumeMode> mode(std::string_view group) const;
  // Without duplicates, sorted.
  [[nodiscard]] std::vector<std::string> client_ids(std::string_view group) const;
  // How many topics; 0 also for a group that is not on line.
  [[nodiscard]] std::size_t subscription_count(std::string_view group) const;
  [[nodiscard]] std::optional<Subscription> subscription(std::string_view group,
                                                         std::string_view topic) const;
  // The member with that client id; of several the newest connection.
  [[nodiscard]] std::optional<Client> find_client(std::string_view group,
                                                  std::string_view client_id) const;
  [[nodiscard]] std::set<std::string> groups_subscribing(std::string_view topic) const;

  struct View {
    ConsumeMode mode;
    std::vector<Client> clients;
    Subscriptions subscriptions;
    std::vector<std::string> conflicts;  // one line for each pair of neighbours that differ
  };
  // Nothing when the group is not on line.
  [[nodiscard]] std::optional<View> view(std::string_view group) const;

 private:
  struct Member {
    Client client;
    std::int64_t seen_ms = 0;
    std::int64_t fingerprint = 0;
    std::string wants;  // topics and expressions as one text, to compare
  };
  struct Group {
    ConsumeMode mode;
    std::map<std::uint64_t, Member> members;  // by connection, so oldest first
    Subscriptions subscriptions;
  };
  using Groups = std::map<std::string, Group, std::less<>>;

  [[nodiscard]] static GroupChange change_of(std::string_view name, const Group& group);
  [[nodiscard]] static std::string conflict_of(std::string_view name, const Group& group,
                                               const Member& member);
  // Takes the member out, and the group with its last one.
  GroupChange remove(Groups::iterator at, std::uint64_t connection) MQ_REQUIRES(mu_);
  void forget(std::uint64_t connection, std::string_view group) MQ_REQUIRES(mu_);

  mutable Mutex mu_;
  Groups groups_ MQ_GUARDED_BY(mu_);
  // connection -> its groups, so that the end of one connection does not visit every group.
  std::map<std::uint64_t, std::set<std::string, std::less<>>> connections_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker
