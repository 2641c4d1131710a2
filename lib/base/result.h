// Errors are values: every function that can fail returns Result<T>. Nothing in lib/ throws or
// exits.
//
// An Error says what its receiver can do (the code) and, in words, what was wrong, where, what was
// expected and found. It is two words wide; text is allocated only when something failed.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "base/assert.h"

namespace mq {

enum class Errc : std::uint8_t {
  kShort,        // the input ends before the value does; more bytes may help
  kCorrupt,      // the bytes contradict the format; more bytes will not help
  kNotFound,     // no such thing: file, record, topic, key, or a slot never written
  kExists,       // already there
  kInvalid,      // the caller's argument or the user's input is not acceptable
  kNoSpace,      // disk or quota full; the same call may succeed later
  kIo,           // the device failed; see sys_errno()
  kBusy,         // somebody else holds it, or too much is under way; retry later
  kTimeout,      // not done in time; may still happen
  kUnavailable,  // stopped, stopping, or refusing on purpose
  kUnsupported,  // a well-formed request for something that this build does not do
  kProtocol,     // the peer broke the protocol
  kClosed,       // the peer closed the connection, or end of stream
  kRemote,       // the peer answered with an error of its own
  kDenied,       // not allowed, here or at the peer
};

[[nodiscard]] const char* name_of(Errc code) noexcept;

class [[nodiscard]] Error {
 public:
  explicit Error(Errc code) noexcept : code_(code) {}
  Error(Errc code, std::string text)
      : code_(code), text_(std::make_unique<std::string>(std::move(text))) {}

  Error(const Error& other)
      : code_(other.code_),
        errno_(other.errno_),
        text_(other.text_ ? std::make_unique<std::string>(*other.text_) : nullptr) {}
  Error& operator=(const Error& other) { return *this = Error(other); }
  Error(Error&&) noexcept = default;
  Error& operator=(Error&&) noexcept = default;
  ~Error() = default;

  // From errno: ENOSPC/EDQUOT/EFBIG are kNoSpace, ENOENT kNotFound, EEXIST kExists, EAGAIN/EBUSY
  // kBusy, all others kIo.
  static Error from_errno(int sys_errno, std::string what);

  [[nodiscard]] Errc code() const noexcept { return code_; }
  [[nodiscard]] int sys_errno() const noexcept { return errno_; }  // 0: not from the system
  [[nodiscard]] std::string text() const { return text_ ? *text_ : std::string(); }
  // "kCorrupt: commitlog/000…: record of 12 bytes, expected 91 or more".
  [[nodiscard]] std::string to_string() const;

  // The same error with `where: ` in front of its text.
  [[nodiscard]] Error within(std::string_view where) &&;

 private:
  Errc code_;
  int errno_ = 0;
  std::unique_ptr<std::string> text_;
};

// Prints itself in GoogleTest failures.
std::ostream& operator<<(std::ostream& out, const Error& error);

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  // NOLINTNEXTLINE(google-explicit-constructor): reads as `return Error{…}`
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}
  Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor): ditto
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using Base = tl::expected<void, Error>;
  using Base::Base;
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): ditto
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}
};

}  // namespace mq

#define MQ_CONCAT_INNER(a, b) a##b
#define MQ_CONCAT(a, b) MQ_CONCAT_INNER(a, b)

// MQ_TRY(auto x, expression): declares x from a Result, or returns its Error to our caller.
#define MQ_TRY(declaration, ...)                            \
  auto MQ_CONCAT(mq_try_, __LINE__) = (__VA_ARGS__);        \
  if (!MQ_CONCAT(mq_try_, __LINE__)) [[unlikely]]           \
    return std::move(MQ_CONCAT(mq_try_, __LINE__)).error(); \
  declaration = *std::move(MQ_CONCAT(mq_try_, __LINE__))

// MQ_CHECK(expression): for Result<void>, and for a Result whose value is not needed.
#define MQ_CHECK(...)                                            \
  do {                                                           \
    if (auto mq_check_ = (__VA_ARGS__); !mq_check_) [[unlikely]] \
      return std::move(mq_check_).error();                       \
  } while (false)
