#include "inspect/rebuild.h"

#include <memory>

#include <fmt/format.h>

#include "format/light_queues.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/state_files.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kProgressBytes = 16 << 20;
constexpr std::size_t kOddMax = 1000;

}  // namespace

// --- one record

const LogDispatch::Topic& LogDispatch::topic_of(std::string_view name) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found->second;
  Topic topic{
      .index_prefix = index_hash_prefix(name),
      .has_queues = is_directory_name(name) && (parts_.topic.empty() || parts_.topic == name),
      .is_batch = parts_.batch_topics.contains(name)};
  return topics_.emplace(std::string(name), topic).first->second;
}

Result<void> LogDispatch::take(const format::Record& record) {
  const Topic& topic = topic_of(record.topic);
  const Dispatched dispatched = parts_.rules->of(record);
  if (dispatched.has_entry) MQ_CHECK(add_entries(topic, record, dispatched));
  if (parts_.keys != nullptr && dispatched.has_keys) MQ_CHECK(add_keys(topic, record, dispatched));
  ++records_;
  last_ms_ = record.store_timestamp_ms;
  last_record_ = record.physical_offset;
  return {};
}

Result<void> LogDispatch::add_entries(const Topic& topic, const format::Record& record,
                                      const Dispatched& dispatched) {
  if (parts_.queues == nullptr) return {};
  format::ConsumeQueueEntry entry{record.physical_offset, record.total_bytes, dispatched.tag_code};
  if (topic.has_queues && !topic.is_batch && record.queue_id >= 0) {
    MQ_CHECK(parts_.queues->add(record.topic, record.queue_id, record.queue_offset.value(), entry));
  }
  entry.tag_code = dispatched.hashed_tag;
  Result<void> done;
  format::for_each_light_queue(dispatched.light_queues, dispatched.light_offsets,
                               [&](std::string_view name, std::int64_t number) {
                                 if (done && (parts_.topic.empty() || parts_.topic == name))
                                   done = parts_.queues->add(name, format::kLightQueueId, number,
                                                             entry);
                               });
  return done;
}

Result<void> LogDispatch::add_keys(const Topic& topic, const format::Record& record,
                                   const Dispatched& dispatched) {
  Result<void> done;
  const auto add = [&](std::string_view key) {
    if (!done) return;
    done = parts_.keys->add(index_hash(topic.index_prefix, key), record.physical_offset,
                            record.store_timestamp_ms);
  };
  if (!dispatched.unique_key.empty()) add(dispatched.unique_key);
  format::for_each_key(dispatched.keys, add);
  return done;
}

Result<void> LogDispatch::finish() {
  if (parts_.queues != nullptr) MQ_CHECK(parts_.queues->finish());
  if (parts_.keys != nullptr) MQ_CHECK(parts_.keys->finish());
  return {};
}

std::set<std::string, std::less<>> batch_topics(fs::Fs& fs, const std::string& store) {
  std::set<std::string, std::less<>> out;
  if (auto names = fs.list(store + "/batchconsumequeue")) out.insert(names->begin(), names->end());
  for (const char* name : {"/config/topics.json", "/config/topics.json.bak"}) {
    const auto text = fs::read_file(fs, store + name);
    if (!text) continue;
    const auto table = format::parse_topics_json(*text);
    if (!table) continue;
    for (const auto& [topic, config] : table->topics) {
      const auto type = config.attributes.find("queue.type");
      if (type != config.attributes.end() && type->second == "BatchCQ") out.insert(topic);
    }
    break;
  }
  return out;
}

std::string describe(const QueueBuilder::Odd& odd) {
  using How = QueueNumbering::How;
  const QueueNumbering::Placed& p = odd.placed;
  const std::int64_t at = p.entry.commitlog_offset.value();
  switch (p.how) {
    case How::kAfterGap:
      return fmt::format("queue {}: no records of {} to {} in front of the one at {}",
                         to_string(odd.queue), p.number - p.missing, p.number - 1, at);
    case How::kRestart:
      return fmt::format(
          "queue {}: numbers begin again at {}: its topic was deleted and made again",
          to_string(odd.queue), at);
    case How::kCorrected:
      return fmt::format(
          "queue {}: the record at {} says it is number {}, its neighbours that it "
          "is {}",
          to_string(odd.queue), at, p.claimed, p.number);
    case How::kStray:
      return fmt::format(
          "queue {}: the record at {} says it is number {}, which belongs to another",
          to_string(odd.queue), at, p.claimed);
    case How::kInOrder:
      break;
  }
  return {};
}

// --- all of them

Result<PhysicalOffset> walk_log(LogReader& log, LogDispatch& dispatch,
                                const std::function<void(PhysicalOffset)>& progress,
                                const LogReader::Note& damage) {
  Result<void> done;
  PhysicalOffset told = log.begin();
  auto end = log.walk(
      log.begin(), log.end_of_files(),
      [&](const format::Record& record, Bytes) {
        done = dispatch.take(record);
        if (progress && record.physical_offset - told > kProgressBytes)
          progress(told = record.physical_offset);
        return done.has_value();
      },
      [&](const Finding& finding) {
        if (finding.damage) damage(finding);
      });
  MQ_CHECK(std::move(done));
  if (end) MQ_CHECK(dispatch.finish());
  if (end && progress) progress(log.end_of_files());
  return end;
}

Result<RebuildReport> rebuild(fs::Fs& fs, const std::string& store, const std::string& out,
                              const RebuildOptions& options) {
  MQ_TRY(const auto log, LogReader::open(fs, store, LogReader::Cache::kDrop));
  RebuildReport report;
  report.begin = log->begin();
  const DispatchRules rules(options.delay_levels);
  std::unique_ptr<QueueFileSink> files;
  std::unique_ptr<QueueBuilder> queues;
  std::unique_ptr<IndexBuilder> index;
  const auto make = [&](const std::string& directory) -> Result<void> {
    if (fs.exists(directory)) return Error{Errc::kExists, directory + ": is there already"};
    return fs.make_directories(directory);
  };
  if (options.queues) {
    MQ_CHECK(make(out + "/consumequeue"));
    files =
        std::make_unique<QueueFileSink>(fs, out + "/consumequeue", options.shape.queue_file_bytes);
    queues = std::make_unique<QueueBuilder>(
        *files, QueueBuilder::Options{.log_begins_at_zero = log->begin().value() == 0},
        QueueBuilder::Hooks{.note = [&](const QueueBuilder::Odd& odd) {
          if (report.odd.size() < kOddMax) report.odd.push_back(describe(odd));
        }});
  }
  if (options.index) {
    MQ_CHECK(make(out + "/index"));
    index = std::make_unique<IndexBuilder>(fs, out + "/index", options.shape.index, options.now_ms);
  }
  LogDispatch dispatch({.rules = &rules,
                        .queues = queues.get(),
                        .keys = index.get(),
                        .topic = options.topic,
                        .batch_topics = batch_topics(fs, store)});
  MQ_TRY(report.end, walk_log(*log, dispatch, options.progress,
                              [&](const Finding& finding) { report.damage.push_back(finding); }));
  report.records = dispatch.records();
  if (queues) report.queues = queues->ranges();
  if (index) {
    report.index_files = index->files();
    report.keys = index->keys();
  }
  return report;
}

}  // namespace mq::inspect
