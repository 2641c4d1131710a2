// mqdump index: the entries of the index files.
#include <memory>

#include <fmt/format.h>

#include "cli/units.h"
#include "commands.h"
#include "inspect/store_files.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string key;  // TOPIC#KEY; "": all
};

int run(const Options& o) {
  auto files = inspect::list_index(fs::posix(), o.directory);
  if (!files) return cli::fail(files.error());
  std::int32_t hash = -1;
  if (!o.key.empty()) {
    const std::size_t split = o.key.find('#');
    if (split == std::string::npos) {
      cli::say(fmt::format("-k {}: expected TOPIC#KEY", o.key));
      return cli::kExitUsage;
    }
    hash = format::index_key_hash(o.key.substr(0, split), o.key.substr(split + 1));
  }
  cli::Output out;
  Result<void> written;
  int status = cli::kExitOk;
  const auto note = [&](const std::string& damage) {
    cli::say(damage);
    status = cli::kExitData;
  };
  for (const auto& file : *files) {
    const auto& h = file.header;
    if (!o.json && hash < 0 && file.damage.empty()) {
      fmt::format_to(std::back_inserter(out.buffer()),
                     "# {}: {} slots ({} used), {} of {} entries, {} to {}, {} to {}\n", file.path,
                     file.shape.slots, h.slot_count, h.index_count - 1, file.shape.entries - 1,
                     cli::format_time_ms(h.begin_timestamp_ms),
                     cli::format_time_ms(h.end_timestamp_ms), h.begin_offset.value(),
                     h.end_offset.value());
    }
    auto walked = inspect::walk_index(
        fs::posix(), file,
        [&](std::int32_t number, const format::IndexEntry& e) {
          if (hash >= 0 && e.key_hash != hash) return true;
          const std::int64_t time = h.begin_timestamp_ms + 1000LL * e.seconds;
          if (o.json) {
            fmt::format_to(
                std::back_inserter(out.buffer()),
                R"({{"entry":{},"keyHash":{},"physicalOffset":{},"seconds":{},"time":{},"previous":{}}})"
                "\n",
                number, e.key_hash, e.commitlog_offset.value(), e.seconds, time, e.previous);
          } else {
            fmt::format_to(std::back_inserter(out.buffer()), "{} hash {} at {} {} previous {}\n",
                           number, e.key_hash, e.commitlog_offset.value(),
                           cli::format_time_ms(time), e.previous);
          }
          written = out.settle();
          return written.has_value();
        },
        note);
    if (!walked) note(walked.error().text());
    if (!written) break;
  }
  return finish(written, out, status);
}

}  // namespace

void add_index(Commands& all) {
  auto o = std::make_shared<Options>();
  CLI::App* app = all.add("index", "the entries of the index files", *o, [o] { return run(*o); });
  app->add_option("-k,--key", o->key, "those of this key: TOPIC#KEY")->type_name("KEY");
}

}  // namespace mq::mqdump
