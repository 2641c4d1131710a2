#include "inspect/verify_links.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/hash.h"
#include "format/light_queues.h"
#include "format/properties.h"

namespace mq::inspect {
namespace {

// Of messageDelayLevel as the broker has it by default; another configuration shows in the entries.
constexpr std::array<std::int64_t, 18> kDelaySeconds = {
    1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200};

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::int32_t key_hash(std::int32_t prefix, std::string_view key) {
  const std::int32_t hash = java_string_hash(prefix, key);
  return hash == INT32_MIN ? 0 : std::abs(hash);
}

std::int64_t tag_code(std::string_view tags) { return tags.empty() ? 0 : java_string_hash(tags); }

}  // namespace

// One pass. The names that nearly every record has are looked at where they would stand, which
// spares the search for the end of the name; what for_each_property says of a piece is the rule.
VerifyLinks::Wanted VerifyLinks::pick(std::string_view properties) {
  constexpr std::string_view kUniqKeyIs = "UNIQ_KEY\x01";
  constexpr std::string_view kTagsIs = "TAGS\x01";
  constexpr std::string_view kKeysIs = "KEYS\x01";
  Wanted out;
  while (!properties.empty()) {
    const std::size_t end = std::min(properties.find(format::kPairEnd), properties.size());
    const std::string_view piece = properties.substr(0, end);
    properties.remove_prefix(std::min(end + 1, properties.size()));
    const auto take = [piece](std::string_view name_is, std::string_view& value) {
      if (!piece.starts_with(name_is)) return false;
      if (piece.size() > name_is.size()) value = piece.substr(name_is.size());
      return true;
    };
    if (take(kUniqKeyIs, out.unique_key) || take(kTagsIs, out.tags) || take(kKeysIs, out.keys))
      continue;
    format::for_each_property(piece, [&out](const format::Property& p) {
      if (p.name == format::kDelay) out.delay = p.value;
      if (p.name == format::kLightQueues) out.light_queues = p.value;
      if (p.name == format::kLightOffsets) out.light_offsets = p.value;
      if (p.name == format::kInnerNum) out.inner_num = p.value;
      if (p.name == format::kInnerBase) out.inner_base = p.value;
    });
  }
  return out;
}

void VerifyLinks::record(const format::Record& record) {
  const Wanted wanted = pick(record.properties);
  VerifyQueue& queue = queues_.find(record.topic, record.queue_id);
  const std::int32_t type = record.transaction_type();
  if (format::has_queue_entry(type)) {
    if (batches_.has(record.topic)) {
      to_batch_queue(record, wanted);
    } else {
      to_queue(record, queue, wanted);
    }
    if (!wanted.light_queues.empty() && format::may_be_in_light_queues(record.topic))
      to_light_queues(record, wanted);
  }
  hashes_.clear();
  if (type != format::kTransactionRollback) {
    if (!wanted.unique_key.empty())
      hashes_.push_back(key_hash(queue.key_prefix(), wanted.unique_key));
    format::for_each_key(wanted.keys, [&](std::string_view key) {
      hashes_.push_back(key_hash(queue.key_prefix(), key));
    });
  }
  index_.record(record.physical_offset, record.store_timestamp_ms, hashes_);
}

void VerifyLinks::to_queue(const format::Record& record, VerifyQueue& queue, const Wanted& wanted) {
  VerifyQueues::Record entry{
      .at = record.physical_offset,
      .bytes = record.total_bytes,
      .number = record.queue_offset.value(),
      .tag_code = tag_code(wanted.tags),
      .is_delayed = false,
      .stored_ms = record.store_timestamp_ms,
  };
  if (queue.is_delayed() && !wanted.delay.empty()) {
    const auto level = number_of(wanted.delay);
    if (level && *level > 0) {
      const auto last = static_cast<std::int64_t>(kDelaySeconds.size());
      entry.is_delayed = true;
      entry.tag_code =
          record.store_timestamp_ms +
          1000 * kDelaySeconds.at(static_cast<std::size_t>(std::min(*level, last) - 1));
    }
  }
  queues_.record(queue, entry);
}

void VerifyLinks::to_batch_queue(const format::Record& record, const Wanted& wanted) {
  const bool is_batch = (record.sys_flag & format::kFlagInnerBatch) != 0;
  format::BatchQueueEntry entry{
      .commitlog_offset = record.physical_offset,
      .record_bytes = record.total_bytes,
      .tag_code = tag_code(wanted.tags),
      .store_timestamp_ms = record.store_timestamp_ms,
      .base = record.queue_offset,
  };
  if (is_batch) {
    entry.base = QueueOffset(number_of(wanted.inner_base).value_or(record.queue_offset.value()));
    entry.count = static_cast<std::int16_t>(
        std::clamp<std::int64_t>(number_of(wanted.inner_num).value_or(1), 1, INT16_MAX));
  }
  batches_.record(record.topic, record.queue_id, entry);
}

// One entry more in each queue that is named, if the broker makes such queues: then they are there.
void VerifyLinks::to_light_queues(const format::Record& record, const Wanted& wanted) {
  format::for_each_light_queue(
      wanted.light_queues, wanted.light_offsets, [&](std::string_view name, std::int64_t number) {
        VerifyQueue* const queue = queues_.find_existing(name, format::kLightQueueId);
        if (queue == nullptr || queue->files().empty()) return;
        queues_.record(*queue, {.at = record.physical_offset,
                                .bytes = record.total_bytes,
                                .number = number,
                                .tag_code = tag_code(wanted.tags),
                                .is_delayed = false,
                                .stored_ms = record.store_timestamp_ms});
      });
}

}  // namespace mq::inspect
