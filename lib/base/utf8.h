// Text from outside is UTF-8 until it turns out not to be.
#pragma once

#include <cstdint>
#include <string_view>

namespace mq {

inline constexpr std::uint32_t kReplacementPoint = 0xFFFD;

// The code point of `text` at `at` (in range), advancing `at` behind it. Malformed bytes give
// kReplacementPoint, cut as Java's decoder cuts them: the longest valid prefix of a sequence is one
// replacement.
[[nodiscard]] std::uint32_t next_code_point(std::string_view text, std::size_t& at) noexcept;

}  // namespace mq
