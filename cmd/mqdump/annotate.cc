#include "annotate.h"

#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "format/properties.h"

namespace mq::mqdump {
namespace {

constexpr std::size_t kBytesALine = 16;
constexpr std::size_t kBodyShown = 256;

class Sheet {
 public:
  Sheet(Bytes bytes, bool colour) : bytes_(bytes), colour_(colour) {}

  // The next `size` bytes are that field.
  void field(std::size_t size, std::string_view name, const std::string& value,
             std::string_view meaning = {}) {
    const std::size_t shown = std::min(size, name == "body" ? kBodyShown : size);
    for (std::size_t i = 0; i == 0 || i < shown; i += kBytesALine) {
      std::string hex;
      for (std::size_t j = i; j < std::min(shown, i + kBytesALine); ++j) {
        fmt::format_to(std::back_inserter(hex), "{:02x} ",
                       std::to_integer<unsigned>(bytes_[at_ + j]));
      }
      fmt::format_to(std::back_inserter(out_), "{:06x}  {}{:<48}{}", at_ + i,
                     colour_ ? "\x1b[36m" : "", hex, colour_ ? "\x1b[0m" : "");
      if (i == 0) {
        fmt::format_to(std::back_inserter(out_), "  {}{}{} = {}", colour_ ? "\x1b[1m" : "", name,
                       colour_ ? "\x1b[0m" : "", value);
        if (!meaning.empty()) fmt::format_to(std::back_inserter(out_), "  ({})", meaning);
      } else {
        out_ += "  ";
        for (std::size_t j = i; j < std::min(shown, i + kBytesALine); ++j) {
          const char c = static_cast<char>(bytes_[at_ + j]);
          out_ += c >= 0x20 && c < 0x7F ? c : '.';
        }
      }
      while (out_.ends_with(' ')) out_.pop_back();
      out_ += '\n';
    }
    if (shown < size)
      fmt::format_to(std::back_inserter(out_), "        ... {} bytes more\n", size - shown);
    at_ += size;
  }
  void line(const std::string& text) { out_ += text + "\n"; }
  std::string take() { return std::move(out_); }

 private:
  Bytes bytes_;
  bool colour_;
  std::size_t at_ = 0;
  std::string out_;
};

std::string flags_text(std::int32_t f) {
  std::string out;
  const auto add = [&](std::string_view text) {
    out += (out.empty() ? "" : ", ") + std::string(text);
  };
  if ((f & format::kFlagCompressed) != 0) {
    const int kind = (f & format::kFlagCompressionMask) >> 8;
    add(kind == 1   ? "compressed with lz4"
        : kind == 2 ? "compressed with zstd"
                    : "compressed with zlib");
  }
  if ((f & 2) != 0) add("multi-tag");
  switch (f & format::kFlagTransactionMask) {
    case format::kTransactionPrepared:
      add("half message");
      break;
    case format::kTransactionCommit:
      add("committed transaction");
      break;
    case format::kTransactionRollback:
      add("rolled back");
      break;
    default:
      break;
  }
  if ((f & format::kFlagBornHostV6) != 0) add("bornHost is IPv6");
  if ((f & format::kFlagStoreHostV6) != 0) add("storeHost is IPv6");
  if ((f & format::kFlagNeedUnwrap) != 0) add("to be unwrapped");
  if ((f & format::kFlagInnerBatch) != 0) add("inner batch");
  return out.empty() ? "none" : out;
}

std::string text_value(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string annotate(const format::Record& r, Bytes bytes, const std::string& where, bool colour) {
  Sheet s(bytes, colour);
  s.line(fmt::format("record of {} bytes: {}", r.total_bytes, where));
  s.field(4, "totalSize", std::to_string(r.total_bytes), "this whole record");
  s.field(4, "magic", fmt::format("{:08X}", static_cast<std::uint32_t>(r.magic)),
          r.magic == format::kMagicV1 ? "V1" : "V2: topic length in 2 bytes");
  s.field(4, "bodyCRC", fmt::format("{}", r.body_crc),
          "CRC-32 of the stored body, top bit cleared");
  s.field(4, "queueId", std::to_string(r.queue_id));
  s.field(4, "flag", std::to_string(r.flag), "the producer's own");
  s.field(8, "queueOffset", std::to_string(r.queue_offset.value()), "entry number in its queue");
  s.field(8, "physicalOffset", std::to_string(r.physical_offset.value()),
          "where this record itself starts");
  s.field(4, "sysFlag", fmt::format("{:#x}", r.sys_flag), flags_text(r.sys_flag));
  s.field(8, "bornTimestamp", std::to_string(r.born_timestamp_ms),
          cli::format_time_ms(r.born_timestamp_ms));
  s.field(r.born_host.encoded_bytes(), "bornHost", format::to_string(r.born_host), "the producer");
  s.field(8, "storeTimestamp", std::to_string(r.store_timestamp_ms),
          cli::format_time_ms(r.store_timestamp_ms));
  s.field(r.store_host.encoded_bytes(), "storeHost", format::to_string(r.store_host),
          "the broker, as it is advertised");
  s.field(4, "reconsumeTimes", std::to_string(r.reconsume_times));
  s.field(8, "preparedTransactionOffset", std::to_string(r.prepared_transaction_offset.value()));
  s.field(4, "bodyLength", std::to_string(r.body.size()));
  if (!r.body.empty())
    s.field(r.body.size(), "body",
            text_value(as_text(r.body.first(std::min<std::size_t>(r.body.size(), 60)))));
  s.field(r.magic == format::kMagicV2 ? 2 : 1, "topicLength", std::to_string(r.topic.size()));
  s.field(r.topic.size(), "topic", text_value(r.topic));
  s.field(2, "propertiesLength", std::to_string(r.properties.size()));
  // Each pair on its own: name 01 value 02.
  std::string_view rest = r.properties;
  while (!rest.empty()) {
    const std::size_t end = rest.find(format::kPairEnd);
    const std::string_view piece = rest.substr(0, end);
    const std::size_t split = piece.find(format::kNameEnd);
    s.field(end == std::string_view::npos ? piece.size() : piece.size() + 1,
            "property " + std::string(piece.substr(0, split)),
            split == std::string_view::npos ? "(no value)" : text_value(piece.substr(split + 1)));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return s.take();
}

}  // namespace mq::mqdump
