// Offsets that an administrator moves (R 222, 314), and the notice of it that clients get when they
// are to do it themselves (R 220).
#include <fmt/format.h>

#include "base/log.h"
#include "server/call.h"
#include "server/client_channel.h"
#include "wire/codes.h"
#include "wire/consume_stats.h"
#include "wire/consumer_offset.h"

namespace mq::server {
namespace {

constexpr std::int32_t kVersionThatTakesResets = 28;  // V3_0_7_SNAPSHOT

using ByQueue = broker::ConsumerOffsets::ByQueue;

std::int64_t offset_at(const Parts& p, std::string_view topic, std::int32_t queue,
                       std::int64_t timestamp_ms) {
  if (timestamp_ms < 0) return p.store.max_offset(topic, queue).value();
  return p.store.offset_by_time(topic, queue, timestamp_ms, store::Boundary::kLower).value();
}

wire::QueueOffsets to_wire(const Parts& p, std::string_view topic, const ByQueue& offsets) {
  wire::QueueOffsets out;
  for (const auto& [queue, offset] : offsets) {
    out.emplace(
        wire::MessageQueue{
            .topic = std::string(topic), .broker_name = p.config.name, .queue_id = queue},
        offset);
  }
  return out;
}

// Where the queues are to go; nothing when it has been refused.
std::optional<ByQueue> targets_of(const Call& call, const wire::ResetOffsetRequest& asked,
                                  std::int32_t queue_count) {
  const auto& p = call.p;
  ByQueue offsets;
  if (asked.queue_id < 0) {
    for (std::int32_t queue = 0; queue < queue_count; ++queue)
      offsets[queue] = offset_at(p, asked.topic, queue, asked.timestamp_ms);
  } else if (asked.offset == -1) {
    offsets[asked.queue_id] = offset_at(p, asked.topic, asked.queue_id, asked.timestamp_ms);
  } else {
    const std::int64_t min = p.store.min_offset(asked.topic, asked.queue_id).value();
    const std::int64_t max = p.store.max_offset(asked.topic, asked.queue_id).value();
    if (asked.offset < min || asked.offset > max + 1) {
      return call.reply(wire::kSystemError,
                        fmt::format("Target offset {} not in consume queue range [{}-{}]",
                                    asked.offset, min, max)),
             std::nullopt;
    }
    offsets[asked.queue_id] = asked.offset;
  }
  if (offsets.empty()) return call.reply(wire::kSystemError, "No queues to reset."), std::nullopt;
  return offsets;
}

// The group's next pulls are sent to the new offsets; pulls that wait are run again at once.
void reset_here(const Call& call, const wire::ResetOffsetRequest& asked, std::int32_t queue_count) {
  const auto& p = call.p;
  const auto offsets = targets_of(call, asked, queue_count);
  if (!offsets) return;
  p.offsets.reset(asked.group, asked.topic, *offsets);
  if (auto done = p.offsets.flush(); !done) return call.reply_error(done.error());
  for (const auto& [queue, offset] : *offsets) {
    log::info("group '{}': offset of queue {} of topic '{}' reset to {}", asked.group, queue,
              asked.topic, offset);
    p.polls.wake_all(asked.topic, queue);
  }
  call.reply_body(wire::encode_offset_table(to_wire(p, asked.topic, *offsets)));
}

// The members are told to move, and commit what they moved to (useServerSideResetOffset=false).
void reset_at_clients(const Call& call, const wire::ResetOffsetRequest& asked,
                      std::int32_t queue_count) {
  const auto& p = call.p;
  ByQueue offsets;
  for (std::int32_t queue = 0; queue < queue_count; ++queue) {
    const auto consumed = p.offsets.find(asked.group, asked.topic, queue);
    if (!consumed) {
      return call.reply(wire::kSystemError,
                        fmt::format("The consumer group <{}> not exist", asked.group));
    }
    const std::int64_t wanted = offset_at(p, asked.topic, queue, asked.timestamp_ms);
    offsets[queue] = asked.force || wanted < *consumed ? wanted : *consumed;
  }
  const auto view = p.consumers.view(asked.group);
  if (!view) {
    return call.reply(
        wire::kConsumerNotOnline,
        fmt::format("Consumer not online, so can not reset offset, Group: {} Topic: {}",
                    asked.group, asked.topic));
  }
  for (const broker::Client& client : view->clients) {
    if (client.version < kVersionThatTakesResets) {
      return call.reply(wire::kSystemError,
                        fmt::format("the client {} does not support this feature. version={}",
                                    client.id, client.version));
    }
  }
  const wire::QueueOffsets table = to_wire(p, asked.topic, offsets);
  const bool for_cpp = call.request.language == wire::Language::kCpp;
  const std::string body =
      for_cpp ? wire::encode_reset_for_cpp_clients(table) : wire::encode_reset_for_clients(table);
  const std::array<wire::Field, 4> ext = {
      wire::Field{"topic", asked.topic}, wire::Field{"group", asked.group},
      wire::Field{"timestamp", asked.timestamp_ms}, wire::Field{"isForce", asked.force}};
  for (const broker::Client& client : view->clients) {
    (void)p.clients.tell(
        client.connection,
        {.code = wire::kResetConsumerClientOffset, .ext = ext, .body = as_bytes(body)});
  }
  call.reply_body(wire::encode_offset_table(table));
}

}  // namespace

void handle_reset_offset(const Call& call) {
  auto asked = wire::decode_reset_offset_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  const auto& p = call.p;
  const auto topic = p.topics.find(asked->topic);
  if (!topic) {
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  }
  if (p.groups.find(asked->group) == nullptr) {
    return call.reply(wire::kSubscriptionGroupNotExist,
                      fmt::format("group '{}' does not exist", asked->group));
  }
  if (p.config.server_side_reset) return reset_here(call, *asked, topic->read_queues);
  reset_at_clients(call, *asked, topic->write_queues);
}

void handle_clone_offset(const Call& call) {
  auto asked = wire::decode_clone_offset_request(call.request);
  if (!asked) return call.reply(wire::kSystemError, asked.error().text());
  const auto& p = call.p;
  const std::set<std::string> topics = asked->topic.empty()
                                           ? p.offsets.topics_of(asked->from_group)
                                           : std::set<std::string>{std::string(asked->topic)};
  for (const std::string& topic : topics) {
    if (!p.topics.find(topic)) continue;
    const bool subscribed = p.consumers.subscription_count(asked->from_group) == 0 ||
                            p.consumers.subscription(asked->from_group, topic);
    if (asked->offline || subscribed) p.offsets.clone(asked->from_group, asked->to_group, topic);
  }
  if (auto done = p.offsets.flush(); !done) return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

}  // namespace mq::server
