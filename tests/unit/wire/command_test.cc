// Frames to commands and back. Goal: the reference's bytes both ways, its tolerance of what other
// clients send (remoting.md 1.3), and no harm from any byte that anybody may send.
#include "wire/command.h"

#include <gtest/gtest.h>

#include "vectors.h"
#include "wire/codes.h"

namespace mq::wire {
namespace {

using test::json_frame;

constexpr std::string_view kUniqKey = "AC11000100002A139A5B8D7F9A0B0000";
const std::string kProperties = "TAGS\x01TagA\x02UNIQ_KEY\x01" + std::string(kUniqKey) + "\x02";

const std::vector<Field> kSendFields = {{"a", "PG"},
                                        {"b", "TopicTest"},
                                        {"c", "TBW102"},
                                        {"d", 4},
                                        {"e", 1},
                                        {"f", 0},
                                        {"g", std::int64_t{1700000000000}},
                                        {"h", 0},
                                        {"i", kProperties},
                                        {"j", 0},
                                        {"k", false},
                                        {"m", false},
                                        {"n", "broker-a"}};

Result<Command> decode(std::string_view frame) {
  Command command;
  MQ_CHECK(decode_command(as_bytes(frame), command));
  return command;
}

void expect_send(const Command& command) {
  EXPECT_EQ(command.code, kSendMessageV2);
  EXPECT_EQ(command.opaque, 7);
  EXPECT_EQ(command.flag, 0);
  EXPECT_EQ(command.version, 479);
  EXPECT_EQ(command.language, Language::kJava);
  EXPECT_EQ(as_text(command.body), "hello");
  ASSERT_EQ(command.ext.size(), kSendFields.size());
  std::size_t i = 0;
  for (const auto& [name, value] : command.ext) {
    EXPECT_EQ(name, kSendFields[i].name);
    const Field& field = kSendFields[i++];
    EXPECT_EQ(value, field.is_number ? std::to_string(field.number) : std::string(field.text));
  }
}

TEST(Command, DecodesTheReferencesSendInBothForms) {
  ASSERT_EQ(test::kSendJson.size(), 340U);
  ASSERT_EQ(test::kSendBinary.size(), 230U);
  Command command;
  for (const auto* frame : {&test::kSendJson, &test::kSendBinary, &test::kSendJson}) {
    EXPECT_EQ(*frame_bytes(as_bytes(*frame)), frame->size());
    ASSERT_TRUE(decode_command(as_bytes(*frame), command));
    expect_send(command);
  }
  EXPECT_EQ(command.serialize, Serialize::kJson);
}

TEST(Command, EncodesTheReferencesSendByteForByte) {
  for (const auto serialize : {Serialize::kJson, Serialize::kBinary}) {
    std::string out = "before";
    const Header header{
        .serialize = serialize, .language = Language::kJava, .code = 310, .opaque = 7};
    append_frame(out, header, kSendFields, as_bytes("hello"));
    EXPECT_EQ(out.substr(6), serialize == Serialize::kJson ? test::kSendJson : test::kSendBinary);
  }
}

TEST(Command, DecodesAndEncodesTheReferencesAnswerInBothForms) {
  for (const auto* frame : {&test::kSentJson, &test::kSentBinary}) {
    auto command = decode(*frame);
    ASSERT_TRUE(command) << command.error();
    EXPECT_TRUE(command->is_response());
    EXPECT_FALSE(command->is_oneway());
    EXPECT_EQ(command->ext.find("msgId"), "AC11000100002A9F0000000000000000");
    EXPECT_EQ(command->ext.find("transactionId"), kUniqKey);
    EXPECT_EQ(*int32_field(command->ext, "queueId"), 1);
    EXPECT_EQ(*int64_field(command->ext, "queueOffset"), 0);
    EXPECT_TRUE(bool_or(command->ext, "TRACE_ON", false));
    EXPECT_TRUE(command->body.empty());

    std::vector<Field> fields;
    for (const auto& [name, value] : command->ext) fields.emplace_back(name, value);
    std::string out;
    append_frame(
        out, {.serialize = command->serialize, .language = Language::kJava, .opaque = 7, .flag = 1},
        fields, {});
    EXPECT_EQ(out, *frame);
  }
}

TEST(Command, TakesJsonHeadersAsOtherClientsWriteThem) {
  const std::string frame = json_frame(
      " {\"version\" : \"333\", \"later\":{\"code\":99,\"x\":[1,{\"flag\":3}]},\"opaque\":\"12\",\n"
      "\"extFields\":{\"queueId\":1,\"queueOffset\":-9007199254740993,\"batch\":true,\"m\":FALSE,"
      "\"ratio\":0.5,\"none\":null,\"deep\":{\"queueId\":7},\"AccessKey\":\"\"},"
      "\"flag\":2,\"language\":1,\"code\":\"310\",\"remark\":null,} ",
      "body");
  // Bare words are not JSON for anybody.
  EXPECT_FALSE(decode(frame));
  std::string fixed = frame;
  fixed.replace(fixed.find("FALSE"), 5, "false");
  const auto command = decode(fixed);
  ASSERT_TRUE(command) << command.error();
  EXPECT_EQ(command->code, 310);
  EXPECT_EQ(command->version, 333);
  EXPECT_EQ(command->opaque, 12);
  EXPECT_EQ(command->flag, 2);
  EXPECT_TRUE(command->is_oneway());
  EXPECT_EQ(command->language, Language::kCpp);
  EXPECT_EQ(command->remark, "");
  EXPECT_EQ(command->ext.find("queueId"), "1");
  EXPECT_EQ(command->ext.find("queueOffset"), "-9007199254740993");
  EXPECT_EQ(command->ext.find("batch"), "true");
  EXPECT_EQ(command->ext.find("m"), "false");
  EXPECT_EQ(command->ext.find("ratio"), "0.5");
  EXPECT_EQ(command->ext.find("none"), std::nullopt);
  EXPECT_EQ(command->ext.find("deep"), std::nullopt);
  EXPECT_EQ(command->ext.find("AccessKey"), "");
  EXPECT_EQ(as_text(command->body), "body");
}

TEST(Command, TakesExtFieldsThatAreNullMissingOrEmpty) {
  for (const char* header : {R"({"code":206,"extFields":null})", R"({"code":206})",
                             R"({"code":206,"extFields":{}})", R"({"extFields":{},"code":206})"}) {
    const auto frame = json_frame(header);
    const auto command = decode(frame);
    ASSERT_TRUE(command) << header;
    EXPECT_EQ(command->code, 206);
    EXPECT_EQ(command->ext.size(), 0U);
    EXPECT_EQ(command->language, Language::kJava);
  }
}

TEST(Command, KnowsLanguagesByNameAndOrdinalAndForgivesOthers) {
  const auto language = [](std::string value) {
    return decode(json_frame("{\"language\":" + value + "}"))->language;
  };
  EXPECT_EQ(language("\"GO\""), Language::kGo);
  EXPECT_EQ(language("9"), Language::kGo);
  EXPECT_EQ(language("\"13\""), Language::kNodeJs);
  EXPECT_EQ(language("\"COBOL\""), Language::kUnknown);
  EXPECT_EQ(language("14"), Language::kUnknown);
  EXPECT_EQ(language("-1"), Language::kUnknown);
  EXPECT_EQ(language("null"), Language::kUnknown);
}

TEST(Command, UnescapesNamesAndValuesOfAnyLength) {
  std::string escaped;
  std::string plain;
  for (int i = 0; i < 3000; ++i) {
    escaped += "\\u6807\\t\\ud83d\\ude00x";
    plain += "标\t\xF0\x9F\x98\x80x";
  }
  const auto frame = json_frame("{\"extFields\":{\"na\\u006de\":\"" + escaped +
                                "\",\"raw\":\"标签\"},\"remark\":\"a\\nb\"}");
  const auto command = decode(frame);
  ASSERT_TRUE(command) << command.error();
  EXPECT_EQ(command->ext.find("name"), plain);
  EXPECT_EQ(command->ext.find("raw"), "标签");
  EXPECT_EQ(command->remark, "a\nb");
}

TEST(Command, TheLaterOfTwoEqualFieldsWins) {
  const auto frame = json_frame(R"({"extFields":{"a":"1","b":"2","a":"3"}})");
  const auto command = decode(frame);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->ext.find("a"), "3");
}

TEST(Command, PassesOnBytesThatAreNotText) {
  const auto frame = json_frame("{\"extFields\":{\"a\":\"\xFF\xE6\"}}");
  const auto command = decode(frame);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->ext.find("a"), "\xFF\xE6");
}

