#include "broker/producer_groups.h"

namespace mq::broker {

void ProducerGroups::heartbeat(std::string_view group, const Client& client, std::int64_t now_ms) {
  const MutexLock lock(mu_);
  Member& member = groups_[std::string(group)].members[client.connection];
  if (!member.client.id.empty() && member.client.id != client.id)
    forget_client(member.client.id, client.connection);
  member = {client, now_ms};
  connections_[client.connection].emplace(group);
  clients_[client.id].insert(client.connection);
}

void ProducerGroups::remove(std::string_view group, std::uint64_t connection) {
  const auto at = groups_.find(group);
  if (at == groups_.end()) return;
  const auto member = at->second.members.find(connection);
  if (member == at->second.members.end()) return;
  const std::string client_id = std::move(member->second.client.id);
  at->second.members.erase(member);
  if (at->second.members.empty()) groups_.erase(at);
  const auto groups = connections_.find(connection);
  if (groups == connections_.end()) return;
  if (const auto name = groups->second.find(group); name != groups->second.end())
    groups->second.erase(name);
  if (!groups->second.empty()) return;
  connections_.erase(groups);
  forget_client(client_id, connection);
}

void ProducerGroups::forget_client(std::string_view client_id, std::uint64_t connection) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  client->second.erase(connection);
  if (client->second.empty()) clients_.erase(client);
}

void ProducerGroups::leave(std::string_view group, std::uint64_t connection) {
  const MutexLock lock(mu_);
  remove(group, connection);
}

void ProducerGroups::connection_closed(std::uint64_t connection) {
  const MutexLock lock(mu_);
  const auto at = connections_.find(connection);
  if (at == connections_.end()) return;
  const std::set<std::string, std::less<>> groups = at->second;
  for (const std::string& group : groups) remove(group, connection);
}

std::vector<std::uint64_t> ProducerGroups::expire(std::int64_t now_ms) {
  const MutexLock lock(mu_);
  std::vector<std::pair<std::string, std::uint64_t>> silent;
  for (const auto& [name, group] : groups_) {
    for (const auto& [connection, member] : group.members) {
      if (now_ms - member.seen_ms > kExpiryMs) silent.emplace_back(name, connection);
    }
  }
  std::set<std::uint64_t> closing;
  for (const auto& [name, connection] : silent) {
    remove(name, connection);
    closing.insert(connection);
  }
  return {closing.begin(), closing.end()};
}

std::optional<Client> ProducerGroups::next_member(std::string_view group) {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  auto& [members, last_asked] = at->second;
  auto next = members.upper_bound(last_asked);
  if (next == members.end()) next = members.begin();
  last_asked = next->first;
  return next->second.client;
}

std::optional<std::uint64_t> ProducerGroups::find_connection(std::string_view client_id) const {
  const MutexLock lock(mu_);
  const auto at = clients_.find(client_id);
  if (at == clients_.end()) return std::nullopt;
  return *at->second.rbegin();
}

std::vector<ProducerGroups::Member> ProducerGroups::members(std::string_view group) const {
  std::vector<Member> out;
  const MutexLock lock(mu_);
  if (const auto at = groups_.find(group); at != groups_.end()) {
    for (const auto& [connection, member] : at->second.members) out.push_back(member);
  }
  return out;
}

std::map<std::string, std::vector<ProducerGroups::Member>> ProducerGroups::all() const {
  std::map<std::string, std::vector<Member>> out;
  const MutexLock lock(mu_);
  for (const auto& [name, group] : groups_) {
    for (const auto& [connection, member] : group.members) out[name].push_back(member);
  }
  return out;
}

}  // namespace mq::broker
