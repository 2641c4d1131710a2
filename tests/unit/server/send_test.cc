// Topics and sends, asked of a whole broker: the cases of semantics.md 25.1.
#include <gtest/gtest.h>

#include "unit/server/served_broker.h"
#include "wire/topic.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;

Answer create(ServedBroker& b, const wire::CreateTopicRequest& request) {
  return b.ask([&](std::string& out) {
    wire::append_create_topic_request(out, ServedBroker::header(wire::kUpdateAndCreateTopic),
                                      request);
  });
}
format::TopicConfig topic(const ServedBroker& b, std::string_view name) {
  const auto found = b.topics->get(name);
  EXPECT_TRUE(found) << name;
  return found.value_or(format::TopicConfig{});
}

TEST(Send, Case01AnUnknownTopicIsMadeWithTheQueuesThatTheClientWants) {
  ServedBroker b;
  ASSERT_EQ(b.send("A", "x", {}, {.default_queue_count = 4}).code, wire::kSuccess);
  EXPECT_EQ(topic(b, "A").read_queues, 4);
  EXPECT_EQ(topic(b, "A").write_queues, 4);
  EXPECT_EQ(topic(b, "A").perm, 6);
}

TEST(Send, Case02ButNoMoreThanTheTemplateHas) {
  ServedBroker b;
  ASSERT_EQ(b.send("A", "x", {}, {.default_queue_count = 16}).code, wire::kSuccess);
  EXPECT_EQ(topic(b, "A").read_queues, 8);
  EXPECT_EQ(topic(b, "A").write_queues, 8);
}

TEST(Send, Case03OrNotAtAllWhereThatIsOff) {
  ServedBroker b([](broker::BrokerConfig& c) { c.auto_create_topic = false; });
  EXPECT_EQ(b.send("A", "x", {}).code, wire::kTopicNotExist);
  EXPECT_FALSE(b.topics->find("A"));
}

TEST(Send, Case04NamesAreOfSomeCharactersAndAtMost127Long) {
  ServedBroker b;
  EXPECT_EQ(b.send("a.b", "x", {}).code, wire::kInvalidParameter);
  EXPECT_EQ(b.send(std::string(128, 'a'), "x", {}).code, wire::kInvalidParameter);
  EXPECT_EQ(b.send(std::string(127, 'a'), "x", {}).code, wire::kSuccess);
}

TEST(Send, Case05TheBrokersOwnTopicsTakeNothing) {
  ServedBroker b;
  EXPECT_EQ(b.send("SCHEDULE_TOPIC_XXXX", "x", {}).code, wire::kNoPermission);
  EXPECT_EQ(b.send("RMQ_SYS_TRANS_HALF_TOPIC", "x", {}).code, wire::kNoPermission);
}

TEST(Send, Case06TheQueueMustBeThereAndMayBeLeftToTheBroker) {
  ServedBroker b;
  ASSERT_TRUE(b.topics->find_or_create("T", 4));
  EXPECT_EQ(b.send("T", "x", {}, {.queue_id = 4}).code, wire::kInvalidParameter);
  std::set<std::string> queues;
  const std::string text = test::encoded({{"KEYS", "k"}});
  for (int i = 0; i < 200; ++i) {
    const Answer answer = b.ask([&](std::string& out) {
      wire::append_send_request(out, ServedBroker::header(wire::kSendMessageV2),
                                {.group = "p", .topic = "T", .queue_id = -1, .properties = text},
                                1);
      out += "x";
    });
    ASSERT_EQ(answer.code, wire::kSuccess) << answer.remark;
    queues.insert(answer.ext.at("queueId"));
  }
  EXPECT_EQ(queues, (std::set<std::string>{"0", "1", "2", "3"}));
}

TEST(Send, Case07AQueueThatIsOnlyReadStillTakesMessages) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "T", .read_queues = 8, .write_queues = 4}).code, wire::kSuccess);
  EXPECT_EQ(b.send("T", "x", {}, {.queue_id = 6}).code, wire::kSuccess);
}

TEST(Send, Case08ATopicsWritePermissionIsNotAskedFor) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "T", .perm = 4}).code, wire::kSuccess);
  EXPECT_EQ(b.send("T", "x", {}).code, wire::kSuccess);
}

TEST(Topics, Case09TheSystemsNamesCannotBeMade) {
  ServedBroker b;
  EXPECT_EQ(create(b, {.topic = "TBW102"}).code, wire::kInvalidParameter);
  EXPECT_EQ(create(b, {.topic = "rmq_sys_x"}).code, wire::kInvalidParameter);
}