TEST(Command, RefusesHeadersThatAreNotOneJsonObject) {
  for (const char* header : {"",
                             "null",
                             "12",
                             "\"code\"",
                             "[]",
                             "[{}]",
                             "{",
                             "{}}",
                             "{} {}",
                             "{\"code\":1",
                             "{\"code\"}",
                             "{\"code\":{}}",
                             "{\"code\":[]}",
                             "{\"code\":1.5}",
                             "{\"code\":\"x\"}",
                             "{\"opaque\":4294967296}",
                             "{\"extFields\":[]}",
                             "{\"extFields\":\"a\"}",
                             "{\"extFields\":7}",
                             "{\"flag\":true}"}) {
    const auto frame = json_frame(header);
    const auto command = decode(frame);
    ASSERT_FALSE(command) << header;
    EXPECT_EQ(command.error().code(), Errc::kProtocol) << header;
  }
  EXPECT_FALSE(decode(json_frame(std::string(100000, '['))));
  EXPECT_FALSE(decode(json_frame("{\"a\":" + std::string(100000, '[') + "}")));
}

TEST(FrameBytes, AsksForMoreUntilThePrefixIsThere) {
  for (std::size_t n = 0; n < 8; ++n)
    EXPECT_EQ(*frame_bytes(as_bytes(test::kSendJson).first(n)), 0U);
  EXPECT_EQ(*frame_bytes(as_bytes(test::kSendJson).first(8)), 340U);
}

