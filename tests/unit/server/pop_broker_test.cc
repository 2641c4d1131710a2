// Pop consumption asked of a whole broker, with a clock of the test's own. Numbered cases are those
// of semantics.md 25.8.
#include <gtest/gtest.h>

#include "broker/pop_names.h"
#include "unit/server/served_broker.h"
#include "wire/pop.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;

// A broker with a topic of one queue and a group.
struct PopBroker : ServedBroker {
  explicit PopBroker(const std::function<void(broker::BrokerConfig&)>& configure = {})
      : ServedBroker(configure) {
    EXPECT_TRUE(topics->find_or_create("T", 1));
    EXPECT_NE(groups->find_or_create("G"), nullptr);
  }
  void send_bodies(std::initializer_list<const char*> bodies, const test::Properties& p = {}) {
    for (const char* body : bodies) EXPECT_EQ(send("T", body, p).code, wire::kSuccess);
    EXPECT_TRUE(store->wait_dispatched(60'000));
  }
  Answer pop_frame(wire::PopRequest asked = {}) {
    asked.group = "G";
    asked.topic = "T";
    asked.born_ms = clock.now_ms();
    return ask([&](std::string& out) {
      wire::append_pop_request(out, {.code = wire::kPopMessage, .opaque = 7}, asked);
    });
  }
  // A pop without the wire.
  broker::Pop::Popped pop_now(std::int64_t invisible_ms = 10'000, std::int32_t count = 32) {
    return pop->pop.pop(
        {.group = "G", .topic = "T", .count_max = count, .invisible_ms = invisible_ms},
        clock.now_ms());
  }
  std::vector<std::string> bodies(const broker::Pop::Popped& popped) {
    std::vector<std::string> out;
    for (const auto& span : popped.spans) {
      Bytes bytes = span.bytes;
      while (!bytes.empty()) {
        const auto r = format::decode_record(bytes, format::CheckBody::kCrc);
        EXPECT_TRUE(r) << r.error();
        if (!r) return out;
        out.emplace_back(as_text(r->body));
        bytes = bytes.subspan(static_cast<std::size_t>(r->total_bytes));
      }
    }
    return out;
  }
  std::int32_t ack(const broker::Pop::Popped& popped, std::int64_t offset, std::size_t part = 0) {
    const wire::PopPart& of = popped.answer.parts.at(part);
    const std::string topic = broker::stored_topic(of.retry, "G", "T");
    const std::string handle = wire::to_string({.start = of.start,
                                                .pop_ms = popped.answer.pop_ms,
                                                .invisible_ms = popped.answer.invisible_ms,
                                                .revive_queue = popped.answer.revive_queue,
                                                .retry = of.retry,
                                                .broker = config.name,
                                                .queue_id = of.queue_id,
                                                .offset = offset});
    return ask([&](std::string& out) {
             wire::append_ack_request(out, {.code = wire::kAckMessage, .opaque = 7},
                                      {.group = "G",
                                       .topic = topic,
                                       .queue_id = of.queue_id,
                                       .handle = handle,
                                       .offset = offset});
           })
        .code;
  }
};

TEST(Pop, Case66ComesAgainNotBeforeItsTimeAndWithItsHistory) {
  PopBroker b;
  b.send_bodies({"x"}, {{"TAGS", "a"}, {"mine", "1"}});
  const std::int64_t popped_ms = b.clock.now_ms();
  const Answer first = b.pop_frame({.invisible_ms = 10'000});
  EXPECT_EQ(first.code, wire::kSuccess) << first.remark;
  EXPECT_EQ(first.ext.at("startOffsetInfo"), "0 0 0");
  EXPECT_EQ(first.ext.at("msgOffsetInfo"), "0 0 0");
  EXPECT_EQ(first.ext.at("popTime"), std::to_string(popped_ms));
  EXPECT_EQ(b.pop_frame().code, wire::kPollingTimeout);
  b.advance_ms(9'999);
  EXPECT_EQ(b.pop_frame().code, wire::kPollingTimeout);
  // Its second is over within a second, and the rest is a few turns of the thread.
  b.advance_ms(1'101);
  const auto again = b.stored("%RETRY%G_T");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].reconsume_times, 1);
  EXPECT_EQ(again[0].property("1ST_POP_TIME"), std::to_string(popped_ms));
  EXPECT_EQ(again[0].property("mine"), "1");
  EXPECT_EQ(b.topics->find("%RETRY%G_T")->perm, 6);
  const auto popped = b.pop_now();
  ASSERT_EQ(popped.answer.parts.size(), 1U);
  EXPECT_EQ(popped.answer.parts[0].retry, wire::PopRetry::kV1);
}

TEST(Pop, Case67WhatIsAcknowledgedInTimeNeverComesAgain) {
  PopBroker b;
  b.send_bodies({"a", "b", "c"});
  const auto popped = b.pop_now();
  b.advance_ms(9'000);
  EXPECT_EQ(b.ack(popped, 0), wire::kSuccess);
  b.clock.advance_ms(999);
  EXPECT_EQ(b.ack(popped, 2), wire::kSuccess) << "in the last millisecond";
  b.advance_ms(20'000);
  EXPECT_EQ(b.bodies(b.pop_now()), std::vector<std::string>{"b"});
  b.advance_ms(1'000);
  EXPECT_EQ(b.offsets->find(format::kReviveGroup, "rmq_sys_REVIVE_LOG_DefaultCluster", 0), 3)
      << "the last of the checkpoint, two acknowledgements and what says that the rest was copied";
}

TEST(Pop, Case73AFifthOfThePopsLooksAtTheRetriesFirst) {
  PopBroker b;
  ASSERT_TRUE(b.topics->find_or_create("%RETRY%G_T", 1));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(store::is_stored(store::test::put(*b.store, "T", 0, "x", "id").status));
    ASSERT_TRUE(store::is_stored(store::test::put(*b.store, "%RETRY%G_T", 0, "x", "id").status));
  }
  ASSERT_TRUE(b.store->wait_dispatched(60'000));
  int retries = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto popped = b.pop_now(60'000, 1);
    ASSERT_EQ(popped.count, 1);
    retries += popped.answer.parts[0].retry == wire::PopRetry::kV1 ? 1 : 0;
  }
  EXPECT_GE(retries, 150);
  EXPECT_LE(retries, 250);
}

// Trap 10: the copy of a message that was delayed is not delayed once more.
TEST(Pop, Case79ADelayedMessageComesAgainAfterItsInvisibleTimeAlone) {
  PopBroker b;
  ASSERT_EQ(b.send("T", "late", {{"DELAY", "2"}}).code, wire::kSuccess);
  b.advance_ms(5'000);
  ASSERT_EQ(b.pop_now(5'000).count, 1);
  b.advance_ms(6'101);
  EXPECT_EQ(b.pop_now().count, 1);
}

// The consumer offsets on disk are from before the pop.
TEST(Pop, AfterAKillOnlyWhatWasNotAcknowledgedComesAgain) {
  PopBroker b;
  b.send_bodies({"a", "b", "c", "d"});
  ASSERT_TRUE(b.offsets->flush());
  const auto popped = b.pop_now(10'000, 3);
  EXPECT_EQ(b.ack(popped, 0), wire::kSuccess);
  EXPECT_EQ(b.ack(popped, 1), wire::kSuccess);
  b.kill();
  b.start();
  EXPECT_EQ(b.bodies(b.pop_now(60'000)), std::vector<std::string>{"d"}) << "where the pops were";
  b.advance_ms(12'000);
  const auto again = b.pop_now(60'000);
  EXPECT_EQ(b.bodies(again), std::vector<std::string>{"c"});
  // What was copied is not copied again, though the file does not say so.
  EXPECT_EQ(b.ack(again, 0), wire::kSuccess);
  b.kill();
  b.start();
  b.advance_ms(30'000);
  EXPECT_EQ(b.pop_now().count, 0);
}

// The timer delivers again what it could not yet say on disk to be delivered. What was copied long
// before is not copied again for that.
TEST(Pop, AfterAKillOnASlowDiskNothingAcknowledgedComesAgain) {
  PopBroker b;
  b.fs.hold(mq::test::FsOp::kSync, "commitlog");
  b.send_bodies({"a", "b"});
  const auto popped = b.pop_now(10'000, 2);
  EXPECT_EQ(b.ack(popped, 0), wire::kSuccess);
  b.advance_ms(12'000);
  const auto again = b.pop_now(10'000);
  EXPECT_EQ(b.bodies(again), std::vector<std::string>{"b"});
  EXPECT_EQ(b.ack(again, 0), wire::kSuccess);
  for (int i = 0; i < 20; ++i) b.advance_ms(5000);
  for (std::int64_t offset = 2; offset < 12; ++offset) {  // to every queue of the revive topic
    b.send_bodies({"later"});
    EXPECT_EQ(b.ack(b.pop_now(5000), offset), wire::kSuccess);
  }
  b.advance_ms(7000);
  ASSERT_TRUE(b.offsets->flush());
  b.fs.let_go();
  b.kill();
  b.start();
  for (int i = 0; i < 8; ++i) {
    b.advance_ms(5000);
    EXPECT_EQ(b.bodies(b.pop_now()), std::vector<std::string>()) << i;
  }
}

TEST(Pop, AfterAKillAPopInOrderGoesOnWhereItWas) {
  PopBroker b;
  b.send_bodies({"a", "b", "c"});
  ASSERT_TRUE(b.offsets->flush());
  const auto in_order = [&] {
    return b.pop->pop.pop(
        {.group = "G", .topic = "T", .count_max = 1, .invisible_ms = 60'000, .order = true},
        b.clock.now_ms());
  };
  for (const std::int64_t offset : {0, 1}) {
    const auto popped = in_order();
    ASSERT_EQ(popped.count, 1);
    EXPECT_EQ(in_order().count, 0) << "blocked";
    EXPECT_EQ(b.ack(popped, offset), wire::kSuccess);
  }
  ASSERT_TRUE(b.pop->orders.flush());
  b.kill();
  b.start();
  EXPECT_EQ(b.bodies(in_order()), std::vector<std::string>{"c"});
}

TEST(Pop, ACleanStopKeepsWhatIsOut) {
  PopBroker b;
  b.send_bodies({"a", "b"});
  (void)b.pop_now(10'000, 1);
  ASSERT_TRUE(b.offsets->flush());
  b.stop();
  b.start();
  EXPECT_EQ(b.bodies(b.pop_now(10'000)), std::vector<std::string>{"b"});
  b.advance_ms(12'000);
  EXPECT_EQ(b.pop_now().count, 2);
}

TEST(Pop, RetriesOfTheOldFormAreReadBesideTheNew) {
  PopBroker b([](broker::BrokerConfig& c) { c.retry_topic_v2 = true; });
  ASSERT_TRUE(b.topics->find_or_create("%RETRY%G_T", 1));
  ASSERT_TRUE(store::is_stored(store::test::put(*b.store, "%RETRY%G_T", 0, "old", "id").status));
  b.send_bodies({"new"});
  (void)b.pop->pop.pop(
      {.group = "G", .topic = "T", .queue = 0, .count_max = 1, .invisible_ms = 1000},
      b.clock.now_ms());
  b.advance_ms(3'000);
  EXPECT_EQ(b.stored("%RETRY%G+T").size(), 1U);
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i)
    for (const auto& body : b.bodies(b.pop_now(60'000))) seen.insert(body);
  EXPECT_EQ(seen, (std::set<std::string>{"new", "old"}));
}

TEST(Pop, NewTimesReplaceTheOld) {
  PopBroker b;
  b.send_bodies({"x"});
  const auto popped = b.pop_now(10'000);
  const std::string handle = wire::to_string({.start = 0,
                                              .pop_ms = popped.answer.pop_ms,
                                              .invisible_ms = 10'000,
                                              .revive_queue = popped.answer.revive_queue,
                                              .broker = b.config.name,
                                              .offset = 0});
  const Answer changed = b.ask([&](std::string& out) {
    wire::append_change_invisible_request(
        out, {.code = wire::kChangeMessageInvisibleTime, .opaque = 7},
        {.group = "G", .topic = "T", .handle = handle, .offset = 0, .invisible_ms = 30'000});
  });
  EXPECT_EQ(changed.code, wire::kSuccess);
  EXPECT_EQ(changed.ext.at("invisibleTime"), "30000");
  EXPECT_NE(changed.ext.at("popTime"), std::to_string(popped.answer.pop_ms))
      << "of one millisecond, yet told apart";
  b.advance_ms(29'000);
  EXPECT_EQ(b.pop_now().count, 0);
  b.advance_ms(3'000);
  EXPECT_EQ(b.pop_now().count, 1);
}

TEST(Pop, OnlySoManyMayWait) {
  PopBroker b([](broker::BrokerConfig& c) { c.pop_polls_each_max = 1; });
  std::string frame;
  wire::append_pop_request(
      frame, {.code = wire::kPopMessage, .opaque = 7},
      {.group = "G", .topic = "T", .poll_ms = 15'000, .born_ms = b.clock.now_ms()});
  mq::test::FakeConnection first(21);
  b.server->on_frame(first, as_bytes(frame));
  EXPECT_TRUE(first.out().empty()) << "it waits";
  EXPECT_EQ(b.pop_frame({.poll_ms = 15'000}).code, wire::kPollingFull);
  b.server->on_close(first);
  EXPECT_EQ(b.pop->polls.waiting("T", "G", -1), 0U);
}

TEST(Pop, AWaitingPopIsAnsweredWhenItsTimeIsOver) {
  PopBroker b;
  std::string frame;
  wire::append_pop_request(
      frame, {.code = wire::kPopMessage, .opaque = 7},
      {.group = "G", .topic = "T", .poll_ms = 15'000, .born_ms = b.clock.now_ms()});
  const auto waiting = std::make_shared<mq::test::FakeConnection>(21);
  b.server->on_frame(*waiting, as_bytes(frame));
  b.clock.advance_ms(14'949);
  waiting->run_posted();
  EXPECT_TRUE(waiting->out().empty());
  b.clock.advance_ms(1);
  waiting->run_posted();
  wire::Command answer;
  ASSERT_TRUE(wire::decode_command(as_bytes(waiting->out()), answer));
  EXPECT_EQ(answer.code, wire::kPollingTimeout);
}

TEST(Pop, ARetryWakesWhoWaitsForItsTopic) {
  PopBroker b;
  b.send_bodies({"x"});
  ASSERT_EQ(b.pop_now(5'000).count, 1);
  std::string frame;
  wire::append_pop_request(
      frame, {.code = wire::kPopMessage, .opaque = 7},
      {.group = "G", .topic = "T", .poll_ms = 60'000, .born_ms = b.clock.now_ms()});
  b.store->on_arrival([&](const store::Arrival& arrival) { b.pop->on_arrival(arrival); });
  const auto waiting = std::make_shared<mq::test::FakeConnection>(21);
  b.server->on_frame(*waiting, as_bytes(frame));
  b.advance_ms(6'101);
  waiting->run_posted();
  wire::Command answer;
  ASSERT_TRUE(wire::decode_command(as_bytes(waiting->out()), answer));
  EXPECT_EQ(answer.code, wire::kSuccess);
}

}  // namespace
}  // namespace mq::server
