#include "cli/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace mq::cli {
namespace {

Error bad(std::string_view what, std::string_view text, std::string_view expected) {
  return Error{Errc::kInvalid, fmt::format("'{}' is not a {}: expected {}", text, what, expected)};
}

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// ".5" as thousandths, 0 without a point; digits beyond the third do not count. Nothing for a point
// alone.
std::optional<std::int64_t> take_thousandths(std::string_view& text) {
  if (text.empty() || text.front() != '.') return 0;
  std::size_t at = 1;
  std::int64_t out = 0;
  for (std::int64_t scale = 100; at < text.size() && text[at] >= '0' && text[at] <= '9';
       ++at, scale /= 10)
    out += (text[at] - '0') * scale;
  if (at == 1) return std::nullopt;
  text.remove_prefix(at);
  return out;
}

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
// "ms" before "m": the longer name wins.
constexpr std::array<Unit, 5> kUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

// One or two digits within bounds, then `end` (0: nothing). Advances.
bool take_field(std::string_view& text, int digits, int& out, char end) {
  if (text.size() < static_cast<std::size_t>(digits)) return false;
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(digits));
  out = value;
  if (end == 0) return true;
  if (text.empty() || text.front() != end) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t midnight(std::int64_t now_ms, int days_back) {
  const std::time_t seconds = now_ms / 1000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_mday -= days_back;
  parts.tm_isdst = -1;
  return std::mktime(&parts) * 1000LL;
}

// "[T ]HH:MM[:SS[.mmm]]" and a zone; nothing left over.
bool take_clock(std::string_view text, std::tm& parts, std::int64_t& ms,
                std::optional<int>& zone_seconds) {
  if (text.empty()) return true;
  if (text.front() != 'T' && text.front() != ' ' && text.front() != 't') return false;
  text.remove_prefix(1);
  if (!take_field(text, 2, parts.tm_hour, ':') || !take_field(text, 2, parts.tm_min, 0))
    return false;
  if (!text.empty() && text.front() == ':') {
    text.remove_prefix(1);
    if (!take_field(text, 2, parts.tm_sec, 0)) return false;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      int scale = 100;
      std::size_t digits = 0;
      for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9';
           ++digits, scale /= 10) {
        ms += static_cast<std::int64_t>(text[digits] - '0') * scale;
      }
      if (digits == 0) return false;
      text.remove_prefix(digits);
    }
  }
  if (text.empty()) return true;
  if (text == "Z" || text == "z") return zone_seconds = 0, true;
  const int sign = text.front() == '+' ? 1 : text.front() == '-' ? -1 : 0;
  int hours = 0;
  int minutes = 0;
  text.remove_prefix(1);
  if (sign == 0 || !take_field(text, 2, hours, ':') || !take_field(text, 2, minutes, 0) ||
      !text.empty())
    return false;
  zone_seconds = sign * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return bad("size", text, "a number with K, M, G or T");
  int shift = 0;
  if (!rest.empty()) {
    switch (rest.front()) {
      case 'k':
      case 'K':
        shift = 10;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'g':
      case 'G':
        shift = 30;
        break;
      case 't':
      case 'T':
        shift = 40;
        break;
      default:
        break;
    }
    if (shift != 0) rest.remove_prefix(1);
    if (rest == "B" || rest == "iB") rest = {};
  }
  if (!rest.empty()) return bad("size", text, "a number with K, M, G or T");
  if (*number > std::numeric_limits<std::int64_t>::max() >> shift) return bad("size", text, "less");
  return *number << shift;
}

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  constexpr std::string_view kExpected = "500ms, 0.5s, 10s, 5m, 1h30m, 3d";
  std::string_view rest = text;
  std::int64_t total = 0;
  if (text.empty()) return bad("duration", text, kExpected);
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number || *number > 1'000'000'000'000) return bad("duration", text, kExpected);
    const auto thousandths = take_thousandths(rest);
    if (!thousandths) return bad("duration", text, kExpected);
    if (rest.empty()) {
      if (total != 0) return bad("duration", text, kExpected);
      return *number * 1000 + *thousandths;
    }
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (found == nullptr && rest.starts_with(unit.name)) found = &unit;
    }
    if (found == nullptr) return bad("duration", text, kExpected);
    rest.remove_prefix(found->name.size());
    if (*number > (std::numeric_limits<std::int64_t>::max() - total) / found->ms - 1)
      return bad("duration", text, "less");
    total += *number * found->ms + *thousandths * found->ms / 1000;
  }
  return total;
}

std::string format_duration_ms(std::int64_t ms) {
  if (ms == 0) return "0s";
  std::string out;
  for (const Unit& unit : {kUnits[4], kUnits[3], kUnits[2], kUnits[1], kUnits[0]}) {
    if (ms < unit.ms) continue;
    fmt::format_to(std::back_inserter(out), "{}{}", ms / unit.ms, unit.name);
    ms %= unit.ms;
  }
  return out;
}

Result<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms) {
  constexpr std::string_view kExpected =
      "RFC 3339, 2026-02-14 10:00, today, yesterday, now, -1h, @SECONDS or @MILLISECONDS";
  if (text == "now") return now_ms;
  if (text == "today") return midnight(now_ms, 0);
  if (text == "yesterday") return midnight(now_ms, 1);
  if (text.starts_with('-')) {
    MQ_TRY(const std::int64_t back, parse_duration_ms(text.substr(1)));
    return now_ms - back;
  }
  if (text.starts_with('@')) {
    std::string_view rest = text.substr(1);
    const auto number = take_number(rest);
    if (!number || !rest.empty()) return bad("time", text, kExpected);
    // Eleven digits of seconds would be after the year 5000: those are milliseconds.
    return text.size() <= 11 ? *number * 1000 : *number;
  }
  std::string_view rest = text;
  std::tm parts{};
  int year = 0;
  int month = 0;
  std::int64_t ms = 0;
  std::optional<int> zone;
  if (!take_field(rest, 4, year, '-') || !take_field(rest, 2, month, '-') ||
      !take_field(rest, 2, parts.tm_mday, 0) || !take_clock(rest, parts, ms, zone) || month < 1 ||
      month > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 ||
      parts.tm_min > 59 || parts.tm_sec > 60) {
    return bad("time", text, kExpected);
  }
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_isdst = -1;
  const std::time_t seconds = zone ? timegm(&parts) - *zone : std::mktime(&parts);
  return seconds * 1000LL + ms;
}

std::string format_time_ms(std::int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::int64_t rest = ms % 1000;
  if (rest < 0) rest += 1000, --seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest);
}

std::string human_count(double value) {
  for (const char* unit : {"", "k", "M", "G"}) {
    if (std::abs(value) < 1000)
      return *unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}{}", value, unit);
    value /= 1000;
  }
  return fmt::format("{:.1f}T", value);
}

std::string human_bytes(double value) {
  for (const char* unit : {"B", "K", "M", "G"}) {
    if (std::abs(value) < 1024)
      return *unit == 'B' ? fmt::format("{:.0f}B", value) : fmt::format("{:.1f}{}", value, unit);
    value /= 1024;
  }
  return fmt::format("{:.1f}T", value);
}

}  // namespace mq::cli
