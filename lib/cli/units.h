// Sizes, durations and times as people type them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mq::cli {

// "4096", "64K", "4M", "1G", "2T" (1024), an optional B behind. Errors: kInvalid.
Result<std::int64_t> parse_size(std::string_view text);
// "500ms", "0.5s", "10s", "5m", "1h30m", "3d"; a bare number counts as seconds. Milliseconds.
// Errors: kInvalid.
Result<std::int64_t> parse_duration_ms(std::string_view text);
[[nodiscard]] std::string format_duration_ms(std::int64_t ms);
// RFC 3339, "2026-02-14", "2026-02-14 10:00[:00[.123]]" (local), "now", "today", "yesterday",
// "-1h", "@SECONDS" (up to 10 digits), "@MILLISECONDS" (13). Milliseconds since 1970. Errors:
// kInvalid.
Result<std::int64_t> parse_time_ms(std::string_view text, std::int64_t now_ms);
// "2026-02-14T10:00:00.123Z"; parse_time_ms reads it back.
[[nodiscard]] std::string format_time_ms(std::int64_t ms);
// "1.2M": for people.
[[nodiscard]] std::string human_count(double value);
[[nodiscard]] std::string human_bytes(double value);

}  // namespace mq::cli
