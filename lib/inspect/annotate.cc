#include "inspect/annotate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "format/index_file.h"
#include "format/properties.h"
#include "format/record.h"
#include "inspect/annotate_properties.h"

namespace mq::inspect {
namespace {

constexpr std::size_t kBodyTextBytes = 60;
constexpr std::size_t kNoiseBytes = 64;

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

// A name of anything, as one word.
std::string plain(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '.';
  }
  return out;
}

// Takes fields from the front and writes them down. When one does not fit, what is left becomes a
// field of its own and everything after is passed over.
class Sheet {
 public:
  Sheet(Bytes in, std::vector<Field>& out) : in_(in), out_(out) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] Bytes rest() const { return in_.subspan(at_); }

  Bytes take(std::int64_t bytes, std::string_view name) {
    if (!ok_) return {};
    if (bytes < 0 || static_cast<std::uint64_t>(bytes) > in_.size() - at_) {
      const std::size_t left = in_.size() - at_;
      add(std::min(left, kNoiseBytes), std::string(name));
      out_.back().wrong =
          bytes < 0 ? fmt::format("a length of {}", bytes)
                    : fmt::format("{} bytes expected, {} are left of the record", bytes, left);
      ok_ = false;
      return {};
    }
    const Bytes out = in_.subspan(at_, static_cast<std::size_t>(bytes));
    add(static_cast<std::size_t>(bytes), std::string(name));
    return out;
  }
  template <typename Number>
  Number number(std::string_view name, std::string_view meaning = {}) {
    const Bytes raw = take(sizeof(Number), name);
    if (raw.empty()) return {};
    const auto value = load_be<Number>(raw.data());
    last().value = std::to_string(value);
    last().meaning = meaning;
    return value;
  }
  Field& last() { return out_.back(); }
  void wrong(std::string what) {
    if (ok_) last().wrong = std::move(what);
  }

 private:
  void add(std::size_t bytes, std::string name) {
    out_.push_back({.at = static_cast<std::int64_t>(at_),
                    .bytes = static_cast<std::int64_t>(bytes),
                    .name = std::move(name),
                    .value = {},
                    .meaning = {},
                    .wrong = {}});
    at_ += bytes;
  }

  Bytes in_;
  std::vector<Field>& out_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

void host(Sheet& s, bool v6, std::string_view name, std::string_view meaning) {
  const Bytes raw = s.take(v6 ? 20 : 8, name);
  if (raw.empty()) return;
  format::Host value;
  value.address_bytes = v6 ? 16 : 4;
  std::copy_n(raw.begin(), value.address_bytes, value.address.begin());
  value.port = load_be<std::int32_t>(raw.data() + value.address_bytes);
  s.last().value = format::to_string(value);
  s.last().meaning = meaning;
  if (value.port < 0 || value.port > 65535) s.wrong("no port number");
}

void time_field(Sheet& s, std::string_view name, std::string_view whose, const TimeText& time) {
  const auto ms = s.number<std::int64_t>(name);
  if (s.ok()) s.last().meaning = fmt::format("{}, {}", time(ms), whose);
}

void body(Sheet& s, std::int32_t crc, bool compressed) {
  const auto bytes = s.number<std::int32_t>("bodyLength");
  if (!s.ok()) return;
  if (bytes == 0) return;
  const Bytes raw = s.take(bytes, "body");
  if (!s.ok()) return;
  s.last().value = text_value(as_text(raw.first(std::min(raw.size(), kBodyTextBytes))));
  if (compressed) s.last().meaning = "compressed";
  if (crc32_masked(raw) != crc)
    s.wrong(fmt::format("its CRC is {}, bodyCRC says {}", crc32_masked(raw), crc));
}

std::string_view topic(Sheet& s, bool v2) {
  const std::int64_t bytes = v2 ? s.number<std::int16_t>("topicLength", "2 bytes in layout V2")
                                : s.number<std::int8_t>("topicLength", "1 byte, signed");
  const Bytes raw = s.take(bytes, "topic");
  if (!s.ok()) return {};
  s.last().value = text_value(as_text(raw));
  if (raw.empty()) s.wrong("no topic");
  return as_text(raw);
}

void properties(Sheet& s, Bytes record, std::string_view topic, const TimeText& time) {
  const auto bytes = s.number<std::int16_t>(
      "propertiesLength", "pairs follow: name, 01, value, 02; the last 02 may be missing");
  if (!s.ok()) return;
  if (bytes < 0 || static_cast<std::size_t>(bytes) > s.rest().size()) {
    s.take(bytes, "properties");
    return;
  }
  std::string_view left = as_text(s.rest().first(static_cast<std::size_t>(bytes)));
  while (!left.empty()) {
    const std::size_t end = left.find(format::kPairEnd);
    const std::string_view piece = left.substr(0, end);
    const std::size_t split = piece.find(format::kNameEnd);
    const std::size_t whole = end == std::string_view::npos ? piece.size() : piece.size() + 1;
    const std::string_view name = piece.substr(0, split);
    s.take(static_cast<std::int64_t>(whole), "property " + plain(name));
    if (split == std::string_view::npos) {
      s.last().value = text_value(piece);
      s.last().meaning = "no pair: passed over by readers";
    } else {
      const std::string_view value = piece.substr(split + 1);
      s.last().value = text_value(value);
      s.last().meaning = property_meaning(name, value, topic, time);
      if (name == "__CRC32#") s.last().wrong = check_record_crc(record, value);
    }
    left.remove_prefix(whole);
  }
}

void record_fields(Sheet& s, Bytes record, PhysicalOffset at, const TimeText& time) {
  s.number<std::int32_t>("totalSize", "this whole record");
  const auto magic = s.number<std::int32_t>("magic");
  const bool v2 = magic == format::kMagicV2;
  s.last().value = fmt::format("{:08X}", static_cast<std::uint32_t>(magic));
  s.last().meaning = v2 ? "layout V2: a topic of more than 127 bytes" : "layout V1";
  const auto crc = s.number<std::int32_t>("bodyCRC", "CRC-32 of the stored body, top bit cleared");
  s.number<std::int32_t>("queueId", "queue of its topic");
  s.number<std::int32_t>("flag", "the producer's own");
  s.number<std::int64_t>("queueOffset", "number of its entry in the queue");
  const auto position = s.number<std::int64_t>("physicalOffset", "where this record itself starts");
  if (position != at.value()) s.wrong(fmt::format("it stands at {}", at.value()));
  const auto flags = s.number<std::int32_t>("sysFlag");
  if (!s.ok()) return;
  s.last().value = fmt::format("{:#x}", flags);
  s.last().meaning = flags_text(flags);
  time_field(s, "bornTimestamp", "the producer's clock", time);
  host(s, (flags & format::kFlagBornHostV6) != 0, "bornHost", "the producer");
  time_field(s, "storeTimestamp", "the broker's clock", time);
  host(s, (flags & format::kFlagStoreHostV6) != 0, "storeHost", "the broker, as it is advertised");
  s.number<std::int32_t>("reconsumeTimes", "deliveries that failed");
  s.number<std::int64_t>("preparedTransactionOffset",
                         "of the half message, when this ends a transaction");
  body(s, crc, (flags & format::kFlagCompressed) != 0);
  const std::string_view name = topic(s, v2);
  properties(s, record, name, time);
}

void blank_fields(Sheet& s, std::int64_t left) {
  const auto size = s.number<std::int32_t>("size", "all from here to the end of the file");
  if (size != left) s.wrong(fmt::format("{} bytes are left", left));
  s.number<std::int32_t>("magic", "a blank: the next record starts the next file");
  s.last().value = fmt::format("{:08X}", static_cast<std::uint32_t>(format::kMagicBlank));
}

Annotation of_noise(Bytes in, std::string kind, std::string wrong) {
  Annotation out;
  out.kind = std::move(kind);
  const std::size_t shown = std::min(in.size(), kNoiseBytes);
  out.fields.push_back({.at = 0,
                        .bytes = static_cast<std::int64_t>(shown),
                        .name = out.kind == "nothing" ? "zeros" : "noise",
                        .value = {},
                        .meaning = out.kind == "nothing" ? "nothing was written here" : "",
                        .wrong = std::move(wrong)});
  return out;
}

}  // namespace

