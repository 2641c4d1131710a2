// How far the input is dealt with, without a gap: the journal of --resume.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace mq::mqsend {

// A file of one line, `mqsend-resume 1 OFFSET NUMBER`: all records that begin before byte OFFSET of
// the input, NUMBER of them, were acknowledged or passed over on purpose. Replaced atomically.
class Journal {
 public:
  // Reads what is there; a file that does not exist says nothing yet. Errors: kInvalid, kIo.
  static Result<Journal> open(std::string path);

  [[nodiscard]] std::int64_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::int64_t number() const noexcept { return number_; }

  // The bytes [begin, end) of the input with that record at their end are dealt with. In any order.
  void note(std::int64_t begin, std::int64_t end, std::int64_t number);
  // At most once a second unless `last`. Errors: those of writing.
  Result<void> save(bool last);

 private:
  explicit Journal(std::string path) : path_(std::move(path)) {}
  struct Stretch {
    std::int64_t end = 0;
    std::int64_t number = 0;
  };

  std::string path_;
  std::int64_t offset_ = 0;
  std::int64_t number_ = 0;
  std::int64_t saved_ = 0;
  std::int64_t saved_us_ = 0;
  std::map<std::int64_t, Stretch> ahead_;  // by begin: behind a gap
};

}  // namespace mq::mqsend
