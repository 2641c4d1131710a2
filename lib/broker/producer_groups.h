// Who is on line in which producer group (semantics.md 9.2): to be asked about transactions, to be
// given replies, to be shown. A state machine, handed the time. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "broker/consumer_groups.h"

namespace mq::broker {

class ProducerGroups {
 public:
  static constexpr std::int64_t kExpiryMs = 120'000;

  void heartbeat(std::string_view group, const Client& client, std::int64_t now_ms);
  void leave(std::string_view group, std::uint64_t connection);
  void connection_closed(std::uint64_t connection);
  // Members not heard of for longer than kExpiryMs leave; returns their connections, to be closed.
  std::vector<std::uint64_t> expire(std::int64_t now_ms);

  // A member of the group, the next one with each call: any of them can say how a transaction
  // ended. Nothing when nobody is on line.
  [[nodiscard]] std::optional<Client> next_member(std::string_view group);
  // The newest connection of a producer with that client id, whatever its group.
  [[nodiscard]] std::optional<std::uint64_t> find_connection(std::string_view client_id) const;

  struct Member {
    Client client;
    std::int64_t seen_ms = 0;
  };
  // Oldest connection first; empty when nobody is on line.
  [[nodiscard]] std::vector<Member> members(std::string_view group) const;
  [[nodiscard]] std::map<std::string, std::vector<Member>> all() const;

 private:
  struct Group {
    std::map<std::uint64_t, Member> members;  // by connection
    std::uint64_t last_asked = 0;
  };
  void remove(std::string_view group, std::uint64_t connection) MQ_REQUIRES(mu_);
  void forget_client(std::string_view client_id, std::uint64_t connection) MQ_REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Group, std::less<>> groups_ MQ_GUARDED_BY(mu_);
  std::map<std::uint64_t, std::set<std::string, std::less<>>> connections_ MQ_GUARDED_BY(mu_);
  // client id -> its connections
  std::map<std::string, std::set<std::uint64_t>, std::less<>> clients_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker
