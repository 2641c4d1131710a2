#include "format/delay_levels.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace mq::format {
namespace {

constexpr std::int64_t kUnknownDelayMs = 1000;  // a level without a configured delay (4.2 rule 3)
constexpr std::int64_t kDelayMaxMs = std::int64_t{3650} * 86'400'000;

std::int64_t unit_ms(char unit) noexcept {
  switch (unit) {
    case 's':
      return 1000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return 0;
  }
}

Result<std::int64_t> parse_level(std::string_view piece) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
  const std::int64_t unit =
      error == std::errc{} && stop + 1 == piece.data() + piece.size() ? unit_ms(*stop) : 0;
  if (unit == 0 || number < 0 || number > kDelayMaxMs / unit) {
    return Error{Errc::kInvalid,
                 fmt::format("level '{}': expected a number and one of s, m, h, d", piece)};
  }
  return number * unit;
}

}  // namespace

Result<DelayLevels> DelayLevels::parse(std::string_view text) {
  DelayLevels out;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view piece = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (piece.empty()) continue;
    MQ_TRY(const std::int64_t ms, parse_level(piece));
    out.ms_.push_back(ms);
  }
  if (out.ms_.empty()) return Error{Errc::kInvalid, "no delay level at all"};
  return out;
}

std::int64_t DelayLevels::ms(std::int64_t level) const noexcept {
  if (ms_.empty()) return kUnknownDelayMs;
  return ms_[static_cast<std::size_t>(std::clamp<std::int64_t>(level, 1, count()) - 1)];
}

}  // namespace mq::format
