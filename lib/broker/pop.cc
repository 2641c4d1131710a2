#include "broker/pop.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "broker/pop_names.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/pop_records.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::broker {
namespace {

using store::GetStatus;

constexpr std::string_view kPopHandle = "POP_CK";

// Calls visit(record bytes) for each of the records that lie back to back.
template <typename Visit>
void for_each_record(Bytes bytes, Visit&& visit) {
  while (bytes.size() >= format::kRecordBytesMin) {
    const auto size = load_be<std::int32_t>(bytes.data());
    if (size < static_cast<std::int32_t>(format::kRecordBytesMin) ||
        static_cast<std::size_t>(size) > bytes.size()) {
      return;
    }
    visit(bytes.first(static_cast<std::size_t>(size)));
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

// A retry comes as a message of the topic that was asked for, with its handle: the record's own
// topic would tell the client nothing.
std::string as_message_of(std::string_view topic, const format::Record& stored,
                          const wire::PopHandle& handle) {
  format::Record record = stored;
  std::string properties(stored.properties);
  if (!format::find_property(properties, kPopHandle))
    format::append_property(properties, kPopHandle, wire::to_string(handle));
  record.topic = topic;
  record.properties = properties;
  if (!format::check_encodable(record)) record.properties = stored.properties;
  std::string out(format::record_bytes(record), '\0');
  format::encode_record(record, std::as_writable_bytes(std::span(out)));
  return out;
}

}  // namespace

std::vector<std::int64_t> queue_offsets(const std::vector<store::SegmentView>& spans,
                                        std::string_view topic, QueueId queue) {
  std::vector<std::int64_t> out;
  const bool is_light = format::is_light(topic);
  for (const auto& span : spans) {
    for_each_record(span.bytes, [&](Bytes bytes) {
      std::optional<QueueOffset> number(
          load_be<std::int64_t>(bytes.data() + format::kQueueOffsetAt));
      if (is_light) {
        const auto record = format::decode_record(bytes, format::CheckBody::kNo);
        if (record) number = format::number_in(*record, topic, queue);
      }
      if (number) out.push_back(number->value());
    });
  }
  return out;
}

struct Pop::Run {
  const Ask& ask;
  const std::int64_t now_ms;
  const std::uint32_t chance;  // 0 to 99
  Popped out;

  [[nodiscard]] std::int32_t left() const noexcept { return ask.count_max - out.count; }
};

Pop::Popped Pop::pop(const Ask& ask, std::int64_t now_ms) {
  Run run{ask, now_ms, p_.random() % 100, {}};
  wire::PopResponse& answer = run.out.answer;
  answer.pop_ms = now_ms;
  answer.invisible_ms = ask.invisible_ms;
  answer.order = ask.order;
  answer.revive_queue =
      ask.order ? format::kOrderedReviveQueue
                : static_cast<std::int32_t>(next_revive_queue_.fetch_add(1) %
                                            static_cast<std::uint32_t>(p_.config.revive_queues));
  // What failed before is not always behind everything new.
  const bool retry_first =
      !ask.order && static_cast<std::int32_t>(run.chance) < p_.config.pop_from_retry_percent;
  const auto pop_retries = [&] {
    const std::string retry = retry_topic(ask, run.chance);
    if (const auto topic = p_.topics.find(retry)) pop_topic(run, retry, topic->read_queues);
  };
  if (retry_first) pop_retries();
  if (ask.queue >= 0) {
    pop_queue(run, ask.topic, ask.queue);
  } else if (const auto topic = p_.topics.find(ask.topic)) {
    pop_topic(run, ask.topic, topic->read_queues);
  }
  if (!retry_first && !ask.order && run.left() > 0) pop_retries();
  return std::move(run.out);
}

std::string Pop::retry_topic(const Ask& ask, std::uint32_t chance) const {
  const bool old_form =
      !p_.config.retry_topic_v2 || (p_.config.read_retry_topic_v1 && chance % 2 == 0);
  return old_form ? pop_retry_topic_v1(ask.group, ask.topic)
                  : pop_retry_topic_v2(ask.group, ask.topic);
}

std::vector<std::string> Pop::retry_topics(std::string_view group, std::string_view topic) const {
  std::vector<std::string> out;
  if (p_.config.retry_topic_v2) out.push_back(pop_retry_topic_v2(group, topic));
  if (!p_.config.retry_topic_v2 || p_.config.read_retry_topic_v1)
    out.push_back(pop_retry_topic_v1(group, topic));
  return out;
}

void Pop::pop_topic(Run& run, std::string_view topic, std::int32_t queues) {
  for (std::int32_t i = 0; i < queues; ++i)
    pop_queue(run, topic,
              static_cast<QueueId>((run.chance + static_cast<std::uint32_t>(i)) %
                                   static_cast<std::uint32_t>(queues)));
}

std::int64_t Pop::first_offset(const Ask& ask, std::string_view topic, QueueId queue) {
  const std::int64_t min = p_.store.min_offset(topic, queue).value();
  if (!ask.from_max || topic.starts_with(format::kRetryPrefix)) return min;
  if (p_.config.pop_init_by_memory && min <= 0 &&
      p_.store.is_in_memory(topic, queue, QueueOffset(0))) {
    return 0;
  }
  return std::max<std::int64_t>(p_.store.max_offset(topic, queue).value() - 1, 0);
}

std::int64_t Pop::begin_of(const Ask& ask, std::string_view topic, QueueId queue, bool may_commit) {
  if (const auto known = p_.offsets.find(ask.group, topic, queue)) return *known;
  const std::int64_t first = first_offset(ask, topic, queue);
  if (may_commit) (void)p_.offsets.commit(ask.group, topic, queue, first);
  return first;
}

store::GetResult Pop::read(const Run& run, std::string_view topic, QueueId queue,
                           std::int64_t offset) {
  return p_.store.get({.topic = topic,
                       .queue_id = queue,
                       .offset = QueueOffset(offset),
                       .count_max = run.left(),
                       .filter = run.ask.tags,
                       .record_filter = run.ask.records});
}

void Pop::pop_queue(Run& run, std::string_view topic, QueueId queue) {
  const Ask& ask = run.ask;
  const auto rest_from = [&](std::int64_t offset) {
    const std::int64_t max = p_.store.max_offset(topic, queue).value();
    run.out.answer.rest += std::max<std::int64_t>(max - offset, 0);
  };
  const auto guard = locks_.try_lock(topic, ask.group, queue);
  if (!guard) return rest_from(begin_of(ask, topic, queue, false));
  const PopOrders::Queue ordered{topic, ask.group, queue};
  if (const auto reset = p_.offsets.take_reset(ask.group, topic, queue)) {
    (void)p_.offsets.commit(ask.group, topic, queue, *reset);
    p_.orders.clear(ordered);
  }
  std::int64_t start = begin_of(ask, topic, queue, true);
  if (ask.order && p_.orders.is_blocked(ordered, ask.attempt_id, ask.invisible_ms, run.now_ms))
    return;
  if (run.left() <= 0) return rest_from(start);

  auto got = read(run, topic, queue, start);
  if (got.status == GetStatus::kOffsetTooSmall || got.status == GetStatus::kOffsetOverflowBadly ||
      got.status == GetStatus::kOffsetFoundNull) {
    start = got.next.value();
    (void)p_.offsets.commit(ask.group, topic, queue, start);
    got = read(run, topic, queue, start);
  }
  const std::int64_t next = got.next.value();
  if (got.status == GetStatus::kFound) {
    auto offsets = queue_offsets(got.spans, topic, queue);
    if (!note(run, topic, queue, start, offsets, next)) return rest_from(start);
    add(run, topic, queue, start, std::move(offsets), got);
  } else if (next > start && (got.status == GetStatus::kNoMatchedMessage ||
                              got.status == GetStatus::kMessageWasRemoving ||
                              got.status == GetStatus::kOffsetFoundNull)) {
    (void)p_.offsets.commit(ask.group, topic, queue, next);
  }
  run.out.answer.rest += std::max<std::int64_t>(got.max.value() - next, 0);
}

// Remembers that the messages are handed out, and moves the group's offset; false when that is not
// in the log: then they are not.
bool Pop::note(Run& run, std::string_view topic, QueueId queue, std::int64_t start,
               const std::vector<std::int64_t>& offsets, std::int64_t next) {
  const Ask& ask = run.ask;
  if (ask.order) {
    run.out.answer.counts.push_back(p_.orders.popped({topic, ask.group, queue}, ask.attempt_id,
                                                     run.now_ms, ask.invisible_ms, offsets));
    (void)p_.offsets.commit(ask.group, topic, queue, start);
    return true;
  }
  format::PopCheckpoint checkpoint{.id = {.topic = std::string(topic),
                                          .group = std::string(ask.group),
                                          .broker = p_.config.name,
                                          .queue = queue,
                                          .start = start,
                                          .pop_ms = run.now_ms},
                                   .invisible_ms = ask.invisible_ms,
                                   .count = static_cast<std::int32_t>(offsets.size())};
  for (const std::int64_t offset : offsets)
    checkpoint.diffs.push_back(static_cast<std::int32_t>(offset - start));
  const auto put = p_.log.put_checkpoint(checkpoint, run.out.answer.revive_queue, run.now_ms);
  if (!store::is_stored(put.status)) {
    log::warn("pop from {}/{} for group '{}': {}; nothing is handed out", topic, queue, ask.group,
              put.reason);
    return false;
  }
  popped_.store(true, std::memory_order_relaxed);
  (void)p_.offsets.commit(ask.group, topic, queue, next);
  return true;
}

void Pop::add(Run& run, std::string_view topic, QueueId queue, std::int64_t start,
              std::vector<std::int64_t> offsets, store::GetResult& got) {
  const Ask& ask = run.ask;
  Popped& out = run.out;
  const wire::PopRetry form = topic == ask.topic ? wire::PopRetry::kNone : retry_form(topic);
  out.count += static_cast<std::int32_t>(offsets.size());
  if (p_.stats != nullptr) p_.stats->get(topic, ask.group, got.count, got.bytes);
  out.answer.parts.push_back({form, queue, start, std::move(offsets)});
  if (form == wire::PopRetry::kNone || p_.config.pop_actual_retry_topic) {
    out.bytes += got.bytes;
    for (auto& span : got.spans) out.spans.push_back(std::move(span));
    return;
  }
  for (const auto& span : got.spans) {
    for_each_record(span.bytes, [&](Bytes bytes) {
      const auto record = format::decode_record(bytes, format::CheckBody::kNo);
      if (!record) return;
      auto text = std::make_shared<const std::string>(
          as_message_of(ask.topic, *record,
                        {.start = start,
                         .pop_ms = run.now_ms,
                         .invisible_ms = ask.invisible_ms,
                         .revive_queue = out.answer.revive_queue,
                         .retry = form,
                         .broker = p_.config.name,
                         .queue_id = queue,
                         .offset = record->queue_offset.value()}));
      out.bytes += static_cast<std::int64_t>(text->size());
      const Bytes encoded = as_bytes(*text);
      out.spans.push_back({encoded, std::move(text)});
    });
  }
}

Pop::Popped Pop::peek(const Ask& ask) {
  Run run{ask, 0, p_.random() % 100, {}};
  const auto look = [&](std::string_view topic, QueueId queue) {
    const std::int64_t start = begin_of(ask, topic, queue, false);
    if (run.left() <= 0) return;
    auto got = read(run, topic, queue, start);
    if (got.status == GetStatus::kFound) {
      run.out.count += got.count;
      run.out.bytes += got.bytes;
      for (auto& span : got.spans) run.out.spans.push_back(std::move(span));
    }
    run.out.answer.rest += std::max<std::int64_t>(got.max.value() - got.next.value(), 0);
  };
  const auto topic = p_.topics.find(ask.topic);
  const std::int32_t queues = topic ? topic->read_queues : 0;
  if (ask.queue >= 0) {
    look(ask.topic, ask.queue);
  } else {
    for (QueueId queue = 0; queue < queues; ++queue) look(ask.topic, queue);
  }
  return std::move(run.out);
}

bool Pop::queue_has_messages(std::string_view group, std::string_view topic, QueueId queue) const {
  const auto known = p_.offsets.find(group, topic, queue);
  const std::int64_t from = known ? *known : p_.store.min_offset(topic, queue).value();
  return p_.store.max_offset(topic, queue).value() > from;
}

bool Pop::has_messages(std::string_view group, std::string_view topic, QueueId queue, bool order,
                       std::string_view attempt_id, std::int64_t now_ms) {
  const auto in = [&](std::string_view name, QueueId id) {
    return !(order && p_.orders.is_blocked({name, group, id}, attempt_id, 0, now_ms)) &&
           queue_has_messages(group, name, id);
  };
  const auto in_any = [&](std::string_view name) {
    const auto info = p_.topics.find(name);
    for (QueueId id = 0; info && id < info->read_queues; ++id)
      if (in(name, id)) return true;
    return false;
  };
  if (queue >= 0 ? in(topic, queue) : in_any(topic)) return true;
  if (order) return false;  // retries are not part of it
  const auto retries = retry_topics(group, topic);
  return std::any_of(retries.begin(), retries.end(), in_any);
}

}  // namespace mq::broker
