#include "broker/put_copy.h"

#include <charconv>

#include "format/properties.h"

namespace mq::broker {

store::PutResult put_copy(store::MessageStore& store, const format::Record& record,
                          const CopyTo& to) {
  const store::PutCommon common{
      .topic = to.topic,
      .queue_id = to.queue_id,
      .sys_flag = record.sys_flag,
      .born_timestamp_ms = record.born_timestamp_ms,
      .born_host = record.born_host,
      .store_host = to.store_host.value_or(record.store_host),
      .reconsume_times = to.reconsume_times.value_or(record.reconsume_times),
      .prepared_transaction_offset = {},
      .accepted_before = true};
  return store.put(common, {.flag = record.flag, .body = record.body, .properties = to.properties});
}

std::optional<RealTarget> real_target(std::string_view properties) noexcept {
  const auto topic = format::find_property(properties, format::kRealTopic);
  const auto queue = format::find_property(properties, format::kRealQueueId);
  if (!topic || !queue) return std::nullopt;
  RealTarget out{*topic, 0};
  const auto [end, error] =
      std::from_chars(queue->data(), queue->data() + queue->size(), out.queue_id);
  if (error != std::errc{} || end != queue->data() + queue->size() || out.queue_id < 0)
    return std::nullopt;
  return out;
}

CopyOutcome outcome_of(store::PutStatus status) noexcept {
  if (store::is_stored(status)) return CopyOutcome::kStored;
  const bool never = status == store::PutStatus::kMessageIllegal ||
                     status == store::PutStatus::kPropertiesSizeExceeded;
  return never ? CopyOutcome::kNever : CopyOutcome::kLater;
}

}  // namespace mq::broker
