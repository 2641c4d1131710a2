// The reference's signatures, made and checked; and what must not pass for one.
#include "wire/signature.h"

#include <gtest/gtest.h>

#include "wire/codes.h"

namespace mq::wire {
namespace {

constexpr std::string_view kSecret = "12345678";
constexpr std::string_view kSendSignature = "VAIentQmgvqwkdyWfY4AeXx6Vkg=";

Command send_request() {
  Command out;
  out.code = kSendMessageV2;
  out.version = kVersion;
  const std::pair<std::string_view, std::string_view> fields[] = {
      {"n", "broker-a"},
      {"a", "PG"},
      {"b", "TopicTest"},
      {"c", "TBW102"},
      {"d", "4"},
      {"e", "1"},
      {"f", "0"},
      {"g", "1700000000000"},
      {"h", "0"},
      {"i",
       "TAGS\x01TagA\x02"
       "UNIQ_KEY\x01"
       "AC11000100002A139A5B8D7F9A0B0000\x02"},
      {"j", "0"},
      {"k", "false"},
      {"m", "false"},
      {"AccessKey", "rocketmq2"}};
  for (const auto& [name, value] : fields) out.ext.add(name, value);
  out.body = as_bytes("hello");
  return out;
}
std::string signature(const Command& request) {
  std::string out;
  EXPECT_TRUE(append_signature(out, request, kSecret));
  return out;
}

TEST(Signature, IsThatOfTheReference) {
  EXPECT_EQ(signature(send_request()), kSendSignature);
  Command bare;
  bare.code = kGetAllTopicConfig;
  bare.ext.add("SecurityToken", "tok");
  bare.ext.add("AccessKey", "rocketmq2");
  EXPECT_EQ(signature(bare), "qJ/70mvIiy02Ii0VsCegsMJMg+U=");
}

TEST(Signature, EveryChangeOfWhatIsSignedShows) {
  Command request = send_request();
  request.ext.add("Signature", kSendSignature);
  EXPECT_TRUE(is_signed_with(request, kSecret));
  EXPECT_FALSE(is_signed_with(request, "12345679"));
  EXPECT_FALSE(is_signed_with(request, ""));
  Command other = send_request();
  other.ext.add("Signature", kSendSignature);
  other.body = as_bytes("hellO");
  EXPECT_FALSE(is_signed_with(other, kSecret));
  request.ext.add("zone", "z");
  EXPECT_FALSE(is_signed_with(request, kSecret));
}

TEST(Signature, WhatIsNoneIsNone) {
  for (const std::string_view bad :
       {"", "VAIentQmgvqwkdyWfY4AeXx6Vkg", "vaIentQmgvqwkdyWfY4AeXx6Vkg=", "="}) {
    Command request = send_request();
    request.ext.add("Signature", bad);
    EXPECT_FALSE(is_signed_with(request, kSecret)) << bad;
  }
  EXPECT_FALSE(is_signed_with(send_request(), kSecret));
}

TEST(Signature, OfTwoFieldsOfOneNameTheLastCounts) {
  Command request;
  request.ext.add("b", "TopicTest");
  const std::string once = signature(request);
  Command twice;
  twice.ext.add("b", "Other");
  twice.ext.add("b", "TopicTest");
  EXPECT_EQ(signature(twice), once);
}

TEST(Signature, OldClientsLeaveTheMarkOfAUniqueKeyOut) {
  Command request = send_request();
  request.ext.add("_UNIQUE_KEY_QUERY", "true");
  EXPECT_NE(signature(request), kSendSignature);
  request.version = 399;
  EXPECT_EQ(signature(request), kSendSignature);
}

TEST(Signature, AnEmptyAccessKeyIsNone) {
  Command request;
  EXPECT_EQ(access_key_of(request), "");
  request.ext.add("AccessKey", "");
  EXPECT_EQ(access_key_of(request), "");
}

TEST(Signature, AFrameIsSignedAsAWhole) {
  for (const Serialize serialize : {Serialize::kJson, Serialize::kBinary}) {
    std::string plain;
    const Field fields[] = {{"b", "T"}, {"e", 3}};
    append_frame(plain,
                 {.serialize = serialize, .code = kSendMessageV2, .opaque = 9, .flag = kFlagOneway},
                 fields, as_bytes("body"));
    std::string frame;
    ASSERT_TRUE(append_signed_frame(frame, as_bytes(plain), {"me", std::string(kSecret)}));
    Command request;
    ASSERT_TRUE(decode_command(as_bytes(frame), request));
    EXPECT_EQ(request.code, kSendMessageV2);
    EXPECT_EQ(request.opaque, 9);
    EXPECT_TRUE(request.is_oneway());
    EXPECT_EQ(request.ext.find("e"), "3");
    EXPECT_EQ(as_text(request.body), "body");
    EXPECT_EQ(access_key_of(request), "me");
    EXPECT_TRUE(is_signed_with(request, kSecret));
  }
}

}  // namespace
}  // namespace mq::wire
