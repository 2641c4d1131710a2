// What is answered when the store is slower than those who send: cases 74 and 75 of semantics.md.
#include "server/flow_control.h"

#include <thread>

#include <gtest/gtest.h>

#include "unit/server/served_broker.h"
#include "wire/pull.h"

namespace mq::server {
namespace {

using test::Answer;
using test::ServedBroker;

constexpr std::string_view kWaits =
    "broker busy, start flow control for a while, period in queue: ";

std::string frames(int count, std::size_t body_bytes) {
  const std::string properties = test::encoded({{"KEYS", "k"}});
  std::string out;
  for (int i = 0; i < count; ++i) {
    wire::append_send_request(out, ServedBroker::header(wire::kSendMessageV2),
                              {.group = "p", .topic = "T", .queue_id = 0, .properties = properties},
                              body_bytes);
    out.append(body_bytes, 'x');
  }
  return out;
}

// Each whole frame of `input` to `take`.
template <typename Take>
void for_each_frame(Bytes input, Take take) {
  while (!input.empty()) {
    const auto bytes = wire::frame_bytes(input);
    ASSERT_TRUE(bytes && *bytes > 0 && *bytes <= input.size());
    take(input.first(*bytes));
    input = input.subspan(*bytes);
  }
}
std::vector<Answer> answers_in(std::string_view out) {
  std::vector<Answer> answers;
  for_each_frame(as_bytes(out), [&](Bytes frame) {
    wire::Command command;
    ASSERT_TRUE(wire::decode_command(frame, command));
    answers.push_back({.code = command.code, .remark = std::string(command.remark), .ext = {}});
  });
  return answers;
}
// As if one read had brought it all.
void take_input(BrokerServer& server, net::Connection& from, std::string_view input) {
  server.on_input(from, as_bytes(input));
  for_each_frame(as_bytes(input), [&](Bytes frame) { server.on_frame(from, frame); });
}

// A broker whose log cannot grow: a producer's 40 messages are under way, of which the log takes
// about 15, and the next one waits for the disk.
class HeldUp : public ::testing::Test {
 protected:
  static void configure(broker::BrokerConfig& c) {
    c.store.commit_log_file_bytes = 64 << 10;
    c.store.page_cache_busy_ms = 1000;
  }
  void SetUp() override {
    ASSERT_TRUE(b_.topics->find_or_create("T", 4));
    ASSERT_EQ(b_.send("T", "first", {}).code, wire::kSuccess);
    b_.fs.hold(mq::test::FsOp::kAllocate, "commitlog");
    producer_ = std::jthread([this] { take_input(*b_.server, connection_, frames(40, 8000)); });
    while (b_.store->held_up_ms() == 0) {
      b_.clock.advance_ms(1);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  std::vector<Answer> let_go() {
    b_.fs.let_go();
    if (producer_.joinable()) producer_.join();
    return answers_in(connection_.out());
  }
  void TearDown() override { (void)let_go(); }

  ServedBroker b_{configure};
  mq::test::FakeConnection connection_{9};
  std::jthread producer_;
};

TEST_F(HeldUp, Case74SendsAreRefusedWhileOneHasBeenHeldUpForASecond) {
  b_.clock.advance_ms(2000);
  const Answer refused = b_.send("T", "x", {});
  EXPECT_EQ(refused.code, wire::kSystemBusy);
  EXPECT_TRUE(
      refused.remark.starts_with("[REJECTREQUEST]system busy, start flow control for a while"))
      << refused.remark;
  EXPECT_EQ(b_.send_back({.group = "g"}).code, wire::kSystemBusy);
  // One that came together with what is held up, and has two behind it.
  const std::string three = frames(3, 10);
  b_.connection.out().clear();
  b_.server->on_input(b_.connection, as_bytes(three));
  held_up(1'500'000);
  b_.server->on_frame(b_.connection, as_bytes(three).first(three.size() / 3));
  EXPECT_EQ(answers_in(b_.connection.out()).at(0).remark,
            fmt::format("[PCBUSY_CLEAN_QUEUE]{}1500ms, size of queue: 2", kWaits));
  (void)let_go();
  EXPECT_EQ(b_.send("T", "x", {}).code, wire::kSuccess);
}

TEST_F(HeldUp, ThePutItselfIsRefusedAsWellWhoeverMakesIt) {
  b_.clock.advance_ms(2000);
  const auto put = store::test::put(*b_.store, "T", 0, "x", "id");
  EXPECT_EQ(put.status, store::PutStatus::kOsPageCacheBusy);
}

TEST_F(HeldUp, Case75WhatStoodBehindItForTooLongIsNotSentAnyMore) {
  b_.clock.advance_ms(900);
  // Not long enough for others to be sent away at the door.
  const auto answers = let_go();
  ASSERT_EQ(answers.size(), 40U);
  int stored = 0;
  for (const Answer& answer : answers) {
    if (answer.code == wire::kSuccess && ++stored) continue;
    EXPECT_EQ(answer.code, wire::kSystemBusy);
    EXPECT_TRUE(answer.remark.starts_with(std::string("[TIMEOUT_CLEAN_QUEUE]").append(kWaits)))
        << answer.remark;
  }
  // Those before it, and the one that was held up.
  EXPECT_GT(stored, 1);
  EXPECT_LT(stored, 40);
  EXPECT_TRUE(answers.back().remark.ends_with(", size of queue: 0")) << answers.back().remark;
  EXPECT_EQ(b_.stored("T").size(), static_cast<std::size_t>(stored) + 1);
}

TEST_F(HeldUp, WithoutFastFailureItWaits) {
  b_.config.fast_failure = false;
  b_.clock.advance_ms(900);
  for (const Answer& answer : let_go()) EXPECT_EQ(answer.code, wire::kSuccess) << answer.remark;
}

TEST_F(HeldUp, AShortWaitRefusesNobody) {
  b_.clock.advance_ms(100);
  for (const Answer& answer : let_go()) EXPECT_EQ(answer.code, wire::kSuccess) << answer.remark;
}

// Acknowledgements wait for a disk that does not sync.
TEST(FlowControl, SendsAreRefusedWhenTooManyWaitForASlowDisk) {
  ServedBroker b([](broker::BrokerConfig& c) {
    c.store.flush_mode = store::FlushMode::kSync;
    c.store.sync_flush_timeout_ms = 1'000'000;
    c.sends_waiting_max = 2;
  });
  ASSERT_TRUE(b.topics->find_or_create("T", 4));
  const auto producer = std::make_shared<mq::test::FakeConnection>(9);
  take_input(*b.server, *producer, frames(1, 10));
  ASSERT_TRUE(b.store->sync());
  // Synced here, answered by the flush thread.
  while (b.store->durable_waiters() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  b.fs.hold(mq::test::FsOp::kSync, "commitlog");
  // As many at once as one likes, as long as the disk is not slow.
  take_input(*b.server, *producer, frames(3, 10));
  ASSERT_EQ(b.store->durable_waiters(), 3);
  b.clock.advance_ms(300);
  EXPECT_EQ(b.store->durable_wait_ms(), 300);
  const Answer refused = b.send("T", "x", {});
  EXPECT_EQ(refused.code, wire::kSystemBusy);
  EXPECT_EQ(refused.remark,
            "[OVERLOAD]system busy, start flow control for a while: 3 messages wait for the disk, "
            "the first for 300 ms");
  b.fs.let_go();
  b.stop();
  producer->run_posted();
  const auto answers = answers_in(producer->out());
  ASSERT_EQ(answers.size(), 4U);
  for (const Answer& answer : answers) EXPECT_EQ(answer.code, wire::kSuccess) << answer.remark;
}

TEST(FlowControl, Case76ADiskThatIsNearlyFullTakesNothingAndGivesWhatItHas) {
  ServedBroker b([](broker::BrokerConfig& c) { c.store.clean_interval_ms = 10; });
  ASSERT_EQ(b.send("T", "first", {}).code, wire::kSuccess);
  ASSERT_TRUE(b.store->wait_dispatched(60'000));
  b.fs.set_capacity(b.fs.used_bytes() * 100 / 95);
  Answer answer;
  for (int i = 0; i < 60'000 && answer.code != wire::kServiceNotAvailable; ++i) {
    b.clock.advance_ms(10);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    answer = b.send("T", "x", {});
  }
  EXPECT_EQ(answer.code, wire::kServiceNotAvailable) << answer.remark;
  const Answer pulled = b.ask([](std::string& out) {
    wire::append_pull_request(out, ServedBroker::header(wire::kPullMessage),
                              {.group = "G",
                               .topic = "T",
                               .queue_id = 0,
                               .queue_offset = 0,
                               .count_max = 1,
                               .sys_flag = wire::kPullSubscription,
                               .subscription = "*"});
  });
  EXPECT_EQ(pulled.code, wire::kSuccess) << pulled.remark;
  EXPECT_EQ(pulled.ext.at("nextBeginOffset"), "1");
}

}  // namespace
}  // namespace mq::server
