// mqdump cq: the entries of consume queues.
#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "inspect/store_files.h"
#include "listing.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string topic;  // or TOPIC/QUEUE
  std::string format;
  std::int64_t count = -1;
};

constexpr std::string_view kLetters = "tpoPSg";
constexpr const char* kLettersText =
    "%t topic %p queue %o offset %P physical offset %S size %g tag code";

class QueueCommand final : public Listing {
 public:
  QueueCommand(const Options& o, LineFormat format) : Listing(std::move(format), o.count), o_(o) {}

  // False when nobody wants more.
  bool entry(const inspect::QueueDirectory& q, std::int64_t offset,
             const format::ConsumeQueueEntry& e) {
    std::string& out = out_.buffer();
    if (o_.json) {
      out += R"({"topic":)";  // a directory may have any name
      append_json_string(out, q.topic);
      fmt::format_to(
          std::back_inserter(out),
          R"(,"queue":{},"offset":{},"physicalOffset":{},"size":{},"tagCode":{},"filler":{}}})"
          "\n",
          q.queue, offset, e.commitlog_offset.value(), e.record_bytes, e.tag_code, e.is_filler());
    } else if (!o_.format.empty()) {
      format_.append(out, [&](char letter, std::string& to) { field(letter, to, q, offset, e); });
    } else {
      fmt::format_to(std::back_inserter(out), "{}/{}/{} at {} size {} tag {}{}\n", safe(q.topic),
                     q.queue, offset, e.commitlog_offset.value(), e.record_bytes, e.tag_code,
                     e.is_filler() ? " filler" : "");
    }
    return entry_done();
  }

  Result<void> walk(const inspect::QueueDirectory& q) {
    return inspect::walk_queue(
        fs::posix(), q,
        [&](std::int64_t offset, const format::ConsumeQueueEntry& e) {
          return entry(q, offset, e);
        },
        [&](const std::string& what) { damage(what); });
  }

 private:
  static void field(char letter, std::string& out, const inspect::QueueDirectory& q,
                    std::int64_t offset, const format::ConsumeQueueEntry& e) {
    if (letter == 't') {
      out += q.topic;
      return;
    }
    const std::int64_t value = letter == 'p'   ? q.queue
                               : letter == 'o' ? offset
                               : letter == 'P' ? e.commitlog_offset.value()
                               : letter == 'S' ? e.record_bytes
                                               : e.tag_code;
    out += std::to_string(value);
  }

  const Options& o_;
};

// TOPIC or TOPIC/QUEUE; a topic has no slash.
Result<std::optional<std::int32_t>> queue_of(const std::string& text, std::size_t slash) {
  if (slash == std::string::npos) return std::optional<std::int32_t>();
  std::int32_t number = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, number);
  if (error != std::errc{} || stop != end || number < 0)
    return Error{Errc::kInvalid, fmt::format("'{}' is not TOPIC or TOPIC/QUEUE", text)};
  return std::optional(number);
}

int run(const Options& o) {
  cli::catch_signals();
  const std::size_t slash = o.topic.rfind('/');
  const std::string topic = o.topic.substr(0, slash);
  auto wanted = queue_of(o.topic, slash);
  if (!wanted) return cli::fail(wanted.error());
  auto format = LineFormat::compile(o.format, kLetters);
  if (!format) return cli::fail(format.error());
  if (auto there = fs::posix().stat(o.directory); !there) return cli::fail(there.error());
  auto queues = inspect::list_queues(fs::posix(), o.directory);
  if (!queues) return cli::fail(queues.error());
  QueueCommand command(o, *std::move(format));
  bool found = false;
  for (const auto& q : *queues) {
    if (q.topic != topic || (*wanted && q.queue != **wanted)) continue;
    found = true;
    if (!command.wants_more()) break;
    if (auto walked = command.walk(q); !walked) return cli::fail(walked.error());
  }
  if (!found) {
    cli::say(fmt::format("no consume queue {} in {}", o.topic, o.directory));
    return cli::kExitNoInput;
  }
  return command.end();
}

}  // namespace

void add_queue(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("cq", "the entries of a topic's consume queues", *o, [o] { return run(*o); });
  app->add_option("topic", o->topic, "topic, or topic/queue")
      ->type_name("TOPIC[/QUEUE]")
      ->required();
  app->add_option("-F,--format", o->format, kLettersText)->type_name("FMT");
  app->add_option("-c,--count", o->count, "stop after N entries")
      ->type_name("N")
      ->check(cli::is_positive());
}

}  // namespace mq::mqdump
