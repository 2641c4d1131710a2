#include "range.h"

#include <charconv>

#include <fmt/format.h>

#include "cli/units.h"

namespace mq::mqrecv {
namespace {

Result<Bound> parse_bound(std::string_view text, std::int64_t now_ms) {
  if (text == "first") return Bound{Bound::Kind::kFirst, 0};
  if (text == "last" || text == "end") return Bound{Bound::Kind::kLast, 0};
  if (text.starts_with('@')) {
    // "@1767225600" and "@1767225600123" are numbers; behind an @ every other form of a time may
    // stand as well.
    auto time = cli::parse_time_ms(text, now_ms);
    if (!time) time = cli::parse_time_ms(text.substr(1), now_ms);
    if (!time) return std::move(time).error();
    return Bound{Bound::Kind::kTime, *time};
  }
  Bound::Kind kind = Bound::Kind::kAbsolute;
  std::string_view digits = text;
  if (text.starts_with('+')) kind = Bound::Kind::kFromFirst;
  if (text.starts_with('-')) kind = Bound::Kind::kFromLast;
  if (kind != Bound::Kind::kAbsolute) digits.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) {
    return Error{
        Errc::kInvalid,
        fmt::format(
            "-o: '{}' is not a position: expected first, last, N, +N, -N, @TIME or two of them "
            "with ':' between",
            text)};
  }
  return Bound{kind, value};
}

// The colon between two bounds; those of a time of day do not count.
std::size_t find_split(std::string_view text) {
  if (!text.starts_with('@')) return text.find(':');
  const std::size_t second = text.find(":@");
  return second;
}

}  // namespace

Result<Range> parse_range(std::string_view text, std::int64_t now_ms) {
  Range range;
  const std::size_t split = find_split(text);
  const std::string_view begin = text.substr(0, split);
  if (!begin.empty()) {
    MQ_TRY(range.begin, parse_bound(begin, now_ms));
  }
  if (split == std::string_view::npos) return range;
  const std::string_view end = text.substr(split + 1);
  if (end.empty()) return range;
  MQ_TRY(range.end, parse_bound(end, now_ms));
  return range;
}

}  // namespace mq::mqrecv
