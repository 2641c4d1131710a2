#include "range.h"

#include <charconv>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/units.h"
#include "inspect/log_range.h"

namespace mq::mqdump {
namespace {

Result<std::int64_t> time_of(std::string_view text) {
  // "@1767225600" is a number; behind an @ every other form of a time may stand as well.
  const std::int64_t now = system_clock().now_ms();
  auto time = cli::parse_time_ms(text, now);
  return time ? time : cli::parse_time_ms(text.substr(1), now);
}

Result<std::int64_t> number_of(std::string_view digits, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) {
    return Error{Errc::kInvalid,
                 fmt::format("'{}' is no place in a log: expected first, last, a physical offset, "
                             "+N, -N, @TIME or two of them with ':' between",
                             text)};
  }
  return value;
}

Result<PhysicalOffset> place_of(std::string_view text, inspect::LogReader& log) {
  if (text == "first") return log.begin();
  if (text == "last") return inspect::record_from_end(log, 0);
  const bool counts = text.starts_with('+') || text.starts_with('-');
  MQ_TRY(const std::int64_t n, number_of(counts ? text.substr(1) : text, text));
  if (text.starts_with('+')) return inspect::record_from_front(log, n);
  if (text.starts_with('-')) return inspect::record_from_end(log, n);
  return PhysicalOffset(n);
}

}  // namespace

Result<LogRange> find_range(std::string_view text, inspect::LogReader& log) {
  LogRange out{.from = log.begin(), .to = log.end_of_files()};
  // The colon between two bounds; those of a time of day do not count.
  const std::size_t split = text.starts_with('@') ? text.find(":@") : text.find(':');
  const std::string_view begin = text.substr(0, split);
  if (begin.starts_with('@')) {
    MQ_TRY(out.from_ms, time_of(begin));
    MQ_TRY(out.from, inspect::first_file_at(log, out.from_ms));
  } else if (!begin.empty()) {
    MQ_TRY(out.from, place_of(begin, log));
  }
  if (split == std::string_view::npos) return out;
  const std::string_view end = text.substr(split + 1);
  if (end.starts_with('@')) {
    MQ_TRY(out.to_ms, time_of(end));
    MQ_TRY(out.to, inspect::first_file_behind(log, out.to_ms));
  } else if (!end.empty()) {
    MQ_TRY(out.to, place_of(end, log));
  }
  return out;
}

}  // namespace mq::mqdump
