// The one JSON of the project: Boost.JSON values, with a reader that takes fastjson's dialect
// (remoting.md section 11, store-format.md 6.3) and a writer in its "pretty" and compact forms. It
// is here because state files (format), headers and bodies (wire) all need it.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/result.h"

namespace mq {

namespace json = boost::json;

// Standard JSON plus: bare integer and identifier keys, object values as keys (kept as their text),
// single quotes, trailing commas; duplicate keys: last wins; depth at most 64; never throws. Bytes
// that are not UTF-8 become U+FFFD. Errors: kCorrupt with the byte offset and what was expected
// there.
Result<json::value> parse_json(std::string_view text);

// One line, keys as given, no blanks; control characters escaped, other text raw.
[[nodiscard]] std::string to_json(const json::value& value);
// As fastjson writes state files: tabs, members sorted by name, `"name":value`. Keys that are
// integers stay quoted.
[[nodiscard]] std::string to_pretty_json(const json::value& value);
// In json_text.cc, as is is_utf8: appends `text` as a JSON string with its quotes; bytes that are
// not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
// Well-formed UTF-8?
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// Reading leniently: a number or boolean given as string counts, and for string_or the text of a
// number or boolean; missing (a null pointer), null or unfit yields the default.
[[nodiscard]] std::int64_t int_or(const json::value* value, std::int64_t otherwise) noexcept;
[[nodiscard]] bool bool_or(const json::value* value, bool otherwise) noexcept;
[[nodiscard]] std::string string_or(const json::value* value, std::string_view otherwise);
[[nodiscard]] const json::value* member(const json::value& object,
                                        std::string_view name) noexcept;  // null: none

}  // namespace mq
