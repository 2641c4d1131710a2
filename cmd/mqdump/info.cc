// mqdump info: what a store is, at a glance.
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "commands.h"
#include "inspect/store_info.h"
#include "map.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

using inspect::FileSum;
using inspect::LogSum;

struct Options : StoreOptions, RunOptions {
  bool map = false;
  bool quick = false;
  int width = 0;
  std::size_t topics = 20;
};

// All that is to be said of a store.
struct Store {
  std::unique_ptr<inspect::LogReader> log;
  inspect::StoreState state;
  std::map<std::string, FileSum> files;
  inspect::Reach reach;
  std::vector<inspect::IndexInfo> index;
  std::optional<format::Checkpoint> checkpoint;
  std::vector<inspect::StateFile> state_files;
  LogSum sum;
};

std::string human(std::int64_t bytes) { return cli::human_bytes(static_cast<double>(bytes)); }

std::string state_text(const inspect::StoreState& s) {
  if (s.holder) return fmt::format("in use by process {}", *s.holder);
  return s.abort ? "not closed properly: abort is there, and no process on this machine holds it"
                 : "closed properly";
}
std::string_view state_name(const inspect::StoreState& s) {
  return s.holder ? "in use" : s.abort ? "crashed" : "clean";
}

// What stands in state files, by the members that say how much.
std::string state_file_text(const inspect::StateFile& file) {
  const auto value = parse_json(file.text);
  if (!value) return file.name + ": DAMAGED";
  std::string out = file.name;
  for (const char* table : {"topicConfigTable", "subscriptionGroupTable", "offsetTable"}) {
    const json::value* found = member(*value, table);
    if (found != nullptr && found->is_object())
      fmt::format_to(std::back_inserter(out), ", {} entries", found->get_object().size());
  }
  if (const json::value* version = member(*value, "dataVersion"))
    fmt::format_to(std::back_inserter(out), ", version {} of {}",
                   int_or(member(*version, "counter"), 0),
                   cli::format_time_ms(int_or(member(*version, "timestamp"), 0)));
  return out;
}

class Text {
 public:
  Text(const Options& o, const Store& s, std::string& out) : o_(o), s_(s), out_(out) {}

  void all() {
    line("store", o_.directory);
    line("state", state_text(s_.state));
    line("commit log",
         fmt::format("{} files of {}, offsets {} to {}", s_.log->files().size(),
                     s_.log->files().empty() ? "-" : human(s_.log->files().front().bytes),
                     s_.log->begin().value(), s_.sum.end.value()));
    if (o_.quick) {
      line("records", "not read (--quick): topics as their queues tell");
    } else {
      line("records",
           fmt::format("{} ({} bytes of bodies{})", s_.sum.records, s_.sum.body_bytes,
                       s_.sum.v2 > 0 ? fmt::format(", {} of layout V2", s_.sum.v2) : ""));
    }
    if (s_.sum.records > 0)
      line("stored",
           cli::format_time_ms(s_.sum.first_ms) + " to " + cli::format_time_ms(s_.sum.last_ms));
    for (const auto& [name, files] : s_.files) {
      line("files", fmt::format("{}: {} file{}, {}, {} on disk", safe(name), files.files,
                                files.files == 1 ? "" : "s", human(files.bytes),
                                human(files.allocated_bytes)));
    }
    line("consume queues", fmt::format("{}", queue_count(s_)));
    for (const auto& file : s_.index) {
      if (!file.damage.empty()) continue;
      line("index", fmt::format("{}: {} entries, {} slots", file.path, file.header.index_count - 1,
                                file.shape.slots));
    }
    checkpoint();
    for (const auto& file : s_.state_files) line("state file", state_file_text(file));
    topics();
  }
  static std::size_t queue_count(const Store& s) {
    std::size_t out = 0;
    for (const auto& [topic, queues] : s.reach.topics()) out += queues.size();
    return out;
  }

 private:
  void line(std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(out_), "{:<16}{}\n", name, value);
  }
  void checkpoint() {
    if (!s_.checkpoint) return;
    const auto time = [](std::int64_t ms) {
      return ms == 0 ? std::string("-") : cli::format_time_ms(ms);
    };
    line("checkpoint",
         fmt::format("log {}, queues {}, index {}", time(s_.checkpoint->physic_timestamp_ms),
                     time(s_.checkpoint->logics_timestamp_ms),
                     time(s_.checkpoint->index_timestamp_ms)));
  }
  void topics() {
    if (o_.quick) return quick_topics();
    for (const auto& [topic, sum] : s_.sum.topics) {
      fmt::format_to(std::back_inserter(out_), "topic {}: {} messages, {}\n", safe(topic),
                     sum.messages, human(sum.bytes));
      for (const auto& [id, range] : sum.queues) {
        fmt::format_to(std::back_inserter(out_), "  queue {}: {} to {}{}\n", id, range.min,
                       range.max, about_queue(topic, id, range));
      }
    }
  }
  // Where the queue's files say something else.
  [[nodiscard]] std::string about_queue(const std::string& topic, std::int32_t id,
                                        const inspect::QueueSum& range) const {
    const auto* files = s_.reach.bounds(topic, id);
    if (files == nullptr) return s_.reach.topics().empty() ? "" : " (no consume queue)";
    if (files->min == range.min && files->max == range.max) return "";
    if (files->max < range.max)
      return fmt::format(" (its files end at {}: {} not in the queue yet)", files->max,
                         range.max - files->max);
    return fmt::format(" (its files hold {} to {})", files->min, files->max);
  }
  void quick_topics() {
    for (const auto& [topic, queues] : s_.reach.topics()) {
      std::int64_t messages = 0;
      for (const auto& [id, q] : queues) messages += q.max - q.min;
      fmt::format_to(std::back_inserter(out_), "topic {}: {} entries\n", safe(topic), messages);
      for (const auto& [id, q] : queues)
        fmt::format_to(std::back_inserter(out_), "  queue {}: {} to {}\n", id, q.min, q.max);
    }
  }

  const Options& o_;
  const Store& s_;
  std::string& out_;
};

json::object topics_json(const Options& o, const Store& s) {
  json::object topics;
  if (o.quick) {
    for (const auto& [topic, queues] : s.reach.topics()) {
      json::object ranges;
      std::int64_t messages = 0;
      for (const auto& [id, q] : queues) {
        ranges[std::to_string(id)] = json::array{q.min, q.max};
        messages += q.max - q.min;
      }
      topics[topic] = json::object{{"messages", messages}, {"queues", std::move(ranges)}};
    }
    return topics;
  }
  for (const auto& [topic, sum] : s.sum.topics) {
    json::object ranges;
    for (const auto& [id, q] : sum.queues) ranges[std::to_string(id)] = json::array{q.min, q.max};
    topics[topic] = json::object{
        {"messages", sum.messages}, {"bytes", sum.bytes}, {"queues", std::move(ranges)}};
  }
  return topics;
}

void print_json(const Options& o, const Store& s, std::string& out) {
  json::object files;
  for (const auto& [name, sum] : s.files)
    files[name] = json::object{
        {"files", sum.files}, {"bytes", sum.bytes}, {"diskBytes", sum.allocated_bytes}};
  json::object all{{"store", o.directory},
                   {"state", state_name(s.state)},
                   {"clean", !s.state.abort},
                   {"files", std::move(files)},
                   {"commitLogFiles", s.log->files().size()},
                   {"commitLogBegin", s.log->begin().value()},
                   {"commitLogEnd", s.sum.end.value()},
                   {"consumeQueues", Text::queue_count(s)},
                   {"indexFiles", s.index.size()},
                   {"topics", topics_json(o, s)}};
  if (s.state.holder) all["holder"] = *s.state.holder;
  if (!o.quick) {
    all["records"] = s.sum.records;
    all["recordsV2"] = s.sum.v2;
    all["recordBytes"] = s.sum.bytes;
    all["bodyBytes"] = s.sum.body_bytes;
    all["firstStoreTime"] = s.sum.first_ms;
    all["lastStoreTime"] = s.sum.last_ms;
    all["damage"] = s.sum.damages;
    json::object space;
    for (std::size_t i = 0; i < inspect::kSpaceKinds; ++i) {
      const auto kind = static_cast<inspect::SpaceKind>(i);
      space[inspect::name_of(kind)] = s.sum.map.row(kind).bytes;
    }
    all["space"] = std::move(space);
  }
  out += to_json(all);
  out += '\n';
}

