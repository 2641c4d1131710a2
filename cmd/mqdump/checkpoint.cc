// mqdump checkpoint: up to when each kind of file is on disk.
#include <memory>

#include <fmt/format.h>

#include "cli/units.h"
#include "commands.h"
#include "inspect/store_files.h"

namespace mq::mqdump {
namespace {

int run(const StoreOptions& o) {
  auto c = inspect::read_checkpoint(fs::posix(), o.directory);
  if (!c) return cli::fail(c.error());
  cli::Output out;
  if (o.json) {
    fmt::format_to(
        std::back_inserter(out.buffer()),
        R"({{"physicMsgTimestamp":{},"logicsMsgTimestamp":{},"indexMsgTimestamp":{},"masterFlushedOffset":{},"confirmPhyOffset":{}}})"
        "\n",
        c->physic_timestamp_ms, c->logics_timestamp_ms, c->index_timestamp_ms,
        c->master_flushed_offset.value(), c->confirm_offset.value());
  } else {
    const auto line = [&](const char* name, std::int64_t ms, const char* meaning) {
      fmt::format_to(std::back_inserter(out.buffer()), "{:<22}{} {}  {}\n", name, ms,
                     ms == 0 ? "-" : cli::format_time_ms(ms), meaning);
    };
    line("physicMsgTimestamp", c->physic_timestamp_ms,
         "commit log on disk up to records stored then");
    line("logicsMsgTimestamp", c->logics_timestamp_ms, "consume queues likewise");
    line("indexMsgTimestamp", c->index_timestamp_ms, "end of the last full index file on disk");
    fmt::format_to(std::back_inserter(out.buffer()),
                   "masterFlushedOffset   {}\nconfirmPhyOffset      {}\n",
                   c->master_flushed_offset.value(), c->confirm_offset.value());
  }
  return finish({}, out);
}

}  // namespace

void add_checkpoint(Commands& all) {
  auto o = std::make_shared<StoreOptions>();
  all.add("checkpoint", "the checkpoint file", *o, [o] { return run(*o); });
}

}  // namespace mq::mqdump
