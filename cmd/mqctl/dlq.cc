// mqctl dlq list|show|resend|drain: what groups gave up on.
#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/inflate.h"
#include "cli/message_format.h"
#include "cli/message_json.h"
#include "client/dead_letters.h"
#include "format/message_id.h"
#include "format/properties.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

constexpr const char* kLine =
    R"(%b/%p/%o %T{strftime:%F %T} %H{RETRY_TOPIC} id=%i keys=%k tag=%g %s\n)";

struct Options {
  std::string group;
  std::vector<std::string> ids;  // resend: these alone
  std::string to;                // resend: this topic
  std::string format;
  std::int64_t count = -1;
  bool all = false;  // those that have been seen to, too
};

class Dlq {
 public:
  explicit Dlq(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> list() {
    struct Sum {
      std::int64_t kept = 0, open = 0;
    };
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(const auto queues, client::dead_queues(*cluster, o.group));
    std::map<std::string, Sum> groups;
    for (const client::DeadQueue& queue : queues) {
      Sum& sum = groups[queue.group];
      sum.kept += queue.end - queue.begin;
      sum.open += queue.open();
    }
    for (const auto& [group, sum] : groups) {
      if (sum.open == 0 && !o.all) continue;
      tool_.print(tool_.json() ? to_json(json::object{
                                     {"group", group}, {"open", sum.open}, {"kept", sum.kept}})
                               : fmt::format("{} open={} kept={}", group, sum.open, sum.kept));
    }
    return cli::kExitOk;
  }

  Result<int> show() {
    MQ_CHECK(prepare());
    std::int64_t shown = 0;
    for (const client::DeadQueue& queue : queues_) {
      const auto visit = [&](const format::Record& record, Bytes) -> Result<bool> {
        if (o.count >= 0 && shown >= o.count) return false;
        MQ_CHECK(print(queue, record, ++shown));
        return true;
      };
      MQ_CHECK(
          client::each_dead_letter(*cluster_, queue, o.all ? queue.begin : queue.settled, visit));
    }
    return shown > 0 ? cli::kExitOk : cli::kExitNo;
  }

  // Shows what is open and counts it as seen to, as soon as it is written.
  Result<int> drain() {
    MQ_CHECK(prepare());
    std::int64_t shown = 0;
    for (const client::DeadQueue& queue : queues_) {
      std::int64_t done = queue.settled;
      const auto visit = [&](const format::Record& record, Bytes) -> Result<bool> {
        if (o.count >= 0 && shown >= o.count) return false;
        MQ_CHECK(print(queue, record, ++shown));
        done = record.queue_offset.value() + 1;
        return true;
      };
      MQ_CHECK(client::each_dead_letter(*cluster_, queue, queue.settled, visit));
      MQ_CHECK(tool_.flush());
      if (!tool_.is_dry() && done > queue.settled) MQ_CHECK(client::settle(*cluster_, queue, done));
    }
    return shown > 0 ? cli::kExitOk : cli::kExitNo;
  }

  // All that is open, each counted as seen to once it is acknowledged; or those of --id, wherever
  // they are.
  Result<int> resend() {
    MQ_CHECK(prepare());
    std::int64_t sent = 0;
    std::vector<std::string> missing = o.ids;
    for (const client::DeadQueue& queue : queues_) {
      const auto visit = [&](const format::Record& record, Bytes) -> Result<bool> {
        if (o.count >= 0 && sent >= o.count) return false;
        if (!o.ids.empty() && !is_one_of(record, missing)) return true;
        MQ_CHECK(resend_one(queue, record));
        ++sent;
        return true;
      };
      MQ_CHECK(client::each_dead_letter(*cluster_, queue,
                                        o.ids.empty() ? queue.settled : queue.begin, visit));
    }
    for (const std::string& id : missing)
      cli::say(fmt::format("group '{}' has no dead letter {}", o.group, id));
    if (!tool_.common().quiet) {
      cli::say(fmt::format("{} {}", sent, tool_.is_dry() ? "would be sent again" : "sent again"));
    }
    return sent > 0 && missing.empty() ? cli::kExitOk : cli::kExitNo;
  }

 private:
  Result<void> prepare() {
    MQ_TRY(cluster_, tool_.cluster());
    MQ_TRY(queues_, client::dead_queues(*cluster_, o.group));
    MQ_TRY(format_, cli::MessageFormat::compile(o.format.empty() ? kLine : o.format));
    if (queues_.empty())
      return Error{Errc::kNotFound, fmt::format("group '{}' has no dead letters", o.group)};
    return {};
  }

  Result<void> print(const client::DeadQueue& queue, const format::Record& record,
                     std::int64_t number) {
    auto body = cli::message_body(record, inflated_);
    if (!body) {
      return std::move(body).error().within(
          fmt::format("{}/{}/{}", queue.broker.name, queue.queue, record.queue_offset.value()));
    }
    std::string line;
    const cli::Message message{
        .record = &record, .body = *body, .broker = queue.broker.name, .number = number};
    if (tool_.json()) {
      cli::append_message_json(line, message, {});
      line += '\n';
    } else {
      format_->append(line, message);
    }
    return tool_.write(line);
  }

  // Takes the id off the list when it is there.
  static bool is_one_of(const format::Record& record, std::vector<std::string>& ids) {
    std::string offset_id;
    format::append_offset_message_id(offset_id, record.store_host, record.physical_offset);
    const auto unique = format::find_property(record.properties, format::kUniqKey).value_or("");
    const auto at = std::find_if(ids.begin(), ids.end(), [&](const std::string& id) {
      return id == offset_id || id == unique;
    });
    if (at == ids.end()) return false;
    ids.erase(at);
    return true;
  }

  Result<void> resend_one(const client::DeadQueue& queue, const format::Record& record) {
    const std::string from =
        fmt::format("{}/{}/{}", queue.broker.name, queue.queue, record.queue_offset.value());
    const auto origin = format::find_property(record.properties, format::kRetryTopic);
    const std::string to =
        o.to.empty() ? fmt::format("group {} (topic {})", o.group, origin.value_or("?")) : o.to;
    if (!tool_.is_real(from, "dead letter", to)) return {};
    auto done = client::resend(*cluster_, queue, record, o.to);
    if (!done) return std::move(done).error().within(from);
    if (!o.ids.empty()) return {};
    return client::settle(*cluster_, queue, record.queue_offset.value() + 1);
  }

  Tool& tool_;
  client::Cluster* cluster_ = nullptr;
  std::vector<client::DeadQueue> queues_;
  std::optional<cli::MessageFormat> format_;
  std::string inflated_;
};

}  // namespace

