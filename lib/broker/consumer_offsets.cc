#include "broker/consumer_offsets.h"

#include <algorithm>

#include "broker/state_file.h"

namespace mq::broker {
namespace {

// Neither names of topics nor of groups contain '@'.
std::string key_of(std::string_view group, std::string_view topic) {
  std::string key;
  key.reserve(topic.size() + group.size() + 1);
  return key.append(topic).append("@").append(group);
}
std::string beside(const std::string& path, std::string_view name) {
  return path.substr(0, path.rfind('/') + 1).append(name);
}
std::string_view topic_of(std::string_view key) { return key.substr(0, key.find('@')); }
std::string_view group_of(std::string_view key) {
  const std::size_t split = key.find('@');
  return split == std::string_view::npos ? std::string_view() : key.substr(split + 1);
}

}  // namespace

ConsumerOffsets::ConsumerOffsets(fs::Fs& fs, Clock& clock, std::string path, bool has_light_queues)
    : fs_(fs),
      clock_(clock),
      path_(std::move(path)),
      has_light_queues_(has_light_queues),
      own_path_(has_light_queues ? beside(path_, format::kConsumerOffsetFiles[1]) : path_) {}

Result<void> ConsumerOffsets::load() {
  format::ConsumerOffsets stored;
  const bool is_there = fs_.exists(own_path_) || fs_.exists(own_path_ + ".bak");
  MQ_CHECK(load_state_file(fs_, is_there ? own_path_ : path_,
                           [&](std::string_view text) -> Result<void> {
                             MQ_TRY(stored, format::parse_consumer_offset_json(text));
                             return {};
                           }));
  const MutexLock lock(mu_);
  committed_ = std::move(stored);
  committed_.has_light_table = has_light_queues_;
  return {};
}

Result<void> ConsumerOffsets::flush(const std::function<Result<void>()>& before_write) {
  const MutexLock flushing(flush_mu_);
  format::ConsumerOffsets copy;
  {
    const MutexLock lock(mu_);
    if (!dirty_) return {};
    dirty_ = false;
    committed_.version.bump(clock_.now_ms());
    copy = committed_;
  }
  auto done = before_write ? before_write() : Result<void>();
  if (done) {
    done = fs::write_file_atomically(fs_, own_path_, format::to_consumer_offset_json(copy),
                                     /*keep_backup=*/true);
  }
  if (done) return done;
  const MutexLock lock(mu_);
  dirty_ = true;
  return done;
}

std::optional<std::int64_t> ConsumerOffsets::find_in(const Table& table, std::string_view group,
                                                     std::string_view topic, std::int32_t queue) {
  const auto at = table.find(key_of(group, topic));
  if (at == table.end()) return std::nullopt;
  const auto found = at->second.find(queue);
  if (found == at->second.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> ConsumerOffsets::reset_locked(std::string_view group,
                                                          std::string_view topic,
                                                          std::int32_t queue) const {
  if (resets_.empty()) return std::nullopt;  // nearly always
  return find_in(resets_, group, topic, queue);
}

std::optional<std::int64_t> ConsumerOffsets::find(std::string_view group, std::string_view topic,
                                                  std::int32_t queue) const {
  const MutexLock lock(mu_);
  if (const auto reset = reset_locked(group, topic, queue)) return reset;
  const auto offset = find_in(committed_.offsets, group, topic, queue);
  // A stock broker has no offset below 0; a file that does says "none".
  return offset && *offset >= 0 ? offset : std::nullopt;
}

ConsumerOffsets::ByQueue ConsumerOffsets::find_all(std::string_view group,
                                                   std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = committed_.offsets.find(key_of(group, topic));
  return at == committed_.offsets.end() ? ByQueue() : at->second;
}

bool ConsumerOffsets::commit(std::string_view group, std::string_view topic, std::int32_t queue,
                             std::int64_t offset) {
  const MutexLock lock(mu_);
  if (reset_locked(group, topic, queue)) return false;
  const std::string key = key_of(group, topic);
  auto at = committed_.offsets.find(key);
  if (at == committed_.offsets.end()) at = committed_.offsets.emplace(key, ByQueue()).first;
  const auto [slot, is_new] = at->second.try_emplace(queue, offset);
  if (!is_new && slot->second == offset) return true;
  slot->second = offset;
  dirty_ = true;
  return true;
}

void ConsumerOffsets::note_pull(std::string_view group, std::string_view topic, std::int32_t queue,
                                std::int64_t next) {
  const MutexLock lock(mu_);
  pulled_[key_of(group, topic)][queue] = next;
}

std::optional<std::int64_t> ConsumerOffsets::pulled(std::string_view group, std::string_view topic,
                                                    std::int32_t queue) const {
  const MutexLock lock(mu_);
  return find_in(pulled_, group, topic, queue);
}

void ConsumerOffsets::reset(std::string_view group, std::string_view topic,
                            const ByQueue& offsets) {
  const std::string key = key_of(group, topic);
  const MutexLock lock(mu_);
  for (const auto& [queue, offset] : offsets) {
    resets_[key][queue] = offset;
    committed_.offsets[key][queue] = offset;
  }
  dirty_ = true;
}

bool ConsumerOffsets::has_reset(std::string_view group, std::string_view topic,
                                std::int32_t queue) const {
  const MutexLock lock(mu_);
  return reset_locked(group, topic, queue).has_value();
}

std::optional<std::int64_t> ConsumerOffsets::take_reset(std::string_view group,
                                                        std::string_view topic,
                                                        std::int32_t queue) {
  const MutexLock lock(mu_);
  const auto offset = reset_locked(group, topic, queue);
  if (!offset) return std::nullopt;
  const auto at = resets_.find(key_of(group, topic));
  at->second.erase(queue);
  if (at->second.empty()) resets_.erase(at);
  return offset;
}

void ConsumerOffsets::clone(std::string_view from_group, std::string_view to_group,
                            std::string_view topic) {
  const MutexLock lock(mu_);
  const auto from = committed_.offsets.find(key_of(from_group, topic));
  if (from == committed_.offsets.end() || from_group == to_group) return;
  const ByQueue copy = from->second;
  committed_.offsets[key_of(to_group, topic)] = copy;
  dirty_ = true;
}

template <typename Matches>
void ConsumerOffsets::remove_if(Matches matches) {
  const auto erase = [&](auto& table) {
    return std::erase_if(table, [&](const auto& entry) { return matches(entry.first); }) > 0;
  };
  if (erase(committed_.offsets)) dirty_ = true;
  (void)erase(pulled_);
  (void)erase(resets_);
}

void ConsumerOffsets::remove_topic(std::string_view topic) {
  const MutexLock lock(mu_);
  remove_if([&](std::string_view key) { return topic_of(key) == topic; });
}

void ConsumerOffsets::remove_group(std::string_view group) {
  const MutexLock lock(mu_);
  remove_if([&](std::string_view key) { return group_of(key) == group; });
}

std::set<std::string> ConsumerOffsets::topics_of(std::string_view group) const {
  std::set<std::string> topics;
  const MutexLock lock(mu_);
  for (const auto& [key, offsets] : committed_.offsets) {
    if (group_of(key) == group) topics.emplace(topic_of(key));
  }
  return topics;
}

std::set<std::string> ConsumerOffsets::groups_of(std::string_view topic) const {
  std::set<std::string> groups;
  const MutexLock lock(mu_);
  for (const auto& [key, offsets] : committed_.offsets) {
    if (topic_of(key) == topic) groups.emplace(group_of(key));
  }
  return groups;
}

ConsumerOffsets::ByQueue ConsumerOffsets::smallest(
    std::string_view topic, const std::set<std::string>& without,
    const std::function<std::int64_t(std::int32_t)>& min_offset) const {
  std::vector<ByQueue> tables;
  {
    const MutexLock lock(mu_);
    for (const auto& [key, offsets] : committed_.offsets) {
      if (topic_of(key) == topic && !without.contains(std::string(group_of(key))))
        tables.push_back(offsets);
    }
  }
  ByQueue out;
  for (const ByQueue& offsets : tables) {  // asks the store, so outside the lock
    for (const auto& [queue, offset] : offsets) {
      if (offset < min_offset(queue)) continue;
      const auto [at, is_new] = out.try_emplace(queue, offset);
      if (!is_new) at->second = std::min(at->second, offset);
    }
  }
  return out;
}

format::ConsumerOffsets ConsumerOffsets::all() const {
  const MutexLock lock(mu_);
  return committed_;
}

}  // namespace mq::broker