TEST(FrameBytes, RefusesWhatTheReferenceClosesFor) {
  const auto refused = [](const char* hex) {
    const auto bytes = frame_bytes(as_bytes(test::from_hex(hex)));
    return !bytes && bytes.error().code() == Errc::kProtocol;
  };
  EXPECT_TRUE(refused("ffffffff"));
  EXPECT_TRUE(refused("ffffffff00000000"));
  EXPECT_TRUE(refused("80000000"));
  EXPECT_TRUE(refused("00000003"));
  EXPECT_TRUE(refused("00fffffd"));          // 16777213
  EXPECT_TRUE(refused("0000000800000005"));  // header longer than the frame
  EXPECT_TRUE(refused("00000008ff000000"));
  EXPECT_TRUE(refused("0000000802000000"));
  EXPECT_EQ(*frame_bytes(as_bytes(test::from_hex("00fffffc00000000"))), 16777216U);
  EXPECT_EQ(*frame_bytes(as_bytes(test::from_hex("0000000400000000"))), 8U);
}

TEST(Command, RefusesEveryTruncation) {
  for (const auto* frame :
       {&test::kSendJson, &test::kSendBinary, &test::kSentJson, &test::kSentBinary})
    for (std::size_t n = 0; n < frame->size(); ++n) {
      const auto command = decode(std::string_view(*frame).substr(0, n));
      ASSERT_FALSE(command) << n;
      EXPECT_EQ(command.error().code(), Errc::kProtocol);
    }
}

TEST(Command, RefusesEveryTruncationOfAHeaderWhoseLengthsFit) {
  for (const auto* frame : {&test::kSendJson, &test::kSendBinary})
    for (std::size_t n = 8; n < frame->size() - 5; ++n) {
      std::string cut = frame->substr(0, n);
      auto* at = reinterpret_cast<std::byte*>(cut.data());
      store_be(at, static_cast<std::uint32_t>(n - 4));
      const std::uint32_t type = load_be<std::uint32_t>(at + 4) & 0xFF000000U;
      store_be(at + 4, type | static_cast<std::uint32_t>(n - 8));
      ASSERT_FALSE(decode(cut)) << n;
    }
}

