// mqdump cq, index, checkpoint, config: the files around the log, a line an entry.
#include <csignal>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/output.h"
#include "cli/units.h"
#include "inspect/store_files.h"
#include "options.h"

namespace mq::mqdump {
namespace {

int end_with(const Result<void>& done, cli::Output& output, int status = cli::kExitOk) {
  Result<void> all = done ? output.close() : done;
  if (!all && all.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  return all ? status : cli::fail(all.error());
}

}  // namespace

int queue(const Options& o) {
  const std::size_t slash = o.argument.rfind('/');
  const std::string topic = o.argument.substr(0, slash);
  auto queues = inspect::list_queues(fs::posix(), o.directory);
  if (!queues) return cli::fail(queues.error());
  cli::Output out;
  bool found = false;
  int status = cli::kExitOk;
  const auto note = [&](const std::string& damage) {
    cli::say(damage);
    status = cli::kExitData;
  };
  Result<void> written;
  for (const auto& q : *queues) {
    if (q.topic != topic ||
        (slash != std::string::npos && std::to_string(q.queue) != o.argument.substr(slash + 1)))
      continue;
    found = true;
    auto walked = inspect::walk_queue(
        fs::posix(), q,
        [&](std::int64_t number, const format::ConsumeQueueEntry& e) {
          if (o.json) {
            // A directory may have any name.
            out.buffer() += R"({"topic":)";
            append_json_string(out.buffer(), q.topic);
            fmt::format_to(
                std::back_inserter(out.buffer()),
                R"(,"queue":{},"offset":{},"physicalOffset":{},"size":{},"tagCode":{},"filler":{}}})"
                "\n",
                q.queue, number, e.commitlog_offset.value(), e.record_bytes, e.tag_code,
                e.is_filler());
          } else {
            fmt::format_to(std::back_inserter(out.buffer()), "{}/{}/{} at {} size {} tag {}{}\n",
                           q.topic, q.queue, number, e.commitlog_offset.value(), e.record_bytes,
                           e.tag_code, e.is_filler() ? " filler" : "");
          }
          written = out.settle();
          return written.has_value();
        },
        note);
    if (!walked) return cli::fail(walked.error());
    if (!written) break;
  }
  if (!found) {
    cli::say(fmt::format("no consume queue {} in {}", o.argument, o.directory));
    return cli::kExitNo;
  }
  return end_with(written, out, status);
}

int index(const Options& o) {
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
  return end_with(written, out, status);
}

int checkpoint(const Options& o) {
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
  return end_with({}, out);
}

int config(const Options& o) {
  auto files = inspect::read_state_files(fs::posix(), o.directory);
  if (!files) return cli::fail(files.error());
  cli::Output out;
  int status = cli::kExitOk;
  for (const auto& file : *files) {
    auto value = parse_json(file.text);
    if (!value) {
      cli::say(fmt::format("{}/config/{}: {}", o.directory, file.name, value.error().text()));
      status = cli::kExitData;
      continue;
    }
    if (o.json) {
      out.buffer() += R"({"file":)";
      append_json_string(out.buffer(), file.name);
      out.buffer() += R"(,"content":)" + to_json(*value) + "}\n";
    } else {
      fmt::format_to(std::back_inserter(out.buffer()), "# {}\n{}\n", file.name,
                     to_pretty_json(*value));
    }
  }
  return end_with({}, out, status);
}

}  // namespace mq::mqdump
