// Message ids (store-format.md section 3).
#pragma once

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "format/record.h"

namespace mq::format {

// Store host and physical offset as upper-case hex: 32 characters, 56 with IPv6.
[[nodiscard]] std::string offset_message_id(const Host& store_host, PhysicalOffset offset);
void append_offset_message_id(std::string& out, const Host& store_host, PhysicalOffset offset);
struct OffsetMessageId {
  Host store_host;
  PhysicalOffset offset;
};
// Either case. Errors: kInvalid.
Result<OffsetMessageId> parse_offset_message_id(std::string_view text);

// Makes UNIQ_KEYs as the official client does: address 4, pid 2, a hash of this process 4, ms since
// the start of the month 4, counter 2; 32 upper-case hex characters. Not for use by several threads
// at once.
class UniqKeyMaker {
 public:
  UniqKeyMaker();
  // Writes 32 characters. No allocation, no system call but the clock's.
  void make(std::int64_t now_ms, char* out) noexcept;

 private:
  char prefix_[20];  // the constant part as hex
  std::int64_t month_start_ms_ = 0;
  std::int64_t next_month_ms_ = 0;
  std::uint16_t counter_ = 0;
};

}  // namespace mq::format
