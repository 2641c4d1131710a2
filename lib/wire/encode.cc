// Commands on their way out, in both forms of the header. Keys stand in the reference's order, so
// that frames can be compared byte for byte.
#include <charconv>
#include <limits>

#include "base/json.h"
#include "wire/command.h"

namespace mq::wire {
namespace {

// Text of an integer without an allocation.
class Digits {
 public:
  explicit Digits(std::int64_t value) noexcept
      : end_(std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr) {}
  [[nodiscard]] std::string_view view() const noexcept {
    return {text_.data(), static_cast<std::size_t>(end_ - text_.data())};
  }

 private:
  std::array<char, 20> text_;
  char* end_;
};

template <std::integral T>
void append_be(std::string& out, T value) {
  std::array<std::byte, sizeof(T)> raw;
  store_be(raw.data(), value);
  out += as_text(raw);
}
template <std::integral T>
void store_at(std::string& out, std::size_t at, T value) noexcept {
  store_be(reinterpret_cast<std::byte*>(out.data() + at), value);
}

bool fits_int16(std::int32_t value) noexcept {
  return value >= std::numeric_limits<std::int16_t>::min() &&
         value <= std::numeric_limits<std::int16_t>::max();
}

void append_json_header(std::string& out, const Header& header, std::span<const Field> ext) {
  out += "{\"code\":";
  out += Digits(header.code).view();
  if (!ext.empty()) {
    out += ",\"extFields\":{";
    bool first = true;
    for (const Field& field : ext) {
      if (!first) out += ',';
      first = false;
      append_json_string(out, field.name);
      out += ':';
      if (field.is_number) {  // as text, or Go and C++ clients do not see it
        out += '"';
        out += Digits(field.number).view();
        out += '"';
      } else {
        append_json_string(out, field.text);
      }
    }
    out += '}';
  }
  out += ",\"flag\":";
  out += Digits(header.flag).view();
  out += ",\"language\":\"";
  out += language_name(header.language);
  out += "\",\"opaque\":";
  out += Digits(header.opaque).view();
  if (!header.remark.empty()) {
    out += ",\"remark\":";
    append_json_string(out, header.remark);
  }
  out += ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":";
  out += Digits(kVersion).view();
  out += '}';
}

void append_binary_header(std::string& out, const Header& header, std::span<const Field> ext) {
  append_be(out, static_cast<std::int16_t>(header.code));
  append_be(out, static_cast<std::uint8_t>(header.language));
  append_be(out, static_cast<std::int16_t>(kVersion));
  append_be(out, header.opaque);
  append_be(out, header.flag);
  append_be(out, static_cast<std::int32_t>(header.remark.size()));
  out += header.remark;
  const std::size_t map_at = out.size();
  append_be(out, std::int32_t{0});
  for (const Field& field : ext) {
    append_be(out, static_cast<std::int16_t>(field.name.size()));
    out += field.name;
    const Digits digits(field.number);
    const std::string_view value = field.is_number ? digits.view() : field.text;
    append_be(out, static_cast<std::int32_t>(value.size()));
    out += value;
  }
  store_at(out, map_at, static_cast<std::int32_t>(out.size() - map_at - 4));
}

}  // namespace

void append_frame_head(std::string& out, const Header& header, std::span<const Field> ext,
                       std::size_t body_bytes) {
  const std::size_t start = out.size();
  out.append(8, '\0');
  const bool binary = header.serialize == Serialize::kBinary && fits_int16(header.code);
  if (binary)
    append_binary_header(out, header, ext);
  else
    append_json_header(out, header, ext);
  const std::size_t header_bytes = out.size() - start - 8;
  // A frame beyond the limit must look like one: its length must not wrap into a legal one.
  const auto length = std::min<std::size_t>(4 + header_bytes + body_bytes,
                                            std::numeric_limits<std::int32_t>::max());
  store_at(out, start, static_cast<std::int32_t>(length));
  store_at(out, start + 4,
           (binary ? 0x01000000U : 0U) | (static_cast<std::uint32_t>(header_bytes) & 0xFFFFFFU));
}

void append_frame(std::string& out, const Header& header, std::span<const Field> ext, Bytes body) {
  append_frame_head(out, header, ext, body.size());
  out += as_text(body);
}

}  // namespace mq::wire
