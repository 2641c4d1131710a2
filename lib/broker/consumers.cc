#include "broker/consumers.h"

#include <algorithm>
#include <iterator>

#include "base/hash.h"
#include "broker/state_file.h"

namespace mq::broker {
namespace {

std::string offset_key(std::string_view topic, std::string_view group) {
  std::string key;
  key.reserve(topic.size() + group.size() + 1);
  return key.append(topic).append("@").append(group);
}

}  // namespace

TagExpression TagExpression::parse(std::string_view expression) {
  TagExpression out;
  if (expression.empty() || expression == "*") return out;
  while (!expression.empty()) {
    const std::size_t end = expression.find("||");
    std::string_view tag = expression.substr(0, end);
    expression = end == std::string_view::npos ? std::string_view() : expression.substr(end + 2);
    while (!tag.empty() && tag.front() == ' ') tag.remove_prefix(1);
    while (!tag.empty() && tag.back() == ' ') tag.remove_suffix(1);
    if (!tag.empty()) out.codes.push_back(java_string_hash(tag));
  }
  out.all = false;
  std::sort(out.codes.begin(), out.codes.end());
  return out;
}

Consumers::Consumers(fs::Fs& fs, Clock& clock, std::string offsets_path)
    : fs_(fs), clock_(clock), path_(std::move(offsets_path)) {}

Result<void> Consumers::load() {
  const MutexLock lock(mu_);
  MQ_CHECK(load_state_file(fs_, path_,
                           [&](std::string_view text) MQ_NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
                             MQ_TRY(offsets_, format::parse_consumer_offset_json(text));
                             return {};
                           }));
  return {};
}

void Consumers::heartbeat(std::string_view group, std::string_view client_id,
                          std::uint64_t connection,
                          std::map<std::string, Subscription, std::less<>> subscriptions) {
  const MutexLock lock(mu_);
  Group& entry = groups_[std::string(group)];
  entry.clients[std::string(client_id)] = {connection, clock_.now_ms()};
  for (auto& [topic, subscription] : subscriptions)
    entry.subscriptions[topic] = std::move(subscription);
}

void Consumers::leave(std::string_view group, std::string_view client_id) {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return;
  if (const auto client = at->second.clients.find(client_id); client != at->second.clients.end()) {
    at->second.clients.erase(client);
  }
  if (at->second.clients.empty()) groups_.erase(at);
}

void Consumers::connection_closed(std::uint64_t connection) {
  const MutexLock lock(mu_);
  for (auto at = groups_.begin(); at != groups_.end();) {
    auto& clients = at->second.clients;
    std::erase_if(clients,
                  [&](const auto& client) { return client.second.connection == connection; });
    at = clients.empty() ? groups_.erase(at) : std::next(at);
  }
}

std::vector<std::string> Consumers::client_ids(std::string_view group) const {
  const MutexLock lock(mu_);
  std::vector<std::string> ids;
  if (const auto at = groups_.find(group); at != groups_.end()) {
    for (const auto& [id, client] : at->second.clients) ids.push_back(id);
  }
  return ids;
}

bool Consumers::is_online(std::string_view group) const {
  const MutexLock lock(mu_);
  return groups_.find(group) != groups_.end();
}

std::optional<Subscription> Consumers::subscription(std::string_view group,
                                                    std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = groups_.find(group);
  if (at == groups_.end()) return std::nullopt;
  const auto found = at->second.subscriptions.find(topic);
  if (found == at->second.subscriptions.end()) return std::nullopt;
  return found->second;
}

std::int64_t Consumers::offset(std::string_view group, std::string_view topic,
                               std::int32_t queue) const {
  const MutexLock lock(mu_);
  const auto at = offsets_.offsets.find(offset_key(topic, group));
  if (at == offsets_.offsets.end()) return -1;
  const auto found = at->second.find(queue);
  return found == at->second.end() ? -1 : found->second;
}

void Consumers::commit(std::string_view group, std::string_view topic, std::int32_t queue,
                       std::int64_t offset) {
  const MutexLock lock(mu_);
  offsets_.offsets[offset_key(topic, group)][queue] = offset;
  dirty_ = true;
}

void Consumers::remove_topic(std::string_view topic) {
  const MutexLock lock(mu_);
  const std::string prefix = offset_key(topic, "");
  dirty_ = std::erase_if(offsets_.offsets,
                         [&](const auto& entry) { return entry.first.starts_with(prefix); }) > 0 ||
           dirty_;
}

void Consumers::remove_group(std::string_view group) {
  const MutexLock lock(mu_);
  const std::string suffix = offset_key("", group);
  dirty_ = std::erase_if(offsets_.offsets,
                         [&](const auto& entry) { return entry.first.ends_with(suffix); }) > 0 ||
           dirty_;
}

Result<void> Consumers::flush() {
  std::string text;
  {
    const MutexLock lock(mu_);
    if (!dirty_) return {};
    dirty_ = false;
    offsets_.version.bump(clock_.now_ms());
    text = format::to_consumer_offset_json(offsets_);
  }
  auto done = fs::write_file_atomically(fs_, path_, text, /*keep_backup=*/true);
  if (!done) {
    const MutexLock lock(mu_);
    dirty_ = true;
  }
  return done;
}

}  // namespace mq::broker
