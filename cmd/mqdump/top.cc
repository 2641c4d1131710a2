// mqdump top: the biggest topics, keys, tags and messages.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "commands.h"
#include "format/properties.h"
#include "inspect/parallel_walk.h"
#include "inspect/references.h"
#include "inspect/top_sketch.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

using inspect::TopSketch;

constexpr std::size_t kNames = 8192;  // of each kind, for each thread

struct Options : StoreOptions, RunOptions {
  std::size_t count = 10;
  std::string by = "bytes";
};

struct BigMessage {
  std::int64_t bytes = 0;
  PhysicalOffset at{};
  std::int64_t offset = 0;
  std::int64_t stored_ms = 0;
  std::int32_t queue = 0;
  std::string topic;
  // Of equals the older one is bigger.
  friend bool operator<(const BigMessage& a, const BigMessage& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.at < b.at;
  }
};

// What one thread has seen.
class Sums {
 public:
  Sums(TopSketch::By by, std::size_t count)
      : topics(kNames, by), keys(kNames, by), tags(kNames, by), count_(count) {}

  void add(const format::Record& r) {
    ++messages;
    bytes += r.total_bytes;
    topics.add(r.topic, 1, r.total_bytes);
    for (const std::string_view key : inspect::index_keys(r.properties)) {
      if (key == format::find_property(r.properties, format::kUniqKey)) continue;
      add_named(keys, r, key);
    }
    if (const auto tag = format::find_property(r.properties, format::kTags))
      add_named(tags, r, *tag);
    add_big(r);
  }
  void merge(const Sums& other) {
    messages += other.messages;
    bytes += other.bytes;
    topics.merge(other.topics);
    keys.merge(other.keys);
    tags.merge(other.tags);
    for (const BigMessage& one : other.big) keep(one);
  }

  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  TopSketch topics;
  TopSketch keys;  // TOPIC#KEY
  TopSketch tags;
  std::vector<BigMessage> big;  // a heap, the smallest in front

 private:
  void add_named(TopSketch& to, const format::Record& r, std::string_view name) {
    name_.assign(r.topic).append("#").append(name);
    to.add(name_, 1, r.total_bytes);
  }
  void add_big(const format::Record& r) {
    if (big.size() >= count_ && r.total_bytes < big.front().bytes) return;
    keep({.bytes = r.total_bytes,
          .at = r.physical_offset,
          .offset = r.queue_offset.value(),
          .stored_ms = r.store_timestamp_ms,
          .queue = r.queue_id,
          .topic = std::string(r.topic)});
  }
  void keep(const BigMessage& message) {
    big.push_back(message);
    std::push_heap(big.begin(), big.end());
    if (big.size() <= count_) return;
    std::pop_heap(big.begin(), big.end());
    big.pop_back();
  }

  std::size_t count_;
  std::string name_;
};

class Printer {
 public:
  Printer(const Options& o, std::string& out) : o_(o), out_(out) {}

  void names(std::string_view kind, const TopSketch& sketch) {
    const auto top = sketch.top(o_.count);
    if (!o_.json && !top.empty()) {
      fmt::format_to(std::back_inserter(out_), "{}s by {}{}\n", kind, o_.by, about_error(sketch));
    }
    for (const auto& entry : top) {
      if (o_.json) {
        json_name(kind, entry, sketch.error());
      } else {
        fmt::format_to(std::back_inserter(out_), "{:>10} {:>12} messages  {}\n",
                       cli::human_bytes(static_cast<double>(entry.bytes)), entry.messages,
                       safe(entry.name));
      }
    }
  }
  void messages(std::vector<BigMessage> big) {
    std::sort(big.begin(), big.end());
    if (!o_.json && !big.empty()) out_ += "messages by bytes\n";
    for (const BigMessage& m : big) {
      if (o_.json) {
        out_ += R"({"kind":"message","topic":)";
        append_json_string(out_, m.topic);
        fmt::format_to(std::back_inserter(out_),
                       R"(,"queue":{},"offset":{},"physicalOffset":{},"size":{},"storeTime":{}}})"
                       "\n",
                       m.queue, m.offset, m.at.value(), m.bytes, m.stored_ms);
      } else {
        fmt::format_to(std::back_inserter(out_), "{:>10} @{:<20} {} {}/{}/{}\n",
                       cli::human_bytes(static_cast<double>(m.bytes)), m.at.value(),
                       cli::format_time_ms(m.stored_ms), safe(m.topic), m.queue, m.offset);
      }
    }
  }

 private:
  [[nodiscard]] std::string about_error(const TopSketch& sketch) const {
    if (sketch.error() == 0) return "";
    return fmt::format(" (too many names to count all: up to {} too low)",
                       o_.by == "bytes" ? cli::human_bytes(static_cast<double>(sketch.error()))
                                        : std::to_string(sketch.error()));
  }
  // A topic has no '#'.
  void json_name(std::string_view kind, const inspect::TopEntry& entry, std::int64_t error) {
    const std::size_t split = kind == "topic" ? std::string::npos : entry.name.find('#');
    fmt::format_to(std::back_inserter(out_), R"({{"kind":"{}","topic":)", kind);
    append_json_string(out_, std::string_view(entry.name).substr(0, split));
    if (split != std::string::npos) {
      fmt::format_to(std::back_inserter(out_), ",\"{}\":", kind);
      append_json_string(out_, std::string_view(entry.name).substr(split + 1));
    }
    fmt::format_to(std::back_inserter(out_), R"(,"messages":{},"bytes":{},"error":{}}})",
                   entry.messages, entry.bytes, error);
    out_ += '\n';
  }

  const Options& o_;
  std::string& out_;
};

int run(const Options& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop);
  if (!log) return cli::fail(log.error());
  const auto by = o.by == "bytes" ? TopSketch::By::kBytes : TopSketch::By::kMessages;
  std::vector<Sums> sums(static_cast<std::size_t>(o.jobs), Sums(by, o.count));
  bool damaged = false;
  Result<PhysicalOffset> walked = PhysicalOffset(0);
  {
    Watch progress({.asked = o.progress,
                    .quiet = *o.quiet,
                    .bytes_total = (*log)->end_of_files() - (*log)->begin()});
    walked = inspect::walk_parallel(
        fs::posix(), o.directory,
        {.jobs = o.jobs, .bytes_done = &progress.bytes, .records_done = &progress.count},
        [&](std::size_t worker, const format::Record& record, Bytes) {
          sums[worker].add(record);
          return cli::stop_signal() == 0;
        },
        [&](const inspect::Finding& finding) {
          if (!finding.damage) return;
          damaged = true;
          cli::say(fmt::format("{}: {}", (*log)->where(finding.at), finding.what));
        });
  }
  if (!walked) return cli::fail(walked.error());
  for (std::size_t i = 1; i < sums.size(); ++i) sums[0].merge(sums[i]);
  cli::Output output;
  Printer printer(o, output.buffer());
  printer.names("topic", sums[0].topics);
  printer.names("key", sums[0].keys);
  printer.names("tag", sums[0].tags);
  printer.messages(sums[0].big);
  return finish({}, output, damaged ? cli::kExitData : cli::kExitOk);
}

}  // namespace

void add_top(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("top", "the biggest topics, keys, tags and messages", *o, [o] { return run(*o); });
  app->add_option("-c,--count", o->count, "so many of each")
      ->type_name("N")
      ->capture_default_str()
      ->check(cli::in_range(1, 10'000));
  app->add_option("--by", o->by, "bytes or messages")
      ->capture_default_str()
      ->check(cli::one_of({"bytes", "messages"}));
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump
