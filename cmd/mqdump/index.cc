// mqdump index: the entries of the index files.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "commands.h"
#include "format/index_file.h"
#include "inspect/index_lookup.h"
#include "inspect/store_files.h"
#include "listing.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string key;  // TOPIC#KEY; "": all
  std::string format;
  std::int64_t count = -1;
};

constexpr std::string_view kLetters = "fnshPTdv";
constexpr const char* kLettersText =
    "%f file %n entry %s slot %h key hash %P physical offset %T time %d seconds %v previous";

class IndexCommand final : public Listing {
 public:
  IndexCommand(const Options& o, LineFormat format) : Listing(std::move(format), o.count), o_(o) {}

  void head(const inspect::IndexInfo& file) {
    if (o_.json || !o_.format.empty() || !o_.key.empty() || !file.damage.empty()) return;
    const auto& h = file.header;
    fmt::format_to(std::back_inserter(out_.buffer()),
                   "# {}: {} slots ({} used), {} of {} entries, {} to {}, {} to {}\n", file.path,
                   file.shape.slots, h.slot_count, h.index_count - 1, file.shape.entries - 1,
                   cli::format_time_ms(h.begin_timestamp_ms),
                   cli::format_time_ms(h.end_timestamp_ms), h.begin_offset.value(),
                   h.end_offset.value());
  }

  // False when nobody wants more.
  bool entry(const inspect::IndexInfo& file, std::int32_t number, const format::IndexEntry& e) {
    std::string& out = out_.buffer();
    const std::int64_t time = format::index_time_ms(file.header.begin_timestamp_ms, e.seconds);
    if (!o_.format.empty()) {
      format_.append(out, [&](char letter, std::string& to) {
        if (letter == 'f') {
          to += file.path;
        } else {
          to += std::to_string(field(letter, file, number, e, time));
        }
      });
    } else if (o_.json) {
      out += R"({"file":)";
      append_json_string(out, file.path.substr(file.path.rfind('/') + 1));
      fmt::format_to(
          std::back_inserter(out),
          R"(,"entry":{},"slot":{},"keyHash":{},"physicalOffset":{},"seconds":{},"time":{},"previous":{}}})"
          "\n",
          number, e.key_hash % file.shape.slots, e.key_hash, e.commitlog_offset.value(), e.seconds,
          time, e.previous);
    } else {
      fmt::format_to(std::back_inserter(out), "{} hash {} at {} {} previous {}\n", number,
                     e.key_hash, e.commitlog_offset.value(), cli::format_time_ms(time), e.previous);
    }
    return entry_done();
  }
  int end() {
    if (number_ == 0 && !o_.key.empty() && status_ == cli::kExitOk) {
      cli::say("no entry of " + o_.key);
      status_ = cli::kExitNo;
    }
    return Listing::end();
  }

 private:
  static std::int64_t field(char letter, const inspect::IndexInfo& file, std::int32_t number,
                            const format::IndexEntry& e, std::int64_t time) {
    switch (letter) {
      case 'n':
        return number;
      case 's':
        return e.key_hash % file.shape.slots;
      case 'h':
        return e.key_hash;
      case 'P':
        return e.commitlog_offset.value();
      case 'T':
        return time;
      case 'd':
        return e.seconds;
      default:
        return e.previous;
    }
  }

  const Options& o_;
};

int run(const Options& o) {
  cli::catch_signals();
  auto format = LineFormat::compile(o.format, kLetters);
  if (!format) return cli::fail(format.error());
  const std::size_t split = o.key.find('#');
  if (!o.key.empty() && split == std::string::npos) {
    cli::say(fmt::format("-k {}: expected TOPIC#KEY", o.key));
    return cli::kExitUsage;
  }
  if (auto there = fs::posix().stat(o.directory); !there) return cli::fail(there.error());
  auto files = inspect::list_index(fs::posix(), o.directory);
  if (!files) return cli::fail(files.error());
  IndexCommand command(o, *std::move(format));
  const auto note = [&](const std::string& what) { command.damage(what); };
  for (const auto& file : *files) {
    if (!command.wants_more()) break;
    command.head(file);
    const auto walked =
        o.key.empty() ? inspect::walk_index(
                            fs::posix(), file,
                            [&](std::int32_t number, const format::IndexEntry& e) {
                              return command.entry(file, number, e);
                            },
                            note)
                      : inspect::find_in_index(
                            fs::posix(), file,
                            format::index_key_hash(o.key.substr(0, split), o.key.substr(split + 1)),
                            [&](const inspect::IndexHit& hit) {
                              return command.entry(file, hit.number, hit.entry);
                            },
                            note);
    if (!walked) note(walked.error().text());
  }
  return command.end();
}

}  // namespace

void add_index(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("index", "the entries of the index files", *o, [o] { return run(*o); });
  app->add_option("-k,--key", o->key, "those of this key: TOPIC#KEY")->type_name("KEY");
  app->add_option("-F,--format", o->format, kLettersText)->type_name("FMT");
  app->add_option("-c,--count", o->count, "stop after N entries")
      ->type_name("N")
      ->check(cli::is_positive());
}

}  // namespace mq::mqdump
