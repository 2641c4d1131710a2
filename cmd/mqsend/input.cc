#include "input.h"

#include <cstring>

#include <fmt/format.h>

#include "base/bytes.h"

namespace mq::mqsend {

void Splitter::feed(std::string_view bytes) {
  if (at_ > 0) {
    buffer_.erase(0, at_);
    base_ += static_cast<std::int64_t>(at_);
    searched_ = searched_ > at_ ? searched_ - at_ : 0;
    at_ = 0;
  }
  buffer_ += bytes;
}

std::optional<Splitter::Record> Splitter::take(std::size_t bytes, std::size_t skip_front,
                                               std::size_t skip_back) {
  Record r;
  r.text = std::string_view(buffer_).substr(at_ + skip_front, bytes - skip_front - skip_back);
  r.offset = offset() - dropped_;
  at_ += bytes;
  r.end = offset();
  r.oversize = dropped_ > 0 || static_cast<std::int64_t>(r.text.size()) > record_max_;
  dropped_ = 0;
  searched_ = at_;
  return r;
}

Result<std::optional<Splitter::Record>> Splitter::next() {
  switch (split_) {
    case Split::kDelimiter:
      return next_delimited();
    case Split::kLengthPrefix:
      return next_prefixed();
    case Split::kWhole:
      break;
  }
  if (!finished_ || at_ == buffer_.size()) return std::optional<Record>();
  return take(buffer_.size() - at_, 0, 0);
}

Result<std::optional<Splitter::Record>> Splitter::next_delimited() {
  const char* const data = buffer_.data();
  searched_ = std::max(searched_, at_);
  const void* found =
      memmem(data + searched_, buffer_.size() - searched_, delimiter_.data(), delimiter_.size());
  if (found != nullptr) {
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - data);
    return take(end + delimiter_.size() - at_, 0, delimiter_.size());
  }
  if (finished_) {
    if (at_ == buffer_.size() && dropped_ == 0) return std::optional<Record>();
    return take(buffer_.size() - at_, 0, 0);  // the last record needs no delimiter
  }
  // A delimiter may be cut by the end of what is there.
  searched_ = buffer_.size() - std::min(buffer_.size() - at_, delimiter_.size() - 1);
  // What can only be an oversize record is not kept: it may be endless.
  if (static_cast<std::int64_t>(searched_ - at_) >
      record_max_ + static_cast<std::int64_t>(delimiter_.size())) {
    dropped_ += static_cast<std::int64_t>(searched_ - at_);
    at_ = searched_;
  }
  return std::optional<Record>();
}

Result<std::optional<Splitter::Record>> Splitter::next_prefixed() {
  constexpr std::size_t kPrefix = 4;
  const std::size_t have = buffer_.size() - at_;
  if (have == 0) return std::optional<Record>();
  const auto cut = [&] {
    return Error{Errc::kCorrupt,
                 fmt::format("the input ends within the record at byte {}", offset())};
  };
  if (have < kPrefix) {
    if (finished_) return cut();
    return std::optional<Record>();
  }
  const auto length =
      load_be<std::uint32_t>(reinterpret_cast<const std::byte*>(buffer_.data() + at_));
  if (static_cast<std::int64_t>(length) > record_max_ &&
      static_cast<std::int64_t>(length) > (1LL << 30)) {
    return Error{Errc::kCorrupt,
                 fmt::format("a length of {} at byte {}: this is no length-prefixed input", length,
                             offset())};
  }
  if (have - kPrefix < length) {
    if (finished_) return cut();
    return std::optional<Record>();
  }
  return take(kPrefix + length, kPrefix, 0);
}

}  // namespace mq::mqsend
