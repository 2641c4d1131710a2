#include "broker/transactions.h"

#include "broker/half_message.h"
#include "broker/put_copy.h"
#include "format/names.h"
#include "format/properties.h"

namespace mq::broker {

void Transactions::prepared(std::string_view topic, std::int64_t now_ms) {
  options_.open.change(topic, 1, now_ms);
}

Transactions::Ended Transactions::end(const End& end, std::int64_t now_ms) {
  // Its producer may be faster than the disk. What ends it comes behind it in the log.
  const auto view = options_.store.get_written_record(end.at);
  if (!view) return {.status = Status::kNotFound};
  const auto half = format::decode_record(view->bytes, format::CheckBody::kNo);
  if (!half || half->topic != format::kHalfTopic) return {.status = Status::kNotFound};
  if (!end.from_check) {
    const auto within = ends_within_ms(half->properties, options_.timeout_ms);
    if (within && now_ms - half->born_timestamp_ms > *within) return {.status = Status::kTooLate};
  }
  if (format::find_property(half->properties, format::kProducerGroup) != end.group)
    return {.status = Status::kWrongGroup};
  if (half->queue_offset != end.half) return {.status = Status::kWrongOffset};
  return end.commit ? commit(*half, end.at, now_ms) : finish(*half, now_ms);
}

Transactions::Ended Transactions::commit(const format::Record& half, PhysicalOffset at,
                                         std::int64_t now_ms) {
  const auto target = real_target(half.properties);
  if (!target) return {.status = Status::kIllegal, .reason = "it does not say where it belongs"};
  const Asked asked = read_asked(half.properties);
  std::string properties(half.properties);
  // What it says of a later delivery counts from now on.
  const auto placed =
      postpone(options_.postpone, asked, target->topic, target->queue_id, now_ms, properties);
  if (!placed) return {.status = Status::kIllegal, .reason = placed.error().text()};
  if (placed->later) properties = format::remove_property(properties, format::kTransaction);
  const store::PutCommon common{
      .topic = placed->topic,
      .queue_id = placed->queue_id,
      .sys_flag = (half.sys_flag & ~format::kFlagTransactionMask) | format::kTransactionCommit,
      .born_timestamp_ms = half.born_timestamp_ms,
      .born_host = half.born_host,
      .store_host = half.store_host,
      .reconsume_times = half.reconsume_times,
      .prepared_transaction_offset = at,
      .accepted_before = true};
  Ended ended{.status = Status::kNotStored,
              .wait = asked.wait,
              .put = options_.store.put(
                  common, {.flag = half.flag, .body = half.body, .properties = properties})};
  if (!store::is_stored(ended.put.status)) return ended;
  if (options_.stats != nullptr)
    options_.stats->put(placed->topic, 1, static_cast<std::int64_t>(half.body.size()));
  ended.status = finish(half, now_ms).status;
  return ended;
}

Transactions::Ended Transactions::finish(const format::Record& half, std::int64_t now_ms) {
  options_.done.complete(half.queue_id, half.queue_offset, now_ms);
  if (const auto topic = format::find_property(half.properties, format::kRealTopic))
    options_.open.change(*topic, -1, now_ms);
  return {.status = Status::kDone};
}

Transactions::Ended Transactions::resume(PhysicalOffset at, std::int64_t now_ms) {
  const auto view = options_.store.get_record(at);
  if (!view) return {.status = Status::kNotFound};
  const auto half = format::decode_record(view->bytes, format::CheckBody::kNo);
  const bool is_one =
      half && (half->topic == format::kHalfTopic || half->topic == format::kHalfGivenUpTopic);
  const auto target = is_one ? real_target(half->properties) : std::nullopt;
  if (!target) return {.status = Status::kNotFound};
  std::string properties(half->properties);
  format::set_property(properties, format::kCheckTimes, "0");
  Ended ended{.status = Status::kNotStored,
              .put = put_copy(
                  options_.store, *half,
                  {.topic = format::kHalfTopic, .queue_id = kHalfQueue, .properties = properties})};
  if (!store::is_stored(ended.put.status)) return ended;
  // One that was given up was taken off the count then.
  if (half->topic == format::kHalfGivenUpTopic) options_.open.change(target->topic, 1, now_ms);
  ended.status = Status::kDone;
  return ended;
}

}  // namespace mq::broker
