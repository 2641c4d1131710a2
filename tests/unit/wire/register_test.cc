// Registrations both ways: as brokers of 4.x and 5.x send them, and broken.
#include "wire/register.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "vectors.h"
#include "wire/codes.h"
#include "wire/kv_config.h"

namespace mq::wire {
namespace {

const TopicConfig kTopic{.name = "TopicTest", .read_queues = 4, .write_queues = 4};
const RegisterBrokerBody kBody{
    .topics = {.version = {.counter = 3, .timestamp_ms = 1'700'000'000'000},
               .topics = {{"TopicTest", kTopic}}}};

Command decoded(const std::string& frame) {
  Command out;
  EXPECT_TRUE(decode_command(as_bytes(frame), out));
  return out;
}

std::string inflated(std::string_view in) {
  std::string out(4096, '\0');
  uLongf bytes = out.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(out.data()), &bytes,
                       reinterpret_cast<const Bytef*>(in.data()), in.size()),
            Z_OK);
  out.resize(bytes);
  return out;
}
std::string deflated(std::string_view in) {
  std::string out(4096, '\0');
  uLongf bytes = out.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(out.data()), &bytes,
                     reinterpret_cast<const Bytef*>(in.data()), in.size()),
            Z_OK);
  out.resize(bytes);
  return out;
}

TEST(Register, RoundTripsItsFieldsAndLeavesOutWhatAnOldBrokerDoes) {
  const std::string body = "{}";
  const RegisterBrokerRequest full{.cluster = "C",
                                   .broker_name = "broker-a",
                                   .broker_addr = "127.0.0.1:10911",
                                   .ha_addr = "127.0.0.1:10912",
                                   .broker_id = 1,
                                   .heartbeat_timeout_ms = 10'000,
                                   .enable_acting_master = true,
                                   .compressed = true,
                                   .body_crc = 7,
                                   .zone = "east"};
  for (const auto form : {Serialize::kJson, Serialize::kBinary}) {
    std::string frame;
    append_register_broker_request(frame, {.serialize = form, .code = kRegisterBroker}, full,
                                   as_bytes(body));
    const Command command = decoded(frame);
    EXPECT_EQ(as_text(command.body), body);
    const auto read = decode_register_broker_request(command);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->cluster, "C");
    EXPECT_EQ(read->broker_addr, "127.0.0.1:10911");
    EXPECT_EQ(read->ha_addr, "127.0.0.1:10912");
    EXPECT_EQ(read->broker_id, 1);
    EXPECT_EQ(read->heartbeat_timeout_ms, 10'000);
    EXPECT_EQ(read->enable_acting_master, true);
    EXPECT_TRUE(read->compressed);
    EXPECT_EQ(read->body_crc, 7);
    EXPECT_EQ(read->zone, "east");
  }
  std::string frame;
  append_register_broker_request(frame, {.code = kRegisterBroker},
                                 {.cluster = "C", .broker_name = "b", .broker_addr = "127.0.0.1:1"},
                                 {});
  const Command command = decoded(frame);
  const auto old = decode_register_broker_request(command);
  EXPECT_FALSE(old->enable_acting_master);
  EXPECT_FALSE(old->heartbeat_timeout_ms);
}

TEST(Register, NamesTheFieldThatIsMissing) {
  const std::string frame = test::json_frame(
      R"({"code":103,"extFields":{"clusterName":"C","brokerName":"b","brokerId":"0"}})");
  const Command command = decoded(frame);
  const auto read = decode_register_broker_request(command);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::kInvalid);
  EXPECT_NE(read.error().text().find("brokerAddr"), std::string::npos);
}

TEST(RegisterBody, ReadsTheReferencesWithItsReference) {
  const auto body = decode_register_broker_body(
      as_bytes(std::string_view(
          R"({"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,"stateVersion":0,)"
          R"("timestamp":1700000000000},"mappingDataVersion":{"$ref":"$.topicConfigSerializeWrapper.dataVersion"},)"
          R"("topicConfigTable":{"TopicTest":{"attributes":{},"order":false,"perm":6,"readQueueNums":4,)"
          R"("topicFilterType":"SINGLE_TAG","topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":4}},)"
          R"("topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}})")),
      false, kVersion);
  ASSERT_TRUE(body) << body.error();
  EXPECT_EQ(*body, kBody);
}

TEST(RegisterBody, TheCompressedFormIsTheReferencesByteForByte) {
  const std::string expected =
      test::from_hex("00000038") + R"({"counter":3,"stateVersion":0,"timestamp":1700000000000})" +
      test::from_hex("000000010000001d") + "TopicTest 4 4 6 SINGLE_TAG {}" +
      test::from_hex("00000002") + "[]" + test::from_hex("00000000");
  EXPECT_EQ(inflated(encode_register_broker_body(kBody, true)), expected);
}

