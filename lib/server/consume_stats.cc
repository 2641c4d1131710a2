// How far consumer groups are (R 208, 303, 308, 317).
#include "wire/consume_stats.h"

#include <limits>

#include <fmt/format.h>

#include "base/pieces.h"
#include "format/state_files.h"
#include "server/call.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

wire::MessageQueue queue_of(const Parts& p, std::string_view topic, std::int32_t queue) {
  return {.topic = std::string(topic), .broker_name = p.config.name, .queue_id = queue};
}

// A group on line counts by what it subscribes now: offsets from before say nothing about it.
bool is_consumed(const Parts& p, std::string_view group, std::string_view topic) {
  return p.consumers.subscription_count(group) == 0 ||
         p.consumers.subscription(group, topic).has_value();
}

wire::QueueProgress progress_of(const Parts& p, std::string_view group, std::string_view topic,
                                std::int32_t queue) {
  const std::int64_t consumed = p.offsets.find(group, topic, queue).value_or(0);
  wire::QueueProgress out{
      .broker_offset = p.store.max_offset(topic, queue).value(),
      .consumer_offset = consumed,
      .pull_offset = std::max(consumed, p.offsets.pulled(group, topic, queue).value_or(0)),
      .last_timestamp_ms = 0};
  if (consumed > 0) {
    out.last_timestamp_ms =
        std::max<std::int64_t>(0, p.store.store_time(topic, queue, QueueOffset(consumed - 1)));
  }
  return out;
}

// Adds the group's progress in all queues of the topic; false when it does not count.
bool add_topic(const Parts& p, std::string_view group, const std::string& topic,
               wire::ConsumeStats& out) {
  const auto info = p.topics.find(topic);
  if (!info || !is_consumed(p, group, topic)) return false;
  for (std::int32_t queue = 0; queue < info->read_queues; ++queue)
    out.queues.emplace(queue_of(p, topic, queue), progress_of(p, group, topic, queue));
  out.consume_tps += p.stats.group_get_rate(topic, group);
  return true;
}

// The topics that the request names, one or `;` between; those of the group when it names none.
std::set<std::string> asked_topics(const Call& call, std::string_view group) {
  const auto one = call.request.ext.find("topic").value_or("");
  if (!one.empty()) return {std::string(one)};
  std::set<std::string> topics;
  for_each_piece(call.request.ext.find("topicList").value_or(""), ';', [&](std::string_view topic) {
    if (!topic.empty()) topics.emplace(topic);
  });
  return topics.empty() ? call.p.offsets.topics_of(group) : topics;
}

}  // namespace

void handle_consume_stats(const Call& call) {
  auto group = wire::text_field(call.request.ext, "consumerGroup");
  if (!group) return call.reply_error(group.error());
  // Whoever asks right behind an acknowledged send is to see it.
  (void)call.p.store.wait_dispatched(/*timeout_ms=*/50);
  wire::ConsumeStats stats;
  for (const std::string& topic : asked_topics(call, *group))
    (void)add_topic(call.p, *group, topic, stats);
  call.reply_body(wire::encode_consume_stats(stats));
}

void handle_broker_consume_stats(const Call& call) {
  const auto& p = call.p;
  const bool ordered = wire::bool_or(call.request.ext, "isOrder", false);
  wire::BrokerConsumeStats all;
  all.broker_addr = p.self.address;
  for (const auto& [group, config] : p.groups.all().groups) {
    std::vector<wire::ConsumeStats> of_topics;
    for (const std::string& topic : p.offsets.topics_of(group)) {
      const auto config_of_topic = p.topics.get(topic);
      wire::ConsumeStats stats;
      if (!config_of_topic || config_of_topic->order != ordered ||
          !add_topic(p, group, topic, stats))
        continue;
      for (const auto& [queue, progress] : stats.queues) {
        all.total_diff += progress.broker_offset - progress.consumer_offset;
        all.total_inflight_diff += progress.pull_offset - progress.consumer_offset;
      }
      of_topics.push_back(std::move(stats));
    }
    if (!of_topics.empty()) all.groups.emplace_back(group, std::move(of_topics));
  }
  call.reply_body(wire::encode_broker_consume_stats(all));
}

void handle_consume_time_span(const Call& call) {
  auto group = wire::text_field(call.request.ext, "group");
  auto topic = wire::text_field(call.request.ext, "topic");
  if (!group || !topic) return call.reply(wire::kInvalidParameter, "group and topic are needed");
  const auto& p = call.p;
  const auto info = p.topics.find(*topic);
  if (!info)
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", *topic));
  std::vector<wire::QueueTimeSpan> spans;
  for (std::int32_t queue = 0; queue < info->write_queues; ++queue) {
    const QueueOffset min = p.store.min_offset(*topic, queue);
    const QueueOffset max = p.store.max_offset(*topic, queue);
    const auto consumed = QueueOffset(p.offsets.find(*group, *topic, queue).value_or(0));
    wire::QueueTimeSpan span{.queue = queue_of(p, *topic, queue),
                             .min_ms = p.store.store_time(*topic, queue, min),
                             .max_ms = p.store.store_time(*topic, queue, max - 1)};
    span.consumed_ms =
        consumed.value() > 0 ? p.store.store_time(*topic, queue, consumed - 1) : span.min_ms;
    if (consumed < max) {
      const std::int64_t next_ms = p.store.store_time(*topic, queue, std::max(consumed, min));
      if (next_ms >= 0) span.delay_ms = p.clock.now_ms() - next_ms;
    }
    spans.push_back(std::move(span));
  }
  call.reply_body(wire::encode_time_spans(spans));
}

// Each queue's smallest offset over all groups; where `compareGroup` is behind that already, no
// correction (2^63 - 1). The reference also deletes the offsets of `filterGroups`; we only leave
// them out.
void handle_correction_offset(const Call& call) {
  const auto& ext = call.request.ext;
  auto topic = wire::text_field(ext, "topic");
  auto compare = wire::text_field(ext, "compareGroup");
  if (!topic || !compare)
    return call.reply(wire::kInvalidParameter, "topic and compareGroup are needed");
  std::set<std::string> without;
  for_each_piece(ext.find("filterGroups").value_or(""), ',',
                 [&](std::string_view group) { without.emplace(group); });
  const auto& p = call.p;
  auto offsets = p.offsets.smallest(*topic, without, [&](std::int32_t queue) {
    return p.store.min_offset(*topic, queue).value();
  });
  for (const auto& [queue, offset] : p.offsets.find_all(*compare, *topic)) {
    const auto at = offsets.find(queue);
    if (at != offsets.end() && at->second > offset)
      at->second = std::numeric_limits<std::int64_t>::max();
  }
  call.reply_body(wire::encode_correction_offsets(offsets));
}

}  // namespace mq::server