// The records' part; --quick takes the end from the queues.
Result<void> read_log(const Options& o, Store& s, std::size_t columns) {
  if (o.quick) {
    s.sum.end = std::max(s.log->begin(), s.reach.dispatched());
    return {};
  }
  std::int64_t total = 0;
  for (const auto& file : s.log->files()) {
    const auto stat = fs::posix().stat(file.path);
    total += stat ? std::min(stat->bytes, stat->allocated_bytes) : 0;
  }
  Watch progress({.asked = o.progress, .quiet = *o.quiet, .bytes_total = total});
  MQ_TRY(s.sum,
         inspect::sum_log(
             fs::posix(), o.directory, s.reach,
             {.jobs = o.jobs, .bytes_done = &progress.bytes, .records_done = &progress.count},
             columns, [] { return cli::stop_signal() == 0; }));
  return {};
}

Result<Store> read_store(const Options& o, std::size_t columns) {
  Store s;
  s.state = inspect::read_state(fs::posix(), o.directory);
  if (s.state.rocksdb)
    return Error{Errc::kUnsupported,
                 o.directory + ": its queues are in RocksDB, which is not read here"};
  MQ_TRY(s.log,
         inspect::LogReader::open(fs::posix(), o.directory, inspect::LogReader::Cache::kDrop));
  MQ_TRY(s.files, inspect::sum_files(fs::posix(), o.directory));
  MQ_TRY(s.reach, inspect::Reach::read(fs::posix(), o.directory));
  MQ_TRY(s.index, inspect::list_index(fs::posix(), o.directory));
  MQ_TRY(s.state_files, inspect::read_state_files(fs::posix(), o.directory));
  if (const auto c = inspect::read_checkpoint(fs::posix(), o.directory)) s.checkpoint = *c;
  MQ_CHECK(read_log(o, s, columns));
  return s;
}

int run(const Options& o) {
  const int width = o.width > 0 ? o.width : terminal_columns(100);
  const auto columns =
      static_cast<std::size_t>(std::max(10, width - kMapLabelColumns - kMapTotalColumns));
  auto store = read_store(o, columns);
  if (!store) return cli::fail(store.error());
  cli::Output out;
  if (o.map && o.json) {
    append_map_json(out.buffer(), store->sum.map, store->log->files());
  } else if (o.map) {
    append_map(out.buffer(), store->sum.map, store->log->files(),
               {.blocks = wants_blocks(), .colour = wants_colour(), .topics = o.topics});
  } else if (o.json) {
    print_json(o, *store, out.buffer());
  } else {
    Text(o, *store, out.buffer()).all();
  }
  int status = cli::kExitOk;
  const auto damage = [&](const std::string& what) {
    cli::say(what);
    status = cli::kExitData;
  };
  for (const auto& f : store->sum.damage)
    damage(fmt::format("{}: {}", store->log->where(f.at), f.what));
  if (store->sum.damages > static_cast<std::int64_t>(store->sum.damage.size()))
    damage(fmt::format("{} damaged places in all", store->sum.damages));
  for (const auto& file : store->index)
    if (!file.damage.empty()) damage(file.damage);
  return finish({}, out, status);
}

}  // namespace

void add_info(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("info", "what it is: files, sizes, offsets, topics, times, clean or crashed", *o,
              [o] { return run(*o); });
  cli::Option* map = app->add_flag("--map", o->map, "draw whose bytes lie where in the log");
  app->add_flag("--quick", o->quick, "do not read the records: files, queues and headers alone")
      ->excludes(map);
  app->add_option("--width", o->width, "with --map: columns, instead of the terminal's")
      ->type_name("N")
      ->check(cli::in_range(20, 1000));
  app->add_option("--topics", o->topics, "with --map: so many topics have a line of their own")
      ->type_name("N")
      ->capture_default_str();
  add_run_options(*app, *o);
}

}  // namespace mq::mqdump
