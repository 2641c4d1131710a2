#include "broker/consumer_groups.h"

#include <utility>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::broker {
namespace {

// The retry topic says nothing: it comes and goes with the way of consuming.
std::string text_of(const Subscriptions& subscriptions) {
  std::string text;
  for (const auto& [topic, subscription] : subscriptions) {
    if (topic.starts_with(format::kRetryPrefix)) continue;
    fmt::format_to(std::back_inserter(text), "{}{} {} '{}'", text.empty() ? "" : ", ", topic,
                   subscription.type, subscription.expression);
  }
  return text;
}

// A member that has not said what it wants differs from nobody.
bool differ(std::string_view wants, std::string_view other) {
  return !wants.empty() && !other.empty() && wants != other;
}

std::string conflict_between(std::string_view group, const Client& one, std::string_view wants,
                             const Client& other, std::string_view other_wants) {
  return fmt::format(
      "group '{}': its members subscribe different things, of which the last one heard counts for "
      "all: {} at {} wants {}; {} at {} wants {}",
      group, one.id, one.address, wants, other.id, other.address, other_wants);
}

// True when topics came or went; a newer version of a known topic replaces it without a change.
bool merge(Subscriptions wanted, Subscriptions& known) {
  bool changed =
      std::erase_if(known, [&](const auto& entry) { return !wanted.contains(entry.first); }) > 0;
  for (auto& [topic, subscription] : wanted) {
    const auto at = known.find(topic);
    if (at == known.end()) {
      known.emplace(topic, std::move(subscription));
      changed = true;
    } else if (subscription.version > at->second.version) {
      at->second = std::move(subscription);
    }
  }
  return changed;
}

}  // namespace

ConsumerGroups::Registered ConsumerGroups::heartbeat(const Client& client, Registration wanted,
                                                     std::int64_t now_ms) {
  Registered out;
  const MutexLock lock(mu_);
  Group& group = groups_[std::string(wanted.group)];
  connections_[client.connection].emplace(wanted.group);
  Member& member = group.members[client.connection];
  bool changed = member.client.id != client.id;  // new, or another client on the same connection
  member.client = client;
  member.seen_ms = now_ms;
  group.mode = wanted.mode;
  if (wanted.subscriptions) {
    std::string wants = text_of(*wanted.subscriptions);
    if (wants != member.wants) {
      member.wants = std::move(wants);
      out.conflict = conflict_of(wanted.group, group, member);
    }
    changed = merge(*std::move(wanted.subscriptions), group.subscriptions) || changed;
    member.fingerprint = wanted.fingerprint;
  }
  out.subscriptions_known = wanted.fingerprint != 0 && member.fingerprint == wanted.fingerprint;
  if (changed) out.change = change_of(wanted.group, group);
  return out;
}

std::string ConsumerGroups::conflict_of(std::string_view name, const Group& group,
                                        const Member& member) {
  for (const auto& [connection, other] : group.members) {
    if (differ(member.wants, other.wants))
      return conflict_between(name, member.client, member.wants, other.client, other.wants);
  }
  return {};
}

GroupChange ConsumerGroups::change_of(std::string_view name, const Group& group) {
  GroupChange change{.group = std::string(name), .connections = {}};
  if (group.mode.model == wire::MessageModel::kBroadcasting) return change;
  for (const auto& [connection, member] : group.members) change.connections.push_back(connection);
  return change;
}

GroupChange ConsumerGroups::remove(Groups::iterator at, std::uint64_t connection) {
  if (at->second.members.erase(connection) == 0) return {};
  GroupChange change = change_of(at->first, at->second);
  if (at->second.members.empty()) groups_.erase(at);
  return change;
}

void ConsumerGroups::forget(std::uint64_t connection, std::string_view group) {
  const auto at = connections_.find(connection);
  if (at == connections_.end()) return;
  if (const auto found = at->second.find(group); found != at->second.end()) at->second.erase(found);
  if (at->second.empty()) connections_.erase(at);
}

GroupChange ConsumerGroups::leave(std::string_view group, std::uint64_t connection) {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return {};
  forget(connection, group);
  return remove(at, connection);
}

std::vector<GroupChange> ConsumerGroups::connection_closed(std::uint64_t connection) {
  std::vector<GroupChange> changes;
  const MutexLock lock(mu_);
  const auto groups = connections_.extract(connection);
  if (groups.empty()) return changes;
  for (const std::string& name : groups.mapped()) {
    if (const auto at = groups_.find(name); at != groups_.end())
      changes.push_back(remove(at, connection));
  }
  return changes;
}

ConsumerGroups::Expired ConsumerGroups::expire(std::int64_t now_ms) {
  Expired out;
  const MutexLock lock(mu_);
  std::vector<std::pair<std::string, std::uint64_t>> silent;
  for (const auto& [name, group] : groups_) {
    for (const auto& [connection, member] : group.members) {
      if (now_ms - member.seen_ms > kExpiryMs) silent.emplace_back(name, connection);
    }
  }
  std::map<std::string, GroupChange> changes;  // one a group, as it is in the end
  for (const auto& [name, connection] : silent) {
    forget(connection, name);
    changes[name] = remove(groups_.find(name), connection);
    out.connections.push_back(connection);
  }
  for (auto& [name, change] : changes) out.changes.push_back(std::move(change));
  return out;
}

bool ConsumerGroups::is_online(std::string_view group) const {
  const MutexLock lock(mu_);
  return groups_.find(group) != groups_.end();
}

std::optional<ConsumeMode> ConsumerGroups::mode(std::string_view group) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  return at->second.mode;
}

std::vector<std::string> ConsumerGroups::client_ids(std::string_view group) const {
  std::set<std::string> ids;
  {
    const MutexLock lock(mu_);
    const auto at = groups_.find(group);
    if (at == groups_.end()) return {};
    for (const auto& [connection, member] : at->second.members) ids.insert(member.client.id);
  }
  return {ids.begin(), ids.end()};
}

std::size_t ConsumerGroups::subscription_count(std::string_view group) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  return at == groups_.end() ? 0 : at->second.subscriptions.size();
}

std::optional<Subscription> ConsumerGroups::subscription(std::string_view group,
                                                         std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  const auto found = at->second.subscriptions.find(topic);
  if (found == at->second.subscriptions.end()) return std::nullopt;
  return found->second;
}

std::optional<Client> ConsumerGroups::find_client(std::string_view group,
                                                  std::string_view client_id) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  const auto& members = at->second.members;
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->second.client.id == client_id) return member->second.client;
  }
  return std::nullopt;
}

std::set<std::string> ConsumerGroups::groups_subscribing(std::string_view topic) const {
  std::set<std::string> names;
  const MutexLock lock(mu_);
  for (const auto& [name, group] : groups_) {
    if (group.subscriptions.find(topic) != group.subscriptions.end()) names.insert(name);
  }
  return names;
}

std::optional<ConsumerGroups::View> ConsumerGroups::view(std::string_view group) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  View out{.mode = at->second.mode,
           .clients = {},
           .subscriptions = at->second.subscriptions,
           .conflicts = {}};
  const Member* before = nullptr;
  for (const auto& [connection, member] : at->second.members) {
    out.clients.push_back(member.client);
    if (before != nullptr && differ(before->wants, member.wants)) {
      out.conflicts.push_back(
          conflict_between(group, before->client, before->wants, member.client, member.wants));
    }
    before = &member;
  }
  return out;
}

}  // namespace mq::broker
