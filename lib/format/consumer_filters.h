// config/consumerFilter.json (store-format.md 6.8): the SQL filter of each group on each topic, to
// values and back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::format {

// The bits that a group's name sets in a Bloom filter of `bits` bits, in the order of their making.
struct BloomBits {
  std::int32_t bits = 0;
  std::vector<std::int32_t> positions;
  friend bool operator==(const BloomBits&, const BloomBits&) = default;
};

struct ConsumerFilter {
  std::string expression;
  std::string type;                 // SQL92
  std::int64_t client_version = 0;  // of the client's subscription
  std::int64_t born_ms = 0;
  std::int64_t dead_ms = 0;  // 0 or before born_ms: alive
  BloomBits bloom;
  [[nodiscard]] bool is_dead() const noexcept { return dead_ms >= born_ms; }
};

struct ConsumerFilterTable {
  // topic -> group
  std::map<std::string, std::map<std::string, ConsumerFilter, std::less<>>, std::less<>> topics;
};
// Errors: kCorrupt, with the place.
Result<ConsumerFilterTable> parse_consumer_filter_json(std::string_view text);
[[nodiscard]] std::string to_consumer_filter_json(const ConsumerFilterTable& table);

}  // namespace mq::format