void add_dlq(Tool& tool) {
  auto dlq = std::make_shared<Dlq>(tool);
  cli::Command* noun = tool.noun("dlq", "dead letters: what groups gave up on");
  const auto verb = [&](const char* name, const char* what, Result<int> (Dlq::*work)()) {
    return tool.verb(noun, name, what, [dlq, work] { return ((*dlq).*work)(); });
  };
  const auto named = [&](cli::Command* command) {
    return command->add_option("group", dlq->o.group, "name of the group")->type_name("GROUP");
  };
  const auto add_count = [&](cli::Command* command) {
    command->add_option("-c,--count", dlq->o.count, "N of them at most")
        ->type_name("N")
        ->check(cli::at_least(1));
  };
  const auto add_form = [&](cli::Command* command) {
    tool.add_json(command);
    command->add_option("-F,--format", dlq->o.format, "as of mqrecv")->type_name("FMT");
    add_count(command);
  };
  cli::Command* list = verb("list", "groups that have some, and how many", &Dlq::list);
  named(list);
  list->add_flag("--all", dlq->o.all, "groups whose dead letters have been seen to, too");
  tool.add_json(list);
  cli::Command* show = verb("show", "those that nobody has seen to", &Dlq::show);
  named(show)->required();
  show->add_flag("--all", dlq->o.all, "the others, too");
  add_form(show);
  cli::Command* resend = verb("resend", "give them to the group again", &Dlq::resend);
  named(resend)->required();
  resend->add_option("--id", dlq->o.ids, "this one, seen to or not; repeatable")
      ->type_name("MSGID")
      ->allow_extra_args(false);
  resend->add_option("--to", dlq->o.to, "send them to this topic instead")->type_name("TOPIC");
  add_count(resend);
  tool.add_dry_run(resend);
  cli::Command* drain = verb("drain", "show them and count them as seen to", &Dlq::drain);
  named(drain)->required();
  add_form(drain);
  tool.add_dry_run(drain);
}

}  // namespace mq::mqctl
