// What follows from clients that come, stay and fall silent, asked of a whole broker whose clock
// stands still (semantics.md 9.1 and the conformance cases that the names give).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/server/served_broker.h"
#include "wire/client_view.h"
#include "wire/heartbeat.h"

namespace mq::server {
namespace {

using mq::test::FakeConnection;
using test::ServedBroker;
using testing::ElementsAre;
using testing::IsEmpty;

// A frame as values of its own.
struct Frame {
  std::int32_t code = 0;
  std::int32_t flag = 0;
  std::int32_t opaque = 0;
  std::string remark;
  std::string body;
};

// A client of the broker, on a connection of its own.
class Peer {
 public:
  Peer(ServedBroker& broker, std::uint64_t id, std::string name)
      : broker_(broker), name_(std::move(name)), connection_(std::make_shared<FakeConnection>(id)) {
    broker_.server->on_open(*connection_);
  }

  void send(std::int32_t code, std::string_view body, std::span<const wire::Field> ext = {}) {
    std::string frame;
    wire::append_frame(frame, {.code = code, .opaque = 7}, ext, as_bytes(body));
    broker_.server->on_frame(*connection_, as_bytes(frame));
  }
  void heartbeat() {
    wire::Heartbeat heartbeat;
    heartbeat.client_id = name_;
    heartbeat.consumers = {{.group = "G", .subscriptions = {{.topic = "T"}}}};
    send(wire::kHeartBeat, wire::encode_heartbeat(heartbeat));
  }
  // Everything that the broker has sent since the last time.
  std::vector<Frame> received() {
    connection_->run_posted();
    std::vector<Frame> out;
    Bytes rest = as_bytes(connection_->out());
    while (!rest.empty()) {
      const auto bytes = wire::frame_bytes(rest);
      EXPECT_TRUE(bytes && *bytes > 0 && *bytes <= rest.size());
      if (!bytes || *bytes == 0) break;
      wire::Command command;
      EXPECT_TRUE(wire::decode_command(rest.first(*bytes), command));
      out.push_back({command.code, command.flag, command.opaque, std::string(command.remark),
                     std::string(as_text(command.body))});
      rest = rest.subspan(*bytes);
    }
    connection_->out().clear();
    return out;
  }
  std::vector<std::int32_t> received_codes() {
    std::vector<std::int32_t> codes;
    for (const Frame& frame : received()) codes.push_back(frame.code);
    return codes;
  }
  std::vector<std::string> members() {
    (void)received();
    const std::array<wire::Field, 1> ext = {wire::Field{"consumerGroup", "G"}};
    send(wire::kGetConsumerListByGroup, {}, ext);
    const auto answer = received();
    return answer.size() == 1 && answer[0].code == wire::kSuccess
               ? *wire::decode_consumer_ids(answer[0].body)
               : std::vector<std::string>();
  }
  [[nodiscard]] bool is_open() const { return connection_->is_open(); }
  void close() { broker_.server->on_close(*connection_); }

 private:
  ServedBroker& broker_;
  const std::string name_;
  std::shared_ptr<FakeConnection> connection_;
};

TEST(Membership, Case41TheNoticeComesAheadOfTheAnswerThatCausedIt) {
  ServedBroker broker;
  Peer a(broker, 1, "a");
  Peer b(broker, 2, "b");
  a.heartbeat();
  EXPECT_THAT(a.received_codes(), ElementsAre(wire::kNotifyConsumerIdsChanged, wire::kSuccess));
  b.heartbeat();
  EXPECT_THAT(b.received_codes(), ElementsAre(wire::kNotifyConsumerIdsChanged, wire::kSuccess));
  EXPECT_THAT(a.received_codes(), ElementsAre(wire::kNotifyConsumerIdsChanged));
  a.heartbeat();
  EXPECT_THAT(a.received_codes(), ElementsAre(wire::kSuccess)) << "nothing has changed";
}

TEST(Membership, Case43AClientSilentFor130SecondsIsClosedAndTheOthersAreTold) {
  ServedBroker broker;
  Peer a(broker, 1, "a");
  Peer b(broker, 2, "b");
  a.heartbeat();
  b.heartbeat();
  broker.clock.advance_ms(100'000);
  b.heartbeat();
  broker.server->tick();
  EXPECT_THAT(b.members(), ElementsAre("a", "b"));
  broker.clock.advance_ms(30'000);
  broker.server->tick();
  EXPECT_THAT(b.received_codes(), ElementsAre(wire::kNotifyConsumerIdsChanged));
  EXPECT_THAT(b.members(), ElementsAre("b"));
  (void)a.received();
  EXPECT_FALSE(a.is_open());
  EXPECT_TRUE(b.is_open());
  a.close();
  EXPECT_THAT(b.received_codes(), IsEmpty()) << "it was gone already";
}

TEST(Membership, AClientThatDoesNotAnswerIsATimeOutForWhoAsked) {
  ServedBroker broker;
  Peer asked(broker, 1, "a");
  Peer admin(broker, 2, "admin");
  asked.heartbeat();
  (void)asked.received();
  const std::array<wire::Field, 2> ext = {wire::Field{"consumerGroup", "G"},
                                          wire::Field{"clientId", "a"}};
  admin.send(wire::kGetConsumerRunningInfo, {}, ext);
  EXPECT_THAT(asked.received_codes(), ElementsAre(wire::kGetConsumerRunningInfo));
  broker.clock.advance_ms(9'999);
  broker.server->tick();
  EXPECT_THAT(admin.received_codes(), IsEmpty());
  broker.clock.advance_ms(1);
  broker.server->tick();
  const auto answer = admin.received();
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(answer[0].code, wire::kConsumeMsgTimeout);
  EXPECT_EQ(answer[0].opaque, 7);
  EXPECT_NE(answer[0].remark.find("<G> <a>"), std::string::npos) << answer[0].remark;
}

TEST(Membership, NobodyIsLeftOnceTheLastConnectionEnds) {
  ServedBroker broker;
  Peer a(broker, 1, "a");
  Peer b(broker, 2, "b");
  a.heartbeat();
  b.heartbeat();
  (void)b.received();
  a.close();
  EXPECT_THAT(b.received_codes(), ElementsAre(wire::kNotifyConsumerIdsChanged));
  b.close();
  Peer c(broker, 3, "c");
  EXPECT_THAT(c.members(), IsEmpty());
}

}  // namespace
}  // namespace mq::server
