// mqdump info: what a store is, at a glance.
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "commands.h"
#include "inspect/log_reader.h"
#include "inspect/store_files.h"

namespace mq::mqdump {
namespace {

struct TopicSum {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>>
      queues;  // min, max (behind the last)
};

struct Sum {
  std::map<std::string, TopicSum> topics;
  std::int64_t records = 0, v2 = 0, body_bytes = 0;
  std::int64_t first_ms = -1, last_ms = -1;
  PhysicalOffset end{};
  std::vector<std::string> damage;
};

Result<Sum> sum_up(inspect::LogReader& log) {
  Sum s;
  MQ_TRY(s.end, log.walk(
                    log.begin(), log.end_of_files(),
                    [&](const format::Record& r, Bytes) {
                      ++s.records;
                      s.v2 += r.magic == format::kMagicV2 ? 1 : 0;
                      s.body_bytes += static_cast<std::int64_t>(r.body.size());
                      if (s.first_ms < 0) s.first_ms = r.store_timestamp_ms;
                      s.last_ms = r.store_timestamp_ms;
                      TopicSum& t = s.topics[std::string(r.topic)];
                      ++t.messages;
                      t.bytes += r.total_bytes;
                      const std::int64_t offset = r.queue_offset.value();
                      auto [at, fresh] = t.queues.try_emplace(r.queue_id, offset, offset + 1);
                      if (!fresh) at->second.second = offset + 1;
                      return true;
                    },
                    [&](const inspect::Finding& f) {
                      if (f.damage)
                        s.damage.push_back(fmt::format("{}: {}", log.where(f.at), f.what));
                    }));
  return s;
}

void print_text(const StoreOptions& o, const inspect::LogReader& log, const Sum& s,
                const std::vector<inspect::QueueDirectory>& queues,
                const std::vector<inspect::IndexInfo>& index, bool crashed, std::string& out) {
  const auto line = [&](std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "{:<16}{}\n", name, value);
  };
  line("store", o.directory);
  line("state", crashed ? "abort is there: a broker runs on it, or it was not closed properly"
                        : "closed properly");
  line("commit log",
       fmt::format("{} files of {}, offsets {} to {}", log.files().size(),
                   log.files().empty()
                       ? "-"
                       : cli::human_bytes(static_cast<double>(log.files().front().bytes)),
                   log.begin().value(), s.end.value()));
  line("records", fmt::format("{} ({} bytes of bodies{})", s.records, s.body_bytes,
                              s.v2 > 0 ? fmt::format(", {} of layout V2", s.v2) : ""));
  if (s.records > 0)
    line("stored", cli::format_time_ms(s.first_ms) + " to " + cli::format_time_ms(s.last_ms));
  line("consume queues", fmt::format("{}", queues.size()));
  for (const auto& file : index) {
    if (!file.damage.empty()) continue;
    line("index", fmt::format("{}: {} entries, {} slots", file.path, file.header.index_count - 1,
                              file.shape.slots));
  }
  for (const auto& [topic, sum] : s.topics) {
    fmt::format_to(std::back_inserter(out), "topic {}: {} messages, {}\n", topic, sum.messages,
                   cli::human_bytes(static_cast<double>(sum.bytes)));
    for (const auto& [id, range] : sum.queues) {
      fmt::format_to(std::back_inserter(out), "  queue {}: {} to {}\n", id, range.first,
                     range.second);
    }
  }
}

void print_json(const StoreOptions& o, const inspect::LogReader& log, const Sum& s,
                const std::vector<inspect::QueueDirectory>& queues,
                const std::vector<inspect::IndexInfo>& index, bool crashed, std::string& out) {
  json::object topics;
  for (const auto& [topic, sum] : s.topics) {
    json::object ranges;
    for (const auto& [id, range] : sum.queues)
      ranges[std::to_string(id)] = json::array{range.first, range.second};
    topics[topic] = json::object{
        {"messages", sum.messages}, {"bytes", sum.bytes}, {"queues", std::move(ranges)}};
  }
  out += to_json(json::object{{"store", o.directory},
                              {"clean", !crashed},
                              {"commitLogFiles", log.files().size()},
                              {"commitLogBegin", log.begin().value()},
                              {"commitLogEnd", s.end.value()},
                              {"records", s.records},
                              {"bodyBytes", s.body_bytes},
                              {"firstStoreTime", s.first_ms},
                              {"lastStoreTime", s.last_ms},
                              {"consumeQueues", queues.size()},
                              {"indexFiles", index.size()},
                              {"damage", s.damage.size()},
                              {"topics", std::move(topics)}});
  out += '\n';
}

int run(const StoreOptions& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  auto sum = sum_up(**log);
  if (!sum) return cli::fail(sum.error());
  auto queues = inspect::list_queues(fs::posix(), o.directory);
  if (!queues) return cli::fail(queues.error());
  auto index = inspect::list_index(fs::posix(), o.directory);
  if (!index) return cli::fail(index.error());
  for (const auto& file : *index)
    if (!file.damage.empty()) sum->damage.push_back(file.damage);
  const bool crashed = fs::posix().exists(o.directory + "/abort");
  cli::Output out;
  (o.json ? print_json : print_text)(o, **log, *sum, *queues, *index, crashed, out.buffer());
  for (const std::string& damage : sum->damage) cli::say(damage);
  return finish({}, out, sum->damage.empty() ? cli::kExitOk : cli::kExitData);
}

}  // namespace

void add_info(Commands& all) {
  auto o = std::make_shared<StoreOptions>();
  all.add("info", "what it is: files, sizes, offsets, topics, times, clean or crashed", *o,
          [o] { return run(*o); });
}

}  // namespace mq::mqdump
