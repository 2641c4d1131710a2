// Transactions asked of a whole broker: a producer that sends, ends, is asked and answers. Numbered
// cases are those of semantics.md 25.7.
#include <gtest/gtest.h>

#include "format/message_id.h"
#include "unit/server/served_broker.h"
#include "wire/heartbeat.h"
#include "wire/transaction.h"

namespace mq::server {
namespace {

using mq::test::FakeConnection;
using test::Answer;
using test::Properties;
using test::ServedBroker;
using wire::TransactionEnd;

constexpr const char* kHalf = "RMQ_SYS_TRANS_HALF_TOPIC";

Properties half_properties(const std::string& group = "pg") {
  return {{"TRAN_MSG", "true"}, {"PGROUP", group}, {"UNIQ_KEY", "ID"}, {"TAGS", "t"}};
}

Answer end(ServedBroker& b, const Answer& sent, TransactionEnd how, const std::string& group = "pg",
           std::int64_t half_off_by = 0) {
  const auto id = format::parse_offset_message_id(sent.ext.at("msgId"));
  EXPECT_TRUE(id);
  return b.ask([&](std::string& out) {
    wire::append_end_transaction_request(
        out, ServedBroker::header(wire::kEndTransaction),
        {.producer_group = group,
         .half_offset = std::stoll(sent.ext.at("queueOffset")) + half_off_by,
         .offset = id->offset.value(),
         .end = how,
         .msg_id = "ID",
         .transaction_id = "ID"});
  });
}

// A producer on a connection of its own.
struct Producer {
  Producer(ServedBroker& broker, std::uint64_t id, const std::string& group)
      : b(broker), connection(std::make_shared<FakeConnection>(id)) {
    b.server->on_open(*connection);
    wire::Heartbeat heartbeat;
    heartbeat.client_id = "p" + std::to_string(id);
    heartbeat.producer_groups = {group};
    const std::string body = wire::encode_heartbeat(heartbeat);
    wire::append_frame(frame, {.code = wire::kHeartBeat, .opaque = 1}, {}, as_bytes(body));
    b.server->on_frame(*connection, as_bytes(frame));
    connection->run_posted();
    connection->out().clear();
  }
  // The question that it has been asked, if any; of the frame that `frame` keeps.
  bool asked(wire::CheckTransactionRequest& question, format::Record& half) {
    connection->run_posted();
    frame = std::exchange(connection->out(), {});
    if (frame.empty()) return false;
    EXPECT_TRUE(wire::decode_command(as_bytes(frame), command));
    EXPECT_EQ(command.code, wire::kCheckTransactionState);
    EXPECT_TRUE(command.is_oneway());
    const auto decoded = wire::decode_check_transaction_request(command);
    const auto record = format::decode_record(command.body, format::CheckBody::kCrc);
    EXPECT_TRUE(decoded);
    EXPECT_TRUE(record) << record.error();
    if (!decoded || !record) return false;
    question = *decoded;
    half = *record;
    return true;
  }

