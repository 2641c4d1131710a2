#include "inspect/store_info.h"

#include <algorithm>

namespace mq::inspect {
namespace {

constexpr int kDepthMax = 8;

Result<void> sum_directory(fs::Fs& fs, const std::string& path, FileSum& out, int depth) {
  const auto names = fs.list(path);
  if (!names && names.error().code() == Errc::kNotFound) return {};
  if (!names) return Error(names.error());
  for (const std::string& name : *names) {
    const auto stat = fs.stat(path + "/" + name);
    if (!stat) continue;  // gone
    if (stat->is_directory) {
      if (depth < kDepthMax) MQ_CHECK(sum_directory(fs, path + "/" + name, out, depth + 1));
      continue;
    }
    ++out.files;
    out.bytes += stat->bytes;
    out.allocated_bytes += stat->allocated_bytes;
  }
  return {};
}

void add_record(LogSum& s, const format::Record& r, const Reach& reach) {
  ++s.records;
  s.v2 += r.magic == format::kMagicV2 ? 1 : 0;
  s.bytes += r.total_bytes;
  s.body_bytes += static_cast<std::int64_t>(r.body.size());
  if (s.first_ms < 0) s.first_ms = r.store_timestamp_ms;
  s.first_ms = std::min(s.first_ms, r.store_timestamp_ms);
  s.last_ms = std::max(s.last_ms, r.store_timestamp_ms);
  auto topic = s.topics.find(r.topic);
  if (topic == s.topics.end()) topic = s.topics.try_emplace(std::string(r.topic)).first;
  TopicSum& t = topic->second;
  ++t.messages;
  t.bytes += r.total_bytes;
  const std::int64_t offset = r.queue_offset.value();
  QueueSum& q = t.queues.try_emplace(r.queue_id, QueueSum{offset, offset + 1, 0}).first->second;
  q.min = std::min(q.min, offset);
  q.max = std::max(q.max, offset + 1);
  ++q.messages;
  s.map.add(reach.kind_of(r), r.topic, r.physical_offset, r.total_bytes);
}

void merge(LogSum& to, const LogSum& from) {
  to.records += from.records;
  to.v2 += from.v2;
  to.bytes += from.bytes;
  to.body_bytes += from.body_bytes;
  if (from.records > 0) {
    to.first_ms = to.first_ms < 0 ? from.first_ms : std::min(to.first_ms, from.first_ms);
    to.last_ms = std::max(to.last_ms, from.last_ms);
  }
  for (const auto& [name, topic] : from.topics) {
    TopicSum& t = to.topics[name];
    t.messages += topic.messages;
    t.bytes += topic.bytes;
    for (const auto& [id, queue] : topic.queues) {
      QueueSum& q = t.queues.try_emplace(id, QueueSum{queue.min, queue.max, 0}).first->second;
      q.min = std::min(q.min, queue.min);
      q.max = std::max(q.max, queue.max);
      q.messages += queue.messages;
    }
  }
  to.map.merge(from.map);
}

// What findings say about space.
void add_finding(LogSum& s, const Finding& f) {
  if (f.damage) {
    ++s.damages;
    if (s.damage.size() < LogSum::kDamageMax) s.damage.push_back(f);
  }
  switch (f.kind) {
    case FindingKind::kDamage:
    case FindingKind::kTail:
      return s.map.add(SpaceKind::kDamaged, {}, f.at, f.bytes);
    case FindingKind::kMissing:
      return s.map.add(SpaceKind::kMissing, {}, f.at - f.bytes, f.bytes);
    case FindingKind::kGone:
      return s.map.add(SpaceKind::kMissing, {}, f.at, f.bytes);
    case FindingKind::kBlank:
      return s.map.add(SpaceKind::kBlank, {}, f.at, f.bytes);
    case FindingKind::kEnd:
      return s.map.add(SpaceKind::kFree, {}, f.at, f.bytes);
  }
}

}  // namespace

StoreState read_state(fs::Fs& fs, const std::string& store) {
  StoreState out;
  out.abort = fs.exists(store + "/abort");
  if (const auto holder = fs.lock_holder(store + "/lock")) out.holder = *holder;
  out.rocksdb = fs.exists(store + "/consumequeue/CURRENT");
  return out;
}

Result<std::map<std::string, FileSum>> sum_files(fs::Fs& fs, const std::string& store) {
  std::map<std::string, FileSum> out;
  MQ_TRY(const fs::Stat stat, fs.stat(store));
  if (!stat.is_directory) {
    out["file"] = {1, stat.bytes, stat.allocated_bytes};
    return out;
  }
  MQ_TRY(const auto names, fs.list(store));
  for (const std::string& name : names) {
    const auto entry = fs.stat(store + "/" + name);
    if (!entry) continue;
    FileSum& sum = out[name];
    if (entry->is_directory) {
      MQ_CHECK(sum_directory(fs, store + "/" + name, sum, 0));
    } else {
      sum = {1, entry->bytes, entry->allocated_bytes};
    }
  }
  return out;
}

Result<LogSum> sum_log(fs::Fs& fs, const std::string& store, const Reach& reach,
                       const WalkOptions& options, std::size_t columns,
                       const std::function<bool()>& goes_on) {
  MQ_TRY(const auto log, LogReader::open(fs, store, options.cache));
  LogSum empty;
  empty.map = SpaceMap(log->begin(), log->end_of_files(), columns);
  std::vector<LogSum> sums(static_cast<std::size_t>(std::max(1, options.jobs)), empty);
  LogSum out = std::move(empty);
  MQ_TRY(out.end, walk_parallel(
                      fs, store, options,
                      [&](std::size_t worker, const format::Record& record, Bytes) {
                        add_record(sums[worker], record, reach);
                        return goes_on();
                      },
                      [&](const Finding& finding) { add_finding(out, finding); }));
  for (const LogSum& sum : sums) merge(out, sum);
  std::sort(out.damage.begin(), out.damage.end(),
            [](const Finding& a, const Finding& b) { return a.at < b.at; });
  return out;
}

}  // namespace mq::inspect
