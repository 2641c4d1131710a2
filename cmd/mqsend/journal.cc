#include "journal.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/clock.h"
#include "fs/fs.h"

namespace mq::mqsend {
namespace {

constexpr std::int64_t kSaveUs = 1'000'000;

}  // namespace

Result<Journal> Journal::open(std::string path) {
  Journal out(std::move(path));
  auto text = fs::read_file(fs::posix(), out.path_, 4096);
  if (!text) {
    if (text.error().code() == Errc::kNotFound) return out;
    return std::move(text).error();
  }
  long long offset = 0;
  long long number = 0;
  if (std::sscanf(text->c_str(), "mqsend-resume 1 %lld %lld", &offset, &number) != 2 ||
      offset < 0 || number < 0) {
    return Error{Errc::kInvalid,
                 fmt::format("--resume {}: this is no journal of mqsend", out.path_)};
  }
  out.offset_ = out.saved_ = offset;
  out.number_ = number;
  return out;
}

void Journal::note(std::int64_t begin, std::int64_t end, std::int64_t number) {
  if (begin > offset_) {
    ahead_[begin] = {end, number};
    return;
  }
  if (end <= offset_) return;
  offset_ = end;
  number_ = number;
  while (!ahead_.empty() && ahead_.begin()->first <= offset_) {
    const Stretch& next = ahead_.begin()->second;
    if (next.end > offset_) {
      offset_ = next.end;
      number_ = next.number;
    }
    ahead_.erase(ahead_.begin());
  }
}

Result<void> Journal::save(bool last) {
  if (offset_ == saved_) return {};
  const std::int64_t now = system_clock().monotonic_us();
  if (!last && now - saved_us_ < kSaveUs) return {};
  saved_us_ = now;
  MQ_CHECK(fs::write_file_atomically(
      fs::posix(), path_, fmt::format("mqsend-resume 1 {} {}\n", offset_, number_), false));
  saved_ = offset_;
  return {};
}

}  // namespace mq::mqsend
