// A remoting command: one frame of the protocol, bytes to values and back (remoting.md section 1).
//
//   4  length          bytes that follow = 4 + H + B
//   1  serializeType   0 JSON, 1 binary
//   3  headerLength H
//   H  header
//   B  body
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace mq::wire {

inline constexpr std::size_t kFrameLengthMax = 16'777'212;  // largest accepted `length`
inline constexpr std::int32_t kVersion = 479;               // 5.3.3
inline constexpr std::int32_t kFlagResponse = 1;
inline constexpr std::int32_t kFlagOneway = 2;

enum class Serialize : std::uint8_t { kJson = 0, kBinary = 1 };

// Ordinals of 1.6; kUnknown for a name we do not know.
enum class Language : std::uint8_t {
  kJava,
  kCpp,
  kDotnet,
  kPython,
  kDelphi,
  kErlang,
  kRuby,
  kOther,
  kHttp,
  kGo,
  kPhp,
  kOms,
  kRust,
  kNodeJs,
  kUnknown = 255
};
[[nodiscard]] std::string_view language_name(Language language) noexcept;  // "CPP"; "" for kUnknown
[[nodiscard]] Language language_from_name(std::string_view name) noexcept;
[[nodiscard]] Language language_from_ordinal(std::int64_t ordinal) noexcept;

// extFields: name to text, in order of appearance; a later duplicate wins. Null values are not
// there. Values are views into the frame or into the storage of the Command that was decoded.
class ExtFields {
 public:
  void add(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  void clear() noexcept { fields_.clear(); }
  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }

 private:
  std::vector<std::pair<std::string_view, std::string_view>>
      fields_;  // keeps its capacity from frame to frame
};

// Reusable: decoding into one Command again and again allocates nothing once it is warm. Moving one
// keeps its views good; copying does not.
struct Command {
  Serialize serialize = Serialize::kJson;
  std::int32_t code = 0;
  Language language = Language::kJava;
  std::int32_t version = 0;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  std::string_view remark{};
  ExtFields ext;
  Bytes body{};

  [[nodiscard]] bool is_response() const noexcept { return (flag & kFlagResponse) != 0; }
  [[nodiscard]] bool is_oneway() const noexcept { return (flag & kFlagOneway) != 0; }

  std::string storage;  // unescaped text of a JSON header; the views above may point into it
};

// How long the frame at the start of `in` is, all of its bytes, once its first 8 bytes are there; 0
// = need more (a length that is wrong is told from the first 4). Errors: kProtocol (the reasons
// of 1.1 to close the connection: negative or oversize length, header longer than the frame,
// serializeType neither 0 nor 1).
Result<std::size_t> frame_bytes(Bytes in);
// Decodes one whole frame; views point into `frame` and `out.storage`. Errors: kProtocol.
Result<void> decode_command(Bytes frame, Command& out);

// A field to write: text, or an integer that is written as text.
struct Field {
  std::string_view name;
  std::string_view text;
  std::int64_t number = 0;
  bool is_number = false;
  Field(std::string_view n, std::string_view t) : name(n), text(t) {}
  Field(std::string_view n, const char* t) : name(n), text(t) {}
  Field(std::string_view n, const std::string& t) : name(n), text(t) {}
  Field(std::string_view n, std::int64_t v) : name(n), number(v), is_number(true) {}
  Field(std::string_view n, std::int32_t v) : name(n), number(v), is_number(true) {}
  Field(std::string_view n, bool v) : name(n), text(v ? "true" : "false") {}
};

// What a header says when written. Codes above 32767 do not fit the binary form: those are written
// as JSON whatever `serialize` says.
struct Header {
  Serialize serialize = Serialize::kJson;
  Language language = Language::kCpp;
  std::int32_t code = 0;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  std::string_view remark{};  // empty: none
};
// How an answer to `request` starts: its form, its opaque, the response bit.
[[nodiscard]] inline Header answer_to(const Command& request, std::int32_t code,
                                      std::string_view remark = {}) noexcept {
  return {.serialize = request.serialize,
          .code = code,
          .opaque = request.opaque,
          .flag = kFlagResponse,
          .remark = remark};
}

// Appends length, header length and header to `out` for a frame whose body of `body_bytes` the
// caller sends after it. Errors are not possible within kFrameLengthMax; beyond it the peer will
// refuse the frame.
void append_frame_head(std::string& out, const Header& header, std::span<const Field> ext,
                       std::size_t body_bytes);
// The same with the body appended.
void append_frame(std::string& out, const Header& header, std::span<const Field> ext, Bytes body);

// Integer text of an ext field. Errors: kInvalid naming the field (missing, not a number, out of
// range).
Result<std::int64_t> int64_field(const ExtFields& ext, std::string_view name);
Result<std::int32_t> int32_field(const ExtFields& ext, std::string_view name);
Result<std::string_view> text_field(const ExtFields& ext,
                                    std::string_view name);  // kInvalid when missing
[[nodiscard]] std::int64_t int64_or(const ExtFields& ext, std::string_view name,
                                    std::int64_t otherwise) noexcept;
[[nodiscard]] bool bool_or(const ExtFields& ext, std::string_view name, bool otherwise) noexcept;

}  // namespace mq::wire
