// A setting that may change while others read it: a plain value to its readers, each read of its
// own.
#pragma once

#include <atomic>

namespace mq {

template <typename T>
class Live {
 public:
  Live(T value = T()) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor): a value
  Live(const Live& other) noexcept : value_(other) {}
  Live& operator=(const Live& other) noexcept { return *this = static_cast<T>(other); }
  Live& operator=(T value) noexcept {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  ~Live() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a value
  operator T() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

}  // namespace mq