TEST(Topics, Case10TheSameAgainIsNoChange) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "T", .read_queues = 3}).code, wire::kSuccess);
  const auto before = b.topics->all().version;
  EXPECT_EQ(create(b, {.topic = "T", .read_queues = 3}).code, wire::kSuccess);
  EXPECT_EQ(b.topics->all().version, before);
}

TEST(Topics, Case11SomeAttributesCanBeChangedAndSomeCannot) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "T", .attributes = "+cleanup.policy=DELETE"}).code, wire::kSuccess);
  EXPECT_NE(create(b, {.topic = "T", .attributes = "+cleanup.policy=COMPACTION"}).code,
            wire::kSuccess);
  EXPECT_EQ(create(b, {.topic = "T", .attributes = "+message.type=FIFO"}).code, wire::kSuccess);
}

TEST(Send, Case12PropertiesAndBodiesHaveTheirLimits) {
  ServedBroker b;
  EXPECT_EQ(b.send("T", "x", {{"p", std::string(32'760, 'v')}}).code, wire::kMessageIllegal)
      << "with what the broker adds";
  EXPECT_EQ(b.send("T", "x", {{"p", std::string(32'500, 'v')}}).code, wire::kSuccess);
  EXPECT_EQ(b.send("T", std::string((4 << 20) + 1, 'x'), {}).code, wire::kMessageIllegal);
  EXPECT_EQ(b.send("T", std::string(4 << 20, 'x'), {}).code, wire::kSuccess);
}

TEST(Send, Case13TheBrokerAddsWhatItAdds) {
  ServedBroker b;
  ASSERT_EQ(b.send("T", "x", {{"MSG_REGION", "mine"}, {"POP_CK", "1"}, {"k", "v"}}).code,
            wire::kSuccess);
  const auto stored = b.stored("T").at(0);
  EXPECT_EQ(stored.property("UNIQ_KEY").size(), 32U);
  EXPECT_EQ(stored.property("MSG_REGION"), "DefaultRegion");
  EXPECT_EQ(stored.property("TRACE_ON"), "true");
  EXPECT_EQ(stored.property("CLUSTER"), "DefaultCluster");
  EXPECT_EQ(stored.property("POP_CK"), "");
  EXPECT_EQ(stored.property("k"), "v");
}

TEST(Send, Case14TheKindOfATopicIsNotTheBrokersBusiness) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "T", .attributes = "+message.type=FIFO"}).code, wire::kSuccess);
  EXPECT_EQ(b.send("T", "x", {}).code, wire::kSuccess);
}

std::string batch_of(int messages) {
  std::string body;
  for (int i = 0; i < messages; ++i)
    wire::append_batch_item(body, {.flag = 0, .body = as_bytes(std::string_view("x"))});
  return body;
}

TEST(Send, ABatchStaysClosedWhereTheTopicSaysSoAndTheBatchHasAnId) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "B", .attributes = "+queue.type=BatchCQ"}).code, wire::kSuccess);
  ASSERT_EQ(create(b, {.topic = "P"}).code, wire::kSuccess);
  const test::Properties id = {{"UNIQ_KEY", "ID"}};
  for (const auto& [name, properties, records] :
       {std::tuple("B", id, 1), std::tuple("B", test::Properties(), 3), std::tuple("P", id, 3)}) {
    const std::int64_t before = b.store->stats().messages_total;
    const Answer answer = b.send(name, batch_of(3), properties, {.queue_id = 0, .batch = true});
    ASSERT_EQ(answer.code, wire::kSuccess) << name << answer.remark;
    EXPECT_EQ(b.store->stats().messages_total - before, records) << name;
    EXPECT_EQ(answer.ext.contains("batchUniqId"), records == 1) << name;
  }
  ASSERT_TRUE(b.store->wait_dispatched(10'000));
  EXPECT_EQ(b.store->max_offset("B", 0).value(), 6);
  EXPECT_EQ(b.store->max_offset("P", 0).value(), 3);
}

TEST(Send, NobodyButTheBrokerClosesABatch) {
  ServedBroker b;
  ASSERT_EQ(create(b, {.topic = "B", .attributes = "+queue.type=BatchCQ"}).code, wire::kSuccess);
  EXPECT_EQ(b.send("B", "x", {{"INNER_NUM", "7"}}).code, wire::kMessageIllegal);
  EXPECT_EQ(b.send("B", "x", {}, {.sys_flag = 0x80}).code, wire::kMessageIllegal);
  const test::Properties id = {{"UNIQ_KEY", "ID"}};
  EXPECT_EQ(b.send("B", "no batch", id, {.batch = true}).code, wire::kMessageIllegal);
}

}  // namespace
}  // namespace mq::server
