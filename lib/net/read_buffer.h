// Bytes that were read and do not make a whole frame yet. Empty and without memory most of the
// time.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "base/bytes.h"

namespace mq::net {

class ReadBuffer {
 public:
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] Bytes filled() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] MutableBytes room() noexcept { return {data_.get() + end_, capacity_ - end_}; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  void commit(std::size_t bytes) noexcept { end_ += bytes; }
  void consume(std::size_t bytes) noexcept {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void append(Bytes bytes) {
    if (bytes.empty()) return;
    reserve(end_ - begin_ + bytes.size());
    std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  // Makes filled() plus room() at least `capacity` long.
  void reserve(std::size_t capacity) {
    if (capacity_ - begin_ >= capacity) return;
    const std::size_t bytes = end_ - begin_;
    if (capacity <= capacity_) {
      std::memmove(data_.get(), data_.get() + begin_, bytes);
    } else {
      auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
      if (bytes > 0) std::memcpy(larger.get(), data_.get() + begin_, bytes);
      data_ = std::move(larger);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = bytes;
  }
  void release() noexcept {
    if (!empty()) return;
    data_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mq::net