TEST(Command, AnyFlippedBitIsRefusedOrReadAsSomethingElse) {
  for (const auto* frame :
       {&test::kSendJson, &test::kSendBinary, &test::kSentJson, &test::kSentBinary})
    for (std::size_t bit = 0; bit < frame->size() * 8; ++bit) {
      std::string flipped = *frame;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      if (auto command = decode(flipped)) {
        std::size_t bytes = command->remark.size() + command->body.size();
        for (const auto& [name, value] : command->ext) bytes += name.size() + value.size();
        EXPECT_LE(bytes, frame->size()) << bit;
      }
    }
}

TEST(Command, RefusesBinaryLengthsThatPointOutside) {
  const auto binary = [](std::string header) {
    std::string frame = json_frame(header);
    frame[4] = 1;
    return frame;
  };
  const std::string fixed = test::from_hex("001f0c01df0000000900000001");
  EXPECT_FALSE(decode(binary("")));
  EXPECT_FALSE(decode(binary(fixed)));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("00000000"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("ffffffff00000000"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("0000000541"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("00000000ffffffff"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("0000000000000007ffff00000000"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("00000000000000070001617fffffff"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("0000000000000007000161ffffffff"))));
  EXPECT_FALSE(decode(binary(fixed + test::from_hex("0000000000000001000161"))));
  const auto frame =
      binary(fixed + test::from_hex("000000024f4b00000007000161") + test::from_hex("00000000"));
  const auto command = decode(frame);
  ASSERT_TRUE(command) << command.error();
  EXPECT_EQ(command->code, 31);
  EXPECT_EQ(command->language, Language::kRust);
  EXPECT_EQ(command->opaque, 9);
  EXPECT_EQ(command->remark, "OK");
  EXPECT_EQ(command->ext.find("a"), "");
}

TEST(Command, WritesACodeThatDoesNotFitTheBinaryFormAsJson) {
  std::string out;
  append_frame(out, {.serialize = Serialize::kBinary, .code = 200050, .remark = "a\"b"}, {}, {});
  const auto command = decode(out);
  ASSERT_TRUE(command) << command.error();
  EXPECT_EQ(command->serialize, Serialize::kJson);
  EXPECT_EQ(command->code, 200050);
  EXPECT_EQ(command->remark, "a\"b");
  EXPECT_EQ(command->language, Language::kCpp);
  EXPECT_EQ(command->version, kVersion);
}

TEST(Command, AFrameBeyondTheLimitLooksLikeOne) {
  std::string out;
  append_frame_head(out, {}, {}, std::size_t{1} << 32);
  EXPECT_FALSE(frame_bytes(as_bytes(out)));
}

TEST(Fields, SayWhichFieldIsMissingOrUnfit) {
  ExtFields ext;
  ext.add("n", "12");
  ext.add("big", "4294967296");
  ext.add("bad", "1x");
  ext.add("plus", "+5");
  ext.add("yes", "TRUE");
  EXPECT_EQ(*int32_field(ext, "n"), 12);
  EXPECT_EQ(*int32_field(ext, "plus"), 5);
  EXPECT_EQ(*int64_field(ext, "big"), 4294967296);
  EXPECT_EQ(int32_field(ext, "big").error().code(), Errc::kInvalid);
  EXPECT_EQ(int32_field(ext, "bad").error().text(), "field bad: '1x' is not a number of 32 bits");
  EXPECT_EQ(text_field(ext, "none").error().text(), "field none is missing");
  EXPECT_EQ(int64_or(ext, "bad", -1), -1);
  EXPECT_EQ(int64_or(ext, "none", 7), 7);
  EXPECT_TRUE(bool_or(ext, "yes", false));
  EXPECT_FALSE(bool_or(ext, "n", true));
  EXPECT_TRUE(bool_or(ext, "none", true));
}

TEST(Codes, HaveTheReferencesNames) {
  EXPECT_STREQ(response_name(kServiceNotAvailable), "SERVICE_NOT_AVAILABLE");
  EXPECT_STREQ(response_name(12345), "UNKNOWN");
  EXPECT_STREQ(request_name(kSendMessageV2), "SEND_MESSAGE_V2");
  EXPECT_STREQ(request_name(kGetRouteInfoByTopic), "GET_ROUTEINFO_BY_TOPIC");
}

}  // namespace
}  // namespace mq::wire
