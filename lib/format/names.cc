#include "format/names.h"

#include <charconv>

#include <fmt/format.h>

namespace mq::format {
namespace {

constexpr std::size_t kStreamDigits = 20;

constexpr bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '%' || c == '|';
}

Result<void> check_name(std::string_view what, std::string_view name, std::size_t bytes_max) {
  if (name.empty()) return Error{Errc::kInvalid, fmt::format("{} name is empty", what)};
  if (name.size() > bytes_max) {
    return Error{Errc::kInvalid, fmt::format("{} name of {} bytes, at most {} are allowed", what,
                                             name.size(), bytes_max)};
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (is_name_character(name[i])) continue;
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool printable = byte > 0x20 && byte < 0x7F;
    return Error{
        Errc::kInvalid,
        fmt::format("{} name has {} at position {}, allowed are letters, digits and _ - % |", what,
                    printable ? fmt::format("'{}'", name[i]) : fmt::format("byte 0x{:02X}", byte),
                    i)};
  }
  return {};
}

}  // namespace

std::string stream_file_name(std::int64_t start) { return fmt::format("{:020}", start); }

std::optional<std::int64_t> parse_stream_file_name(std::string_view name) noexcept {
  if (name.size() != kStreamDigits || name.front() == '-') return std::nullopt;
  std::int64_t start = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), start);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return start;
}

Result<void> check_topic_name(std::string_view topic) {
  return check_name("topic", topic,
                    topic.starts_with(kRetryPrefix) ? kRetryTopicBytesMax : kTopicBytesMax);
}

Result<void> check_own_topic_name(std::string_view topic) {
  const std::size_t plus = topic.starts_with(kRetryPrefix) ? topic.find('+') : topic.npos;
  if (plus == topic.npos) return check_topic_name(topic);
  MQ_CHECK(check_name("retry topic", topic.substr(0, plus), kRetryTopicBytesMax));
  return check_name("retry topic", topic.substr(plus + 1), kRetryTopicBytesMax - plus - 1);
}

Result<void> check_group_name(std::string_view group) {
  return check_name("group", group, kGroupBytesMax);
}

}  // namespace mq::format
