// mqdump copy: a store elsewhere, also while a broker works on it.
#include <memory>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/units.h"
#include "commands.h"
#include "inspect/copy_store.h"
#include "inspect/store_info.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions, RunOptions {
  std::string destination;
};

int run(const Options& o) {
  std::int64_t total = 0;
  if (const auto files = inspect::sum_files(fs::posix(), o.directory)) {
    for (const auto& [name, sum] : *files) total += std::min(sum.bytes, sum.allocated_bytes);
  }
  Result<inspect::CopyResult> copied = inspect::CopyResult{};
  {
    Watch progress({.asked = o.progress, .quiet = *o.quiet, .bytes_total = total, .unit = "files"});
    copied = inspect::copy_store(fs::posix(), o.directory, o.destination,
                                 {.clock = system_clock(),
                                  .bytes_done = &progress.bytes,
                                  .files_done = &progress.count,
                                  .goes_on = [] { return cli::stop_signal() == 0; },
                                  .note = [](const std::string& text) { cli::say(text); }});
  }
  if (!copied && cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
  if (!copied) return cli::fail(copied.error());
  cli::Output out;
  if (o.json) {
    fmt::format_to(std::back_inserter(out.buffer()),
                   R"({{"live":{},"begin":{},"end":{},"files":{},"bytes":{}}})"
                   "\n",
                   copied->live, copied->begin.value(), copied->end.value(), copied->files,
                   copied->bytes);
  } else if (!*o.quiet) {
    cli::say(fmt::format(
        "{}: {} files, {}{}", o.destination, copied->files,
        cli::human_bytes(static_cast<double>(copied->bytes)),
        copied->live ? fmt::format(", of a store in use up to offset {}", copied->end.value())
                     : ""));
  }
  return finish({}, out);
}

}  // namespace

void add_copy(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app = all.add("copy", "a copy that a broker can open, also of a store in use", *o,
                              [o] { return run(*o); });
  app->add_option("destination", o->destination, "where to; must not exist, or be empty")
      ->type_name("DEST")
      ->required();
  add_run_options(*app, *o, false);
}

}  // namespace mq::mqdump
