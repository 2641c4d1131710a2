// Requests from the broker to clients, on connections without sockets and a clock that stands
// still.
#include "server/client_channel.h"

#include <optional>

#include <gtest/gtest.h>

#include "support/fake_connection.h"
#include "support/manual_clock.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

using Answer = ClientChannel::Answer;

wire::Command sent(test::FakeConnection& connection) {
  connection.run_posted();
  wire::Command command;
  const auto done = wire::decode_command(as_bytes(connection.out()), command);
  EXPECT_TRUE(done) << done.error();
  return command;
}

wire::Command reply_to(const wire::Command& request, std::int32_t code, std::string_view body) {
  wire::Command response;
  response.code = code;
  response.opaque = request.opaque;
  response.flag = wire::kFlagResponse;
  response.ext.add("k", "v");
  response.body = as_bytes(body);
  return response;
}

class ClientChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    channel.opened(*a);
    channel.opened(*b);
  }
  void ask(std::uint64_t connection) {
    channel.ask(
        connection, {.code = wire::kGetRouteInfoByTopic, .ext = ext, .body = as_bytes("question")},
        [this](Result<Answer> result) {
          ++answers;
          last.emplace(std::move(result));
        },
        1000);
  }

  const std::array<wire::Field, 1> ext = {wire::Field{"topic", "T"}};
  test::ManualClock clock;
  ClientChannel channel{clock};
  std::shared_ptr<test::FakeConnection> a = std::make_shared<test::FakeConnection>(1);
  std::shared_ptr<test::FakeConnection> b = std::make_shared<test::FakeConnection>(2);
  int answers = 0;
  std::optional<Result<Answer>> last;
};

TEST_F(ClientChannelTest, AQuestionGoesOutAsJsonAndItsAnswerComesBack) {
  ask(1);
  const wire::Command request = sent(*a);
  EXPECT_EQ(request.serialize, wire::Serialize::kJson);
  EXPECT_EQ(request.code, wire::kGetRouteInfoByTopic);
  EXPECT_EQ(request.flag, 0);
  EXPECT_EQ(request.ext.find("topic"), "T");
  EXPECT_EQ(as_text(request.body), "question");
  EXPECT_EQ(answers, 0);
  channel.answered(*a, reply_to(request, 7, "reply"));
  ASSERT_EQ(answers, 1);
  ASSERT_TRUE(*last) << last->error();
  EXPECT_EQ((*last)->code, 7);
  EXPECT_EQ((*last)->body, "reply");
  EXPECT_EQ((*last)->ext, (std::vector<std::pair<std::string, std::string>>{{"k", "v"}}));
  channel.answered(*a, reply_to(request, 7, "reply"));
  EXPECT_EQ(answers, 1) << "a second answer is nobody's";
  EXPECT_EQ(channel.asked(), 0U);
}

TEST_F(ClientChannelTest, AnAnswerOnAnotherConnectionCountsForNothing) {
  ask(1);
  const wire::Command request = sent(*a);
  channel.answered(*b, reply_to(request, 0, ""));
  EXPECT_EQ(answers, 0);
  channel.answered(*a, reply_to(request, 0, ""));
  EXPECT_EQ(answers, 1);
}

TEST_F(ClientChannelTest, WithoutAnAnswerItIsATimeOutAndTheLateOneIsDropped) {
  ask(1);
  const wire::Command request = sent(*a);
  clock.advance_ms(999);
  channel.expire();
  EXPECT_EQ(answers, 0);
  clock.advance_ms(1);
  channel.expire();
  ASSERT_EQ(answers, 1);
  EXPECT_EQ(last->error().code(), Errc::kTimeout);
  channel.answered(*a, reply_to(request, 0, ""));
  EXPECT_EQ(answers, 1);
}

TEST_F(ClientChannelTest, TheEndOfTheConnectionEndsItsQuestionsAlone) {
  ask(1);
  ask(1);
  ask(2);
  channel.closed(*a);
  EXPECT_EQ(answers, 2);
  EXPECT_EQ(last->error().code(), Errc::kClosed);
  EXPECT_EQ(channel.asked(), 1U);
  ask(1);
  EXPECT_EQ(answers, 3) << "nobody there any more";
  EXPECT_EQ(last->error().code(), Errc::kClosed);
}

TEST_F(ClientChannelTest, AClientThatDoesNotReadIsNotSentMore) {
  a->unsent = ClientChannel::kUnsentBytesMax + 1;
  ask(1);
  EXPECT_TRUE(channel.tell(1, {.code = wire::kNotifyConsumerIdsChanged}));
  channel.tell_now(*a, {.code = wire::kNotifyConsumerIdsChanged});
  a->run_posted();
  EXPECT_TRUE(a->out().empty());
  ASSERT_EQ(answers, 1);
  EXPECT_EQ(last->error().code(), Errc::kBusy);
}

TEST_F(ClientChannelTest, ANoticeIsOnewayAndNumbered) {
  EXPECT_TRUE(channel.tell(2, {.code = wire::kNotifyConsumerIdsChanged, .ext = ext}));
  const wire::Command notice = sent(*b);
  EXPECT_TRUE(notice.is_oneway());
  EXPECT_FALSE(notice.is_response());
  EXPECT_EQ(channel.asked(), 0U);
  EXPECT_FALSE(channel.tell(3, {.code = wire::kNotifyConsumerIdsChanged}));
  channel.closed(*b);
  EXPECT_FALSE(channel.tell(2, {.code = wire::kNotifyConsumerIdsChanged}));
}

TEST_F(ClientChannelTest, OnItsOwnThreadANoticeGoesAheadOfWhatFollows) {
  channel.tell_now(*a, {.code = wire::kNotifyConsumerIdsChanged, .ext = ext});
  a->out() += "the answer";
  EXPECT_TRUE(a->out().ends_with("the answer"));
  EXPECT_GT(a->out().size(), 10U);
}

TEST_F(ClientChannelTest, ClosesAConnectionFromAfar) {
  channel.close(1);
  EXPECT_TRUE(a->is_open()) << "on its own thread";
  a->run_posted();
  EXPECT_FALSE(a->is_open());
}

}  // namespace
}  // namespace mq::server