TEST(RegisterBody, RoundTripsInBothForms) {
  RegisterBrokerBody body = kBody;
  TopicConfig fifo = kTopic;
  fifo.name = "%RETRY%g";
  fifo.attributes = {{"message.type", "FIFO"}, {"cleanup.policy", "DELETE"}};
  body.topics.topics[fifo.name] = fifo;
  body.filter_servers = {"127.0.0.1:1", "127.0.0.1:2"};
  body.mappings = {{"T", R"({"bname":"b","topic":"T"})"}};
  for (const bool compressed : {false, true}) {
    const std::string text = encode_register_broker_body(body, compressed);
    const auto read = decode_register_broker_body(as_bytes(text), compressed, kVersion);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(*read, body) << compressed;
  }
}

TEST(RegisterBody, TakesTheCompressedFormOfABrokerBefore50) {
  const std::string text = test::from_hex("00000002") + "{}" + test::from_hex("0000000100000019") +
                           "TopicTest 4 8 6 MULTI_TAG" + test::from_hex("00000002") + "[]";
  const std::string body = deflated(text);
  const auto read = decode_register_broker_body(as_bytes(body), true, 401);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->topics.topics.at("TopicTest").write_queues, 8);
  EXPECT_EQ(read->topics.topics.at("TopicTest").filter_type, "MULTI_TAG");
  // A newer one must say its mappings.
  EXPECT_FALSE(decode_register_broker_body(as_bytes(body), true, 413));
}

TEST(RegisterBody, RefusesWhatIsCutOrNoise) {
  const std::string compressed = encode_register_broker_body(kBody, true);
  for (std::size_t n = 1; n < compressed.size(); ++n) {
    const auto read = decode_register_broker_body(as_bytes(compressed).first(n), true, kVersion);
    ASSERT_FALSE(read) << n;
    EXPECT_EQ(read.error().code(), Errc::kCorrupt);
  }
  const std::string inner = inflated(compressed);
  for (std::size_t n = 0; n < inner.size(); ++n) {
    const std::string cut = deflated(std::string_view(inner).substr(0, n));
    EXPECT_FALSE(decode_register_broker_body(as_bytes(cut), true, kVersion)) << n;
  }
  for (const char* hex :
       {"7fffffff", "80000000", "000000027b7d7fffffff", "000000027b7d0000000180000000"}) {
    const std::string noise = deflated(test::from_hex(hex));
    EXPECT_FALSE(decode_register_broker_body(as_bytes(noise), true, kVersion)) << hex;
  }
  const std::string plain = encode_register_broker_body(kBody, false);
  for (std::size_t n = 1; n < plain.size(); ++n)
    EXPECT_FALSE(decode_register_broker_body(as_bytes(plain).first(n), false, kVersion)) << n;
  EXPECT_TRUE(decode_register_broker_body({}, false, kVersion)->topics.topics.empty());
}

TEST(RegisterBody, ABombIsRefused) {
  const std::string zeros(65 << 20, '\0');
  std::string bomb(1 << 20, '\0');
  uLongf bytes = bomb.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(bomb.data()), &bytes,
                     reinterpret_cast<const Bytef*>(zeros.data()), zeros.size()),
            Z_OK);
  const auto read = decode_register_broker_body(as_bytes(bomb).first(bytes), true, kVersion);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text().find("inflates"), std::string::npos);
}

TEST(Answers, RoundTrip) {
  std::string frame;
  append_register_broker_response(
      frame, {.flag = kFlagResponse},
      {.ha_addr = "127.0.0.1:2", .master_addr = "127.0.0.1:1", .order_conf = {{"T", "b:4"}}});
  const Command registered = decoded(frame);
  const auto answer = decode_register_broker_response(registered);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ha_addr, "127.0.0.1:2");
  EXPECT_EQ(answer->master_addr, "127.0.0.1:1");
  EXPECT_EQ(answer->order_conf.at("T"), "b:4");

  frame.clear();
  append_query_data_version_response(frame, {.flag = kFlagResponse},
                                     {.changed = false, .version = kBody.topics.version});
  const Command asked = decoded(frame);
  const auto version = decode_query_data_version_response(asked);
  EXPECT_FALSE(version->changed);
  EXPECT_EQ(version->version, kBody.topics.version);

  frame.clear();
  append_min_broker_id_change(frame, {.code = kNotifyMinBrokerIdChange},
                              {.broker_name = "b",
                               .min_broker_id = 1,
                               .min_broker_addr = "127.0.0.1:1",
                               .offline_broker_addr = "127.0.0.1:2"});
  const Command told = decoded(frame);
  const auto change = decode_min_broker_id_change(told);
  EXPECT_EQ(change->min_broker_id, 1);
  EXPECT_EQ(change->offline_broker_addr, "127.0.0.1:2");
  EXPECT_TRUE(change->ha_broker_addr.empty());
}

TEST(Kv, RequestsSayWhatTheirCodeNeeds) {
  for (const auto code : {kPutKvConfig, kGetKvConfig, kDeleteKvConfig, kGetKvlistByNamespace}) {
    std::string frame;
    append_kv_request(frame, {.code = code}, {.name_space = "N", .key = "k", .value = "v"});
    const Command command = decoded(frame);
    const auto read = decode_kv_request(command);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->name_space, "N");
    EXPECT_EQ(read->key, code == kGetKvlistByNamespace ? "" : "k");
    EXPECT_EQ(read->value, code == kPutKvConfig ? "v" : "");
  }
}

}  // namespace
}  // namespace mq::wire
