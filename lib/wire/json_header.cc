#include "wire/json_header.h"

#include <charconv>
#include <functional>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace mq::wire {
namespace {

namespace json = boost::json;
using JsonError = json::error_code;

enum class Key : std::uint8_t {
  kOther,
  kCode,
  kExtFields,
  kFlag,
  kLanguage,
  kOpaque,
  kRemark,
  kVersion
};

Key key_from_name(std::string_view name) noexcept {
  if (name == "code") return Key::kCode;
  if (name == "extFields") return Key::kExtFields;
  if (name == "flag") return Key::kFlag;
  if (name == "language") return Key::kLanguage;
  if (name == "opaque") return Key::kOpaque;
  if (name == "remark") return Key::kRemark;
  if (name == "version") return Key::kVersion;
  return Key::kOther;
}

enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString };

// What the parser calls. Three levels matter: nothing yet, the header object, extFields in it;
// whatever else is nested is skipped.
class HeaderHandler {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for them by these names
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  // NOLINTEND(readability-identifier-naming)

  HeaderHandler(std::string_view header, Command& out) : header_(header), out_(out) {}
  [[nodiscard]] const char* problem() const noexcept { return problem_; }

  bool on_document_begin(JsonError&) { return true; }
  bool on_document_end(JsonError&) { return true; }

  bool on_object_begin(JsonError& ec) {
    if (level_ == Level::kNone) return level_ = Level::kHeader, true;
    if (skipped_ == 0 && level_ == Level::kHeader) {
      if (key_ == Key::kExtFields) {
        level_ = Level::kExtFields;
        out_.ext.clear();
        return true;
      }
      if (key_ != Key::kOther) return fail(ec, "an object where a number or text belongs");
    }
    ++skipped_;
    return true;
  }
  bool on_object_end(std::size_t, JsonError&) {
    if (skipped_ > 0)
      --skipped_;
    else
      level_ = level_ == Level::kExtFields ? Level::kHeader : Level::kNone;
    return true;
  }
  bool on_array_begin(JsonError& ec) {
    if (level_ == Level::kNone) return fail(ec, "not an object");
    if (skipped_ == 0 && level_ == Level::kHeader && key_ != Key::kOther)
      return fail(ec, "an array where a value belongs");
    ++skipped_;
    return true;
  }
  bool on_array_end(std::size_t, JsonError&) { return --skipped_, true; }

  bool on_key_part(json::string_view part, std::size_t, JsonError&) { return keep_part(part); }
  bool on_key(json::string_view last, std::size_t, JsonError&) {
    const std::string_view name = whole(last);
    if (skipped_ > 0) return true;
    if (level_ == Level::kExtFields)
      ext_name_ = name;
    else
      key_ = key_from_name(name);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, JsonError&) { return keep_part(part); }
  bool on_string(json::string_view last, std::size_t, JsonError& ec) {
    return value(Kind::kString, whole(last), ec);
  }
  bool on_number_part(json::string_view part, JsonError&) { return keep_part(part); }
  bool on_int64(std::int64_t, json::string_view last, JsonError& ec) {
    return value(Kind::kNumber, whole(last), ec);
  }
  bool on_uint64(std::uint64_t, json::string_view last, JsonError& ec) {
    return value(Kind::kNumber, whole(last), ec);
  }
  bool on_double(double, json::string_view last, JsonError& ec) {
    return value(Kind::kNumber, whole(last), ec);
  }
  bool on_bool(bool b, JsonError& ec) { return value(Kind::kBool, b ? "true" : "false", ec); }
  bool on_null(JsonError& ec) { return value(Kind::kNull, {}, ec); }
  bool on_comment_part(json::string_view, JsonError&) { return true; }
  bool on_comment(json::string_view, JsonError&) { return true; }

 private:
  enum class Level : std::uint8_t { kNone, kHeader, kExtFields };

  bool fail(JsonError& ec, const char* problem) {
    problem_ = problem;
    ec = json::error::syntax;
    return false;
  }

  // Text comes whole, as a view of the header, or, when it holds escapes, in parts from a buffer of
  // the parser's. Storage was reserved for the whole header, and unescaping only shrinks, so views
  // into it stay good.
  bool keep_part(json::string_view part) {
    if (!in_parts_) {
      in_parts_ = true;
      parts_at_ = out_.storage.size();
    }
    out_.storage.append(part.data(), part.size());
    return true;
  }
  std::string_view whole(json::string_view last) {
    const std::less_equal<const char*> le;
    if (!in_parts_ && le(header_.data(), last.data()) &&
        le(last.data() + last.size(), header_.data() + header_.size()))
      return {last.data(), last.size()};
    keep_part(last);
    in_parts_ = false;
    return std::string_view(out_.storage).substr(parts_at_);
  }

  bool value(Kind kind, std::string_view text, JsonError& ec) {
    if (level_ == Level::kNone) return fail(ec, "not an object");
    if (skipped_ > 0) return true;
    if (level_ == Level::kExtFields) {
      if (kind != Kind::kNull) out_.ext.add(ext_name_, text);
      return true;
    }
    switch (key_) {
      case Key::kOther:
        return true;
      case Key::kCode:
        return number(out_.code, kind, text, ec);
      case Key::kFlag:
        return number(out_.flag, kind, text, ec);
      case Key::kOpaque:
        return number(out_.opaque, kind, text, ec);
      case Key::kVersion:
        return number(out_.version, kind, text, ec);
      case Key::kLanguage:
        return language(text), true;
      case Key::kRemark:
        return out_.remark = text, true;
      case Key::kExtFields:
        return text.empty() || fail(ec, "extFields is not an object");
    }
    return true;
  }
  bool number(std::int32_t& to, Kind kind, std::string_view text, JsonError& ec) {
    if (kind == Kind::kNull || text.empty() || text == "null") return true;
    std::int32_t parsed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(ec, "a number that does not fit 32 bits");
    to = parsed;
    return true;
  }
  void language(std::string_view text) {
    std::int64_t ordinal = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ordinal);
    out_.language = error == std::errc() && end == text.data() + text.size()
                        ? language_from_ordinal(ordinal)
                        : language_from_name(text);
  }

  std::string_view header_;
  Command& out_;
  const char* problem_ = nullptr;
  std::string_view ext_name_;
  std::size_t parts_at_ = 0;
  std::int32_t skipped_ = 0;  // depth below what matters
  Level level_ = Level::kNone;
  Key key_ = Key::kOther;
  bool in_parts_ = false;
};

}  // namespace

Result<void> decode_json_header(std::string_view header, Command& out) {
  // More than a short string holds in place, so that moving `out` keeps the views good.
  out.storage.reserve(std::max<std::size_t>(header.size(), 64));
  json::parse_options options;
  options.allow_trailing_commas = true;
  options.allow_invalid_utf8 = true;  // bytes are passed on; who needs text checks
  json::basic_parser<HeaderHandler> parser(options, header, out);
  JsonError ec;
  const std::size_t used = parser.write_some(false, header.data(), header.size(), ec);
  if (ec)
    return Error{Errc::kProtocol,
                 fmt::format("JSON header: {}", parser.handler().problem() != nullptr
                                                    ? std::string(parser.handler().problem())
                                                    : ec.message())};
  if (used != header.size())
    return Error{Errc::kProtocol,
                 fmt::format("JSON header: ends at {} of {} bytes", used, header.size())};
  return {};
}

}  // namespace mq::wire
