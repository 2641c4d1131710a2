// Cuts input into records without losing a byte, whatever the sizes in which it arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "options.h"

namespace mq::mqsend {

// Pure: bytes in, records out. A record is a view that is valid until the next feed().
class Splitter {
 public:
  Splitter(Split split, std::string delimiter, std::int64_t record_max)
      : split_(split), delimiter_(std::move(delimiter)), record_max_(record_max) {}

  struct Record {
    std::string_view text;
    std::int64_t offset = 0;  // of its first byte in the input
    std::int64_t end = 0;     // behind its delimiter
    bool oversize = false;    // larger than record_max: text is its beginning
  };
  void feed(std::string_view bytes);
  void finish() noexcept { finished_ = true; }  // nothing more comes
  // The next whole record; nothing if more input is needed or all is done. Errors: kCorrupt (the
  // input ends within a length-prefixed record).
  Result<std::optional<Record>> next();
  [[nodiscard]] std::int64_t offset() const noexcept {
    return base_ + static_cast<std::int64_t>(at_);
  }
  void set_offset(std::int64_t offset) noexcept { base_ = offset; }

 private:
  Result<std::optional<Record>> next_delimited();
  Result<std::optional<Record>> next_prefixed();
  std::optional<Record> take(std::size_t bytes, std::size_t skip_front, std::size_t skip_back);

  Split split_;
  std::string delimiter_;
  std::int64_t record_max_;
  std::string buffer_;
  std::size_t at_ = 0;        // first byte not taken
  std::size_t searched_ = 0;  // no delimiter before it
  std::int64_t base_ = 0;     // input offset of buffer_[0]
  std::int64_t dropped_ = 0;  // bytes of an oversize record that are gone already
  bool finished_ = false;
};

}  // namespace mq::mqsend