bool Annotation::sound() const {
  return std::all_of(fields.begin(), fields.end(), [](const Field& f) { return f.wrong.empty(); });
}

Annotation annotate_record(Bytes in, PhysicalOffset at, const TimeText& time) {
  const bool zero = std::all_of(
      in.begin(), in.begin() + std::min<std::ptrdiff_t>(8, static_cast<std::ptrdiff_t>(in.size())),
      [](std::byte b) { return b == std::byte{0}; });
  if (zero) return of_noise(in, "nothing", "");
  if (in.size() < 8) return of_noise(in, "noise", "too little for a record or a blank");
  Annotation out;
  switch (format::record_kind(in)) {
    case format::RecordKind::kNone:
      return of_noise(
          in, "noise",
          fmt::format("{:08x} at 4 is no magic of a record or a blank",
                      static_cast<std::uint32_t>(load_be<std::int32_t>(in.data() + 4))));
    case format::RecordKind::kBlank: {
      out.kind = "blank";
      Sheet s(in.first(8), out.fields);
      blank_fields(s, static_cast<std::int64_t>(in.size()));
      return out;
    }
    case format::RecordKind::kMessage:
      break;
  }
  out.kind = "record";
  const auto total = load_be<std::int32_t>(in.data());
  const bool plausible = total >= static_cast<std::int32_t>(format::kRecordBytesMin) &&
                         static_cast<std::size_t>(total) <= in.size();
  const Bytes record = plausible ? in.first(static_cast<std::size_t>(total)) : in;
  Sheet s(record, out.fields);
  record_fields(s, record, at, time);
  if (!plausible) {
    out.fields.front().wrong =
        total < static_cast<std::int32_t>(format::kRecordBytesMin)
            ? fmt::format("a record has {} bytes and more", format::kRecordBytesMin)
            : fmt::format("the file ends after {}", in.size());
  } else if (s.ok() && s.position() != record.size()) {
    out.fields.front().wrong = fmt::format("the fields end at {}", s.position());
  }
  return out;
}

Annotation annotate_queue_entry(Bytes in, bool delayed, const TimeText& time) {
  Annotation out;
  out.kind = "queue entry";
  Sheet s(in, out.fields);
  s.number<std::int64_t>("offset", "where the record starts in the commit log");
  s.number<std::int32_t>("size", "of that record");
  const auto code = s.number<std::int64_t>("tagCode", "hash of the tag, 0 without one");
  if (s.ok() && delayed) s.last().meaning = "due at " + time(code) + ": a delay queue";
  return out;
}

Annotation annotate_index_entry(Bytes in, std::int64_t begin_ms, const TimeText& time) {
  Annotation out;
  out.kind = "index entry";
  Sheet s(in, out.fields);
  s.number<std::int32_t>("keyHash", "of TOPIC#KEY");
  s.number<std::int64_t>("offset", "where the record starts in the commit log");
  const auto seconds = s.number<std::int32_t>("seconds", "");
  if (s.ok())
    s.last().meaning =
        "after the file's beginTimestamp: " + time(format::index_time_ms(begin_ms, seconds));
  s.number<std::int32_t>("previous", "next older entry of the slot, 0 for none");
  return out;
}

}  // namespace mq::inspect
