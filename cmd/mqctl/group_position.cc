// mqctl group reset|skip|clone: where a group goes on.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/units.h"
#include "client/admin.h"
#include "client/groups.h"
#include "format/names.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

struct Options {
  std::string group;
  std::string to_group;  // clone
  std::string topic;
  std::string where = "last";  // reset: first, last, an offset or a time
  int queue = -1;
};

// What a queue is to be moved from and to.
struct Move {
  client::BrokerAt broker;
  wire::MessageQueue queue;
  std::optional<std::int64_t> from;
  std::int64_t to = 0;
};

// "41": an offset; nothing for all else.
std::optional<std::int64_t> as_offset(const std::string& text) {
  std::int64_t out = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || at != end || out < 0) return std::nullopt;
  return out;
}

class GroupPosition {
 public:
  explicit GroupPosition(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> reset() {
    MQ_TRY(const auto moves, moves_to(o.where, {o.topic}));
    return make(moves);
  }

  // To the end, of one topic or of all that the group consumes.
  Result<int> skip() {
    std::set<std::string> topics;
    if (o.topic.empty()) {
      MQ_TRY(client::Cluster* const cluster, tool_.cluster());
      MQ_TRY(const auto progress, client::group_progress(*cluster, o.group));
      for (const auto& [queue, at] : progress.queues) topics.insert(queue.topic);
      if (topics.empty()) return unknown(o.group);
    } else {
      topics.insert(o.topic);
    }
    MQ_TRY(const auto moves, moves_to("last", {topics.begin(), topics.end()}));
    return make(moves);
  }

  Result<int> clone() {
    std::vector<Move> moves;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto source, client::consume_stats(rpc, o.group, o.topic));
      MQ_TRY(const auto connections, client::consumer_connections(rpc, o.to_group));
      if (connections) {
        return Error{
            Errc::kBusy,
            fmt::format("group '{}' has members on line, which commit where they are", o.to_group)};
      }
      for (const auto& [queue, at] : source.queues) {
        if (queue.topic.starts_with(format::kRetryPrefix)) continue;  // that is the group's own
        MQ_TRY(const auto old,
               client::committed_offset(rpc, o.to_group, queue.topic, queue.queue_id));
        moves.push_back({b, queue, old, at.consumer_offset});
      }
      return {};
    }));
    if (moves.empty()) return unknown(o.group);
    MQ_TRY(const bool agreed, may_move(o.to_group, moves));
    if (!agreed) return tool_.is_dry() ? cli::kExitOk : cli::kExitNo;
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const Move& move : moves) {
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(move.broker));
      MQ_CHECK(client::commit_offset(*rpc, {.group = o.to_group,
                                            .topic = move.queue.topic,
                                            .queue_id = move.queue.queue_id,
                                            .offset = move.to}));
    }
    return cli::kExitOk;
  }

 private:
  static Result<int> unknown(const std::string& group) {
    return Error{Errc::kNotFound, fmt::format("group '{}' has no position anywhere", group)};
  }

  Result<std::vector<Move>> moves_to(const std::string& where,
                                     const std::vector<std::string>& topics) {
    std::vector<Move> out;
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const std::string& topic : topics) {
      MQ_TRY(const auto route, cluster->route(topic));
      for (const client::TopicAt& at : route) {
        MQ_TRY(client::Rpc* const rpc, cluster->rpc(at.broker));
        MQ_CHECK(client::wait_until_readable(*rpc));
        MQ_TRY(const auto stats, client::topic_stats(*rpc, topic));
        for (const wire::QueueStats& queue : stats.queues) {
          if (o.queue >= 0 && queue.queue_id != o.queue) continue;
          MQ_TRY(const std::int64_t to, target(*rpc, topic, queue, where));
          MQ_TRY(const auto from, client::committed_offset(*rpc, o.group, topic, queue.queue_id));
          out.push_back({at.broker, {topic, at.broker.name, queue.queue_id}, from, to});
        }
      }
    }
    if (out.empty())
      return Error{Errc::kNotFound, fmt::format("topic '{}' has no queue {}", o.topic, o.queue)};
    return out;
  }

  static Result<std::int64_t> target(client::Rpc& rpc, const std::string& topic,
                                     const wire::QueueStats& queue, const std::string& where) {
    if (where == "first") return queue.min_offset;
    if (where == "last") return queue.max_offset;
    if (const auto offset = as_offset(where)) {
      if (*offset >= queue.min_offset && *offset <= queue.max_offset) return *offset;
      return Error{Errc::kInvalid, fmt::format("{}/{} reaches from {} to {}", topic, queue.queue_id,
                                               queue.min_offset, queue.max_offset)};
    }
    MQ_TRY(const std::int64_t time_ms, cli::parse_time_ms(where, system_clock().now_ms()));
    return client::search_offset(rpc, topic, queue.queue_id, time_ms);
  }

  // With --dry-run shows them and says no; asks when the group is to lose messages.
  Result<bool> may_move(const std::string& group, const std::vector<Move>& moves) {
    std::int64_t lost = 0;
    for (const Move& move : moves) {
      const std::string old = move.from ? std::to_string(*move.from) : "(none)";
      (void)tool_.is_real(fmt::format("group {} at {}/{} of {}", group, move.queue.topic,
                                      move.queue.queue_id, move.broker.name),
                          old, std::to_string(move.to));
      if (move.from) lost += std::max<std::int64_t>(0, move.to - *move.from);
    }
    if (tool_.is_dry()) return false;
    if (lost == 0) return true;
    return tool_.may(fmt::format("let group '{}' pass over {} messages", group, lost));
  }

  Result<int> make(const std::vector<Move>& moves) {
    MQ_TRY(const bool agreed, may_move(o.group, moves));
    if (!agreed) return tool_.is_dry() ? cli::kExitOk : cli::kExitNo;
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const Move& move : moves) {
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(move.broker));
      MQ_CHECK(client::reset_offsets(*rpc, {.group = o.group,
                                            .topic = move.queue.topic,
                                            .timestamp_ms = -1,
                                            .force = true,
                                            .queue_id = move.queue.queue_id,
                                            .offset = move.to}));
    }
    return cli::kExitOk;
  }

  Tool& tool_;
};

}  // namespace