  ServedBroker& b;
  std::shared_ptr<FakeConnection> connection;
  std::string frame;
  wire::Command command;
};

TEST(EndTransaction, Case61HalfMessagesAreAnsweredLikeSendsAndSeenByNobodyUntilTheyAreCommitted) {
  ServedBroker b;
  const Answer first = b.send("T", "a", half_properties(), {.queue_id = 3, .sys_flag = 4});
  ASSERT_EQ(first.code, wire::kSuccess) << first.remark;
  EXPECT_EQ(first.ext.at("queueId"), "3") << "the queue that was asked for";
  EXPECT_EQ(first.ext.at("queueOffset"), "0") << "of the half queue";
  EXPECT_EQ(first.ext.at("transactionId"), "ID");
  const Answer second = b.send("T", "b", half_properties(), {.queue_id = 3, .sys_flag = 4});
  EXPECT_EQ(second.ext.at("queueOffset"), "1");
  EXPECT_TRUE(b.stored("T", 3).empty());
  ASSERT_EQ(b.stored(kHalf).size(), 2U);
  EXPECT_EQ(b.stored(kHalf)[0].sys_flag & 0xC, 0);
  EXPECT_EQ(b.stored(kHalf)[0].property("__transactionId__"), "ID");
  EXPECT_EQ(b.stored(kHalf)[0].property("REAL_QID"), "3");
  EXPECT_EQ(b.stored(kHalf)[0].property("REAL_TOPIC"), "T");
  EXPECT_EQ(end(b, second, TransactionEnd::kRollback).code, wire::kSuccess);
  EXPECT_TRUE(b.stored("T", 3).empty());
  EXPECT_EQ(end(b, first, TransactionEnd::kCommit).code, wire::kSuccess);
  ASSERT_EQ(b.stored("T", 3).size(), 1U);
  EXPECT_EQ(b.stored("T", 3)[0].body, "a");
  EXPECT_EQ(b.stored("T", 3)[0].sys_flag & 0xC, 8);
  EXPECT_EQ(b.stored("T", 3)[0].property("TRAN_MSG"), "true") << "as the reference stores it";
}

TEST(EndTransaction, Case62AMemberOfTheGroupIsAskedAndAnotherWhenItIsGone) {
  ServedBroker b;
  Producer first(b, 11, "pg");
  const Producer other(b, 12, "another");
  ASSERT_EQ(b.send("T", "a", half_properties(), {.queue_id = 1}).code, wire::kSuccess);
  wire::CheckTransactionRequest question;
  format::Record half;
  b.advance_ms(29'000);
  EXPECT_FALSE(first.asked(question, half));
  b.advance_ms(1000);
  ASSERT_TRUE(first.asked(question, half));
  EXPECT_EQ(question.topic, kHalf);
  EXPECT_EQ(question.msg_id, "ID");
  EXPECT_EQ(question.broker_name, "broker-a");
  EXPECT_EQ(question.half_offset, 1) << "of the copy that was written for this check";
  EXPECT_EQ(half.topic, "T");
  EXPECT_EQ(half.queue_id, 1);
  EXPECT_EQ(as_text(half.body), "a");
  EXPECT_EQ(half.queue_offset.value(), question.half_offset);
  EXPECT_EQ(half.physical_offset.value(), question.offset);
  EXPECT_EQ(question.offset_msg_id,
            format::offset_message_id(half.store_host, half.physical_offset));

  Producer second(b, 13, "pg");
  b.server->on_close(*first.connection);
  b.advance_ms(30'000);
  EXPECT_FALSE(first.asked(question, half));
  ASSERT_TRUE(second.asked(question, half));
  const Answer answer = b.ask([&](std::string& out) {
    wire::append_end_transaction_request(out, ServedBroker::header(wire::kEndTransaction),
                                         {.producer_group = "pg",
                                          .half_offset = question.half_offset,
                                          .offset = question.offset,
                                          .end = TransactionEnd::kCommit,
                                          .from_check = true,
                                          .msg_id = question.msg_id});
  });
  EXPECT_EQ(answer.code, wire::kSuccess);
  EXPECT_EQ(b.stored("T", 1).size(), 1U);
}

TEST(EndTransaction, Case63WhatDoesNotFitIsRefusedAndCommitsNothing) {
  ServedBroker b;
  const Answer sent = b.send("T", "a", half_properties());
  EXPECT_EQ(end(b, sent, TransactionEnd::kCommit, "another").code, wire::kSystemError);
  EXPECT_EQ(end(b, sent, TransactionEnd::kCommit, "pg", 1).code, wire::kSystemError);
  const Answer missing = b.ask([&](std::string& out) {
    wire::append_frame(out, ServedBroker::header(wire::kEndTransaction), {}, {});
  });
  EXPECT_EQ(missing.code, wire::kSystemError);
  EXPECT_TRUE(b.stored("T").empty());
}

TEST(EndTransaction, Case64ALateEndIsRefused) {
  ServedBroker b;
  Properties properties = half_properties();
  properties.emplace_back("CHECK_IMMUNITY_TIME_IN_SECONDS", "60");
  const Answer sent = b.send("T", "a", properties);
  b.advance_ms(70'000);
  EXPECT_EQ(end(b, sent, TransactionEnd::kCommit).code, wire::kIllegalOperation);
  EXPECT_EQ(end(b, sent, TransactionEnd::kRollback).code, wire::kIllegalOperation);
  EXPECT_TRUE(b.stored("T").empty());
}

TEST(EndTransaction, Case65CanBeForbidden) {
  ServedBroker b([](broker::BrokerConfig& config) { config.reject_transactions = true; });
  EXPECT_EQ(b.send("T", "a", half_properties()).code, wire::kNoPermission);
  EXPECT_TRUE(b.stored(kHalf).empty());
}

TEST(EndTransaction, AnUnknownStateIsPassedOverInSilence) {
  ServedBroker b;
  ASSERT_EQ(b.send("T", "a", half_properties()).code, wire::kSuccess);
  std::string frame;
  wire::append_end_transaction_request(
      frame, ServedBroker::header(wire::kEndTransaction),
      {.producer_group = "pg", .end = TransactionEnd::kUnknown, .msg_id = "ID"});
  b.connection.out().clear();
  b.server->on_frame(b.connection, as_bytes(frame));
  EXPECT_TRUE(b.connection.out().empty());
}

TEST(EndTransaction, ABatchMayNotBePartOfOne) {
  ServedBroker b;
  std::string batch;
  wire::append_batch_item(batch, {.flag = 0, .body = as_bytes("x"), .properties = {}});
  EXPECT_EQ(b.send("T", batch, half_properties(), {.batch = true}).code, wire::kMessageIllegal);
}

TEST(EndTransaction, OneThatWasGivenUpIsAskedAboutAgainWhenAnAdministratorSaysSo) {
  ServedBroker b([](broker::BrokerConfig& config) { config.transaction_checks_max = 1; });
  Producer producer(b, 11, "pg");
  ASSERT_EQ(b.send("T", "a", half_properties()).code, wire::kSuccess);
  wire::CheckTransactionRequest question;
  format::Record half;
  b.advance_ms(30'000);
  ASSERT_TRUE(producer.asked(question, half));
  b.advance_ms(30'000);
  EXPECT_FALSE(producer.asked(question, half));
  const auto given_up = b.stored("TRANS_CHECK_MAX_TIME_TOPIC");
  ASSERT_EQ(given_up.size(), 1U);
  const auto resume = [&](const std::string& id) {
    return b.ask([&](std::string& out) {
      const std::array<wire::Field, 2> ext = {wire::Field{"topic", "TRANS_CHECK_MAX_TIME_TOPIC"},
                                              wire::Field{"msgId", id}};
      wire::append_frame(out, ServedBroker::header(wire::kResumeCheckHalfMessage), ext, {});
    });
  };
  EXPECT_EQ(resume("nonsense").code, wire::kSystemError);
  const std::string id = format::offset_message_id(*format::parse_host("127.0.0.1:10911"),
                                                   PhysicalOffset(given_up[0].physical_offset));
  EXPECT_EQ(resume(id).code, wire::kSuccess);
  b.advance_ms(30'000);
  EXPECT_TRUE(producer.asked(question, half));
}

}  // namespace
}  // namespace mq::server
