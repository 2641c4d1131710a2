// config/transactionMetrics (store-format.md 6.8): how many half messages of a topic are open. One
// line of JSON; counters only, nothing depends on them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "format/state_files.h"

namespace mq::format {

struct TransactionCounts {
  struct Count {
    std::int64_t open = 0;
    std::int64_t changed_ms = 0;
    friend bool operator==(const Count&, const Count&) = default;
  };
  DataVersion version;
  std::map<std::string, Count, std::less<>> topics;
};
// Errors: kCorrupt, with the place.
Result<TransactionCounts> parse_transaction_counts_json(std::string_view text);
[[nodiscard]] std::string to_transaction_counts_json(const TransactionCounts& counts);

}  // namespace mq::format
