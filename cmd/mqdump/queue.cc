// mqdump cq: the entries of consume queues.
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "inspect/store_files.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string topic;  // or TOPIC/QUEUE
};

int run(const Options& o) {
  const std::size_t slash = o.topic.rfind('/');
  const std::string topic = o.topic.substr(0, slash);
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
        (slash != std::string::npos && std::to_string(q.queue) != o.topic.substr(slash + 1)))
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
    cli::say(fmt::format("no consume queue {} in {}", o.topic, o.directory));
    return cli::kExitNo;
  }
  return finish(written, out, status);
}

}  // namespace

void add_queue(Commands& all) {
  auto o = std::make_shared<Options>();
  CLI::App* app =
      all.add("cq", "the entries of a topic's consume queues", *o, [o] { return run(*o); });
  app->add_option("topic", o->topic, "topic, or topic/queue")
      ->type_name("TOPIC[/QUEUE]")
      ->required();
}

}  // namespace mq::mqdump
