// mqdump checkpoint: up to when each kind of file is on disk.
#include <array>
#include <memory>

#include <fmt/format.h>

#include "cli/units.h"
#include "commands.h"
#include "inspect/store_files.h"
#include "line_format.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string format;
};

struct Line {
  std::string_view name;
  std::int64_t value;
  bool time;
  std::string_view meaning;
};

int run(const Options& o) {
  auto format = LineFormat::compile(o.format, "kvm");
  if (!format) return cli::fail(format.error());
  auto c = inspect::read_checkpoint(fs::posix(), o.directory);
  if (!c) return cli::fail(c.error());
  const std::array lines = {
      Line{"physicMsgTimestamp", c->physic_timestamp_ms, true,
           "commit log on disk up to records stored then"},
      Line{"logicsMsgTimestamp", c->logics_timestamp_ms, true, "consume queues likewise"},
      Line{"indexMsgTimestamp", c->index_timestamp_ms, true,
           "end of the last full index file on disk"},
      Line{"masterFlushedOffset", c->master_flushed_offset.value(), false, "replication"},
      Line{"confirmPhyOffset", c->confirm_offset.value(), false, "replication"}};
  cli::Output output;
  std::string& out = output.buffer();
  for (const Line& line : lines) {
    if (!o.format.empty()) {
      format->append(out, [&](char letter, std::string& to) {
        to += letter == 'k'   ? std::string(line.name)
              : letter == 'v' ? std::to_string(line.value)
                              : std::string(line.meaning);
      });
    } else if (o.json) {
      fmt::format_to(std::back_inserter(out), "{}\"{}\":{}", out.empty() ? "{" : ",", line.name,
                     line.value);
    } else {
      fmt::format_to(std::back_inserter(out), "{:<22}{}{}  {}\n", line.name, line.value,
                     !line.time        ? ""
                     : line.value == 0 ? " -"
                                       : " " + cli::format_time_ms(line.value),
                     line.meaning);
    }
  }
  if (o.json && o.format.empty()) out += "}\n";
  return finish({}, output);
}

}  // namespace

void add_checkpoint(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app = all.add("checkpoint", "the checkpoint file", *o, [o] { return run(*o); });
  app->add_option("-F,--format", o->format, "a line a field: %k name %v value %m meaning")
      ->type_name("FMT");
}

}  // namespace mq::mqdump