void add_group_positions(Tool& tool, cli::Command* noun) {
  auto position = std::make_shared<GroupPosition>(tool);
  const auto verb = [&](const char* name, const char* what, Result<int> (GroupPosition::*work)()) {
    return tool.verb(noun, name, what, [position, work] { return ((*position).*work)(); });
  };
  const auto add_group = [&](cli::Command* command, const char* what) {
    command->add_option("group", position->o.group, what)->type_name("GROUP")->required();
  };
  cli::Command* reset =
      verb("reset", "where the group goes on, members on line or not", &GroupPosition::reset);
  add_group(reset, "name of the group");
  reset->add_option("topic", position->o.topic, "name of the topic")
      ->type_name("TOPIC")
      ->required();
  reset->add_option("--to", position->o.where, "first, last, an offset or a time")
      ->type_name("first|last|OFFSET|TIME")
      ->required();
  reset->add_option("-p,--queue", position->o.queue, "one queue")
      ->type_name("QUEUE")
      ->check(cli::at_least(0));
  tool.add_yes(reset);
  cli::Command* skip =
      verb("skip", "go on at the end, of one topic or of all", &GroupPosition::skip);
  add_group(skip, "name of the group");
  skip->add_option("topic", position->o.topic, "name of the topic")->type_name("TOPIC");
  tool.add_yes(skip);
  cli::Command* clone =
      verb("clone", "let another group go on where this one is", &GroupPosition::clone);
  add_group(clone, "the group that is copied");
  clone->add_option("to", position->o.to_group, "the group that is set")
      ->type_name("GROUP")
      ->required();
  clone->add_option("topic", position->o.topic, "this topic alone")->type_name("TOPIC");
  tool.add_yes(clone);
}

}  // namespace mq::mqctl
