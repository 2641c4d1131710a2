// How a message looks: JSON, format strings, inflated bodies.
#include <gtest/gtest.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/json.h"
#include "cli/base64.h"
#include "cli/inflate.h"
#include "cli/message_format.h"
#include "cli/message_json.h"

namespace mq::cli {
namespace {

format::Record sample() {
  format::Record r;
  r.total_bytes = 231;
  r.queue_id = 3;
  r.queue_offset = QueueOffset(41);
  r.physical_offset = PhysicalOffset(10737);
  r.born_timestamp_ms = 1767225600123;
  r.store_timestamp_ms = 1767225600125;
  r.born_host = *format::parse_host("127.0.0.1:50312");
  r.store_host = *format::parse_host("127.0.0.1:10911");
  r.body = as_bytes("body \xE6\xA0\x87");
  r.topic = "orders";
  r.properties =
      "KEYS\x01o-17 o-18\x02TAGS\x01paid\x02region\x01"
      "eu\x02UNIQ_KEY\x01"
      "7F00\x02";
  return r;
}

std::string formatted(std::string_view format, const format::Record& r) {
  auto compiled = MessageFormat::compile(format);
  EXPECT_TRUE(compiled) << compiled.error();
  std::string out;
  if (compiled)
    compiled->append(out, {.record = &r, .body = r.body, .broker = "host1", .number = 7});
  return out;
}

TEST(MessageJson, HasTheFieldsOfSchemaOneInTheirOrder) {
  const format::Record r = sample();
  std::string out;
  append_message_json(out, {.record = &r, .body = r.body, .broker = "host1", .number = 1}, {});
  EXPECT_EQ(
      out,
      R"({"v":1,"topic":"orders","broker":"host1","queue":3,"offset":41,"physicalOffset":10737,"size":231,)"
      R"("msgId":"7F00","offsetMsgId":"7F00000100002A9F00000000000029F1","tag":"paid","keys":["o-17","o-18"],)"
      R"("properties":{"region":"eu"},"body":"body 标","bornTime":1767225600123,"storeTime":1767225600125,)"
      R"("bornHost":"127.0.0.1:50312","storeHost":"127.0.0.1:10911","sysFlag":0,"flag":0,"reconsumeTimes":0,)"
      R"("bodyCrc":0,"transaction":"none"})");
}

TEST(MessageJson, ABodyThatIsNotTextIsBase64AndAllPropertiesAreThereWhenAsked) {
  format::Record r = sample();
  r.body = as_bytes("\xFF\xFE");
  std::string out;
  append_message_json(out, {.record = &r, .body = r.body}, {.all_properties = true});
  const auto parsed = parse_json(out);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(string_or(member(*parsed, "body64"), ""), "//4=");
  EXPECT_EQ(member(*parsed, "body"), nullptr);
  EXPECT_EQ(string_or(member(*member(*parsed, "properties"), "UNIQ_KEY"), ""), "7F00");
}

TEST(MessageFormat, PrintsEachField) {
  const format::Record r = sample();
  EXPECT_EQ(formatted("%n %t/%p/%o %b %k [%g] %s\\n", r),
            "7 orders/3/41 host1 o-17 o-18 [paid] body 标\n");
  EXPECT_EQ(formatted("%S%%%i %I %P %r", r), "8%7F00 7F00000100002A9F00000000000029F1 10737 0");
  EXPECT_EQ(formatted("%H{region}|%H{none}|%h", r),
            "eu||KEYS=o-17 o-18,TAGS=paid,region=eu,UNIQ_KEY=7F00");
  EXPECT_EQ(formatted("%T %B{strftime:%Y}", r), "1767225600125 2026");
  EXPECT_EQ(formatted("%k{hex} %g{base64} %g{json} %p{json}", r),
            "6f2d3137206f2d3138 cGFpZA== \"paid\" 3");
  EXPECT_EQ(formatted("%S{be32}\\x41\\0", r), std::string("\0\0\0\x08"
                                                          "A\0",
                                                          6));
}

TEST(MessageFormat, RefusesWhatItDoesNotKnowAndSaysWhere) {
  for (const char* bad :
       {"%", "%z", "%H", "%H{", "%s{nonsense}", "%s{strftime:%F}", "%s{be32}", "\\q", "\\x1"}) {
    EXPECT_EQ(MessageFormat::compile(bad).error().code(), Errc::kInvalid) << bad;
  }
}

TEST(Base64, GoesBothWays) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    std::string encoded;
    append_base64(encoded, as_bytes(text));
    EXPECT_EQ(decode_base64(encoded).value(), text);
  }
  EXPECT_FALSE(decode_base64("abc"));
  EXPECT_FALSE(decode_base64("ab!="));
  EXPECT_FALSE(decode_base64("=abc"));
}

class Inflate : public testing::Test {
 protected:
  Result<Bytes> inflate(std::string_view stored, std::int32_t sys_flag) {
    record_.body = as_bytes(stored);
    record_.sys_flag = sys_flag;
    return message_body(record_, buffer_);
  }
  Inflate() { text_.append("end"); }
  std::string text_ = std::string(300'000, 'x');
  format::Record record_;
  std::string buffer_;
};

TEST_F(Inflate, ReadsTheThreeKindsAndRefusesEveryCut) {
  std::vector<std::pair<int, std::string>> stored;
  std::string z(compressBound(text_.size()), '\0');
  uLongf z_size = z.size();
  compress(reinterpret_cast<Bytef*>(z.data()), &z_size,
           reinterpret_cast<const Bytef*>(text_.data()), text_.size());
  z.resize(z_size);
  stored.emplace_back(0x001, z);
  stored.emplace_back(0x301, z);
  std::string l(LZ4F_compressFrameBound(text_.size(), nullptr), '\0');
  l.resize(LZ4F_compressFrame(l.data(), l.size(), text_.data(), text_.size(), nullptr));
  stored.emplace_back(0x101, l);
  std::string s(ZSTD_compressBound(text_.size()), '\0');
  s.resize(ZSTD_compress(s.data(), s.size(), text_.data(), text_.size(), 3));
  stored.emplace_back(0x201, s);
  for (const auto& [flag, bytes] : stored) {
    auto got = inflate(bytes, flag);
    ASSERT_TRUE(got) << got.error() << " flag " << flag;
    EXPECT_EQ(as_text(*got), text_);
    for (std::size_t n = 1; n < bytes.size(); n += 7) {
      EXPECT_FALSE(inflate(std::string_view(bytes).substr(0, n), flag))
          << "flag " << flag << " cut at " << n;
    }
    EXPECT_FALSE(inflate("noise that is nothing", flag));
  }
  EXPECT_EQ(inflate("x", 0x701).error().code(), Errc::kUnsupported);
  EXPECT_EQ(as_text(*inflate("plain", 0)), "plain");
}

TEST_F(Inflate, ABombStopsAtTheBound) {
  const std::string zeros(kInflatedBytesMax + 1, '\0');
  std::string s(ZSTD_compressBound(zeros.size()), '\0');
  s.resize(ZSTD_compress(s.data(), s.size(), zeros.data(), zeros.size(), 1));
  EXPECT_EQ(inflate(s, 0x201).error().code(), Errc::kCorrupt);
}

}  // namespace
}  // namespace mq::cli
