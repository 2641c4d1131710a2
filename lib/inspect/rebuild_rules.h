// What a broker's dispatch makes of one record: its entry in a queue and its keys in the index
// (store-format.md 4.2, 4.8, 5, 8.2). Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "format/record.h"

namespace mq::inspect {

struct Dispatched {
  bool has_entry = false;  // in its queue: transaction types none and commit
  bool has_keys = false;   // in the index: all but rollback
  std::int64_t tag_code = 0;
  std::int64_t hashed_tag = 0;  // the tag's hash, also where a delay topic's entry has a time
  // Views into the record.
  std::string_view unique_key{};
  std::string_view keys{};  // separated by single spaces
  // For format::for_each_light_queue.
  std::string_view light_queues{};
  std::string_view light_offsets{};
  // Of an inner batch in a queue of batches.
  std::int64_t batch_base = -1;  // -1: the record's own queue offset
  std::int32_t batch_count = 1;
  // A number that the reference cannot parse: it takes the whole record for damaged (9.1).
  bool is_refused = false;
};

class DispatchRules {
 public:
  static constexpr std::string_view kDelayLevels =
      "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
  // messageDelayLevel of the broker: an entry of the delay topic holds when the message is due.
  explicit DispatchRules(std::string_view delay_levels = kDelayLevels);

  [[nodiscard]] Dispatched of(const format::Record& record) const;

 private:
  std::vector<std::int64_t> delay_ms_;
};

}  // namespace mq::inspect
