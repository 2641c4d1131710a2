// Names of the files and directories of a store, and of topics (store-format.md 1,
// semantics.md 1.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mq::format {

// "00000000001073741824".
[[nodiscard]] std::string stream_file_name(std::int64_t start);
// The inverse; nothing for anything but 20 ASCII digits that fit.
[[nodiscard]] std::optional<std::int64_t> parse_stream_file_name(std::string_view name) noexcept;

inline constexpr std::size_t kTopicBytesMax = 127;
inline constexpr std::size_t kRetryTopicBytesMax = 255;
inline constexpr std::size_t kGroupBytesMax = 255;
inline constexpr std::string_view kRetryPrefix = "%RETRY%";
inline constexpr std::string_view kDlqPrefix = "%DLQ%";
inline constexpr std::string_view kSystemTopicPrefix = "rmq_sys_";
inline constexpr std::string_view kScheduleTopic = "SCHEDULE_TOPIC_XXXX";
inline constexpr std::string_view kTimerTopic = "rmq_sys_wheel_timer";
inline constexpr std::string_view kHalfTopic = "RMQ_SYS_TRANS_HALF_TOPIC";
inline constexpr std::string_view kHalfDoneTopic = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
inline constexpr std::string_view kHalfGivenUpTopic = "TRANS_CHECK_MAX_TIME_TOPIC";

// Errors: kInvalid with what is wrong (empty, too long, which character where).
Result<void> check_topic_name(std::string_view topic);
// The same, and the retry topics of pop consumption that nobody but a broker makes:
// %RETRY%group+topic.
Result<void> check_own_topic_name(std::string_view topic);
Result<void> check_group_name(std::string_view group);

}  // namespace mq::format
