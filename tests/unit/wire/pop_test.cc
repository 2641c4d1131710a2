// Pop consumption on the wire: what the official client sends and reads (remoting.md 7).
#include "wire/pop.h"

#include <gtest/gtest.h>

#include "wire/assignment.h"
#include "wire/codes.h"

namespace mq::wire {
namespace {

// The frame must outlive the command.
struct Frame {
  std::string bytes;
  Command command;
};
std::unique_ptr<Frame> frame(const std::function<void(std::string&)>& append) {
  auto out = std::make_unique<Frame>();
  append(out->bytes);
  EXPECT_TRUE(decode_command(as_bytes(out->bytes), out->command));
  return out;
}
std::unique_ptr<Frame> with_fields(const std::vector<Field>& fields) {
  return frame([&](std::string& out) { append_frame(out, {.code = kPopMessage}, fields, {}); });
}

TEST(PopRequest, IsReadAsItIsWritten) {
  const PopRequest asked{.group = "G",
                         .topic = "T",
                         .queue_id = 3,
                         .count_max = 16,
                         .invisible_ms = 20'000,
                         .poll_ms = 5000,
                         .born_ms = 1'700'000'000'000,
                         .from_max = true,
                         .expression_type = "TAG",
                         .expression = "a || b",
                         .order = true,
                         .attempt_id = "att"};
  const auto sent =
      frame([&](std::string& out) { append_pop_request(out, {.code = kPopMessage}, asked); });
  EXPECT_EQ(sent->command.code, kPopMessage);  // does not fit the binary header
  const auto got = decode_pop_request(sent->command);
  ASSERT_TRUE(got) << got.error();
  EXPECT_EQ(got->group, "G");
  EXPECT_EQ(got->topic, "T");
  EXPECT_EQ(got->queue_id, 3);
  EXPECT_EQ(got->count_max, 16);
  EXPECT_EQ(got->invisible_ms, 20'000);
  EXPECT_EQ(got->poll_ms, 5000);
  EXPECT_EQ(got->born_ms, 1'700'000'000'000);
  EXPECT_TRUE(got->from_max);
  EXPECT_EQ(got->expression, "a || b");
  EXPECT_TRUE(got->order);
  EXPECT_EQ(got->attempt_id, "att");
}

TEST(PopRequest, AMissingFieldIsNamed) {
  const auto sent = with_fields({{"consumerGroup", "G"},
                                 {"topic", "T"},
                                 {"queueId", 0},
                                 {"maxMsgNums", 1},
                                 {"pollTime", 0},
                                 {"initMode", 0}});
  const auto got = decode_pop_request(sent->command);
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().text().find("invisibleTime"), std::string::npos);
}

// The texts are what the reference answered.
TEST(PopResponse, IsWrittenAsTheReferenceDoes) {
  PopResponse response{.pop_ms = 5,
                       .invisible_ms = 3000,
                       .revive_queue = 2,
                       .rest = 1,
                       .parts = {{PopRetry::kV1, 0, 7, {7, 8}}, {PopRetry::kNone, 1, 0, {0, 2}}},
                       .order = false,
                       .counts = {}};
  const auto sent = frame([&](std::string& out) {
    append_pop_response(out, {.code = 0, .flag = kFlagResponse}, response, 0);
  });
  EXPECT_EQ(sent->command.ext.find("startOffsetInfo"), "1 0 7;0 1 0");
  EXPECT_EQ(sent->command.ext.find("msgOffsetInfo"), "1 0 7,8;0 1 0,2");
  EXPECT_FALSE(sent->command.ext.find("orderCountInfo"));
  const auto got = decode_pop_response(sent->command);
  ASSERT_TRUE(got) << got.error();
  ASSERT_EQ(got->parts.size(), 2U);
  EXPECT_EQ(got->parts[0].retry, PopRetry::kV1);
  EXPECT_EQ(got->parts[1].offsets, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(got->rest, 1);

  response.order = true;
  response.counts = {{0, {{0, 1}, {1, 1}}, 1}};
  const auto ordered = frame([&](std::string& out) {
    append_pop_response(out, {.code = 0, .flag = kFlagResponse}, response, 0);
  });
  EXPECT_EQ(ordered->command.ext.find("orderCountInfo"), "0 qo0%0 1;0 qo0%1 1;0 0 1");
}

TEST(PopHandle, IsReadAsItIsWritten) {
  const std::string text = "7 1795708918729 3000 3 1 broker-a 0 8";
  const auto handle = parse_pop_handle(text);
  ASSERT_TRUE(handle) << handle.error();
  EXPECT_EQ(handle->start, 7);
  EXPECT_EQ(handle->retry, PopRetry::kV1);
  EXPECT_EQ(handle->broker, "broker-a");
  EXPECT_EQ(handle->offset, 8);
  EXPECT_EQ(to_string(*handle), text);
  EXPECT_EQ(parse_pop_handle("7 1 3000 3 2 b 0")->offset, -1);  // seven are enough
  for (const char* wrong : {"", "1 2 3 4 5", "7 1 3000 3 9 b 0", "x 1 3000 3 0 b 0",
                            "-1 1 3000 3 0 b 0", "1 -1 3000 3 0 b 0", "7 1 3000 3 0 b 0 x"})
    EXPECT_FALSE(parse_pop_handle(wrong)) << wrong;
}

TEST(BatchAckBody, IsReadInBothFormsOfItsNames) {
  const std::string body =
      R"({"acks":[{"b":"CQI=","c":"CG","it":60000,"pt":1700000000000,"q":1,"r":"2","rq":2,)"
      R"("so":100,"t":"TopicTest"}],"brokerName":"broker-a"})";
  const auto got = decode_batch_ack_request(body);
  ASSERT_TRUE(got) << got.error();
  ASSERT_EQ(got->acks.size(), 1U);
  const BatchAck& ack = got->acks[0];
  EXPECT_EQ(ack.offsets, (std::vector<std::int64_t>{100, 103, 109}));
  EXPECT_EQ(ack.retry, PopRetry::kV2);
  EXPECT_EQ(ack.revive_queue, 2);
  EXPECT_EQ(encode_batch_ack_request(*got), body);
  const auto named = decode_batch_ack_request(
      R"({"acks":[{"bitSet":"AQ==","consumerGroup":"G","topic":"T","startOffset":5}]})");
  ASSERT_TRUE(named) << named.error();
  EXPECT_EQ(named->acks[0].offsets, std::vector<std::int64_t>{5});
  EXPECT_FALSE(decode_batch_ack_request(R"({"acks":[{"b":"*","t":"T"}]})"));
  EXPECT_FALSE(decode_batch_ack_request(R"({"acks":[{"so":-1,"t":"T"}]})"));
  EXPECT_FALSE(decode_batch_ack_request("["));
}

TEST(Assignments, AreReadAsTheyAreWritten) {
  const auto asked = decode_assignment_request(
      R"({"clientId":"c","consumerGroup":"G","messageModel":"BROADCASTING","strategyName":"AVG",)"
      R"("topic":"T"})");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->model, MessageModel::kBroadcasting);
  EXPECT_EQ(encode_assignments({}), "{}");
  const std::string body =
      R"({"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a","queueId":-1,)"
      R"("topic":"PT"},"mode":"POP"}]})";
  const auto got = decode_assignments(body);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->known && got->pop);
  EXPECT_EQ(encode_assignments(*got), body);
  EXPECT_FALSE(decode_assignments("{}")->known);
}

}  // namespace
}  // namespace mq::wire
