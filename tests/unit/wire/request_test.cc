// Request families: fields to values and back. Goal: what official clients send is understood, what
// we send they understand, and a missing field is named.
#include <gtest/gtest.h>

#include "vectors.h"
#include "wire/codes.h"
#include "wire/offsets.h"
#include "wire/pull.h"
#include "wire/query.h"
#include "wire/recall.h"
#include "wire/send.h"
#include "wire/send_back.h"
#include "wire/topic.h"
#include "wire/transaction.h"

namespace mq::wire {
namespace {

Result<Command> decode(std::string_view frame) {
  Command command;
  MQ_CHECK(decode_command(as_bytes(frame), command));
  return command;
}

void expect_vector(const SendRequest& send) {
  EXPECT_EQ(send.group, "PG");
  EXPECT_EQ(send.topic, "TopicTest");
  EXPECT_EQ(send.default_topic, "TBW102");
  EXPECT_EQ(send.default_queue_count, 4);
  EXPECT_EQ(send.queue_id, 1);
  EXPECT_EQ(send.sys_flag, 0);
  EXPECT_EQ(send.born_timestamp_ms, 1700000000000);
  EXPECT_EQ(send.flag, 0);
  EXPECT_EQ(send.properties,
            "TAGS\x01TagA\x02UNIQ_KEY\x01"
            "AC11000100002A139A5B8D7F9A0B0000\x02");
  EXPECT_EQ(send.reconsume_times, 0);
  EXPECT_FALSE(send.unit_mode);
  EXPECT_EQ(send.max_reconsume_times, -1);
  EXPECT_FALSE(send.batch);
  EXPECT_EQ(send.broker_name, "broker-a");
}

TEST(Send, ReadsAndWritesTheReferencesRequestInBothForms) {
  for (const auto* frame : {&test::kSendJson, &test::kSendBinary}) {
    const auto command = decode(*frame);
    ASSERT_TRUE(command);
    const auto send = decode_send_request(*command);
    ASSERT_TRUE(send) << send.error();
    expect_vector(*send);
    std::string out;
    append_send_request(out,
                        {.serialize = command->serialize,
                         .language = Language::kJava,
                         .code = command->code,
                         .opaque = 7},
                        *send, command->body.size());
    out += as_text(command->body);
    EXPECT_EQ(out, *frame);
  }
}

TEST(Send, ReadsAndWritesLongNamesForCode10) {
  const auto vector = decode(test::kSendJson);
  auto send = *decode_send_request(*vector);
  send.max_reconsume_times = 3;
  std::string out;
  append_send_request(out, {.code = kSendMessage}, send, 0);
  const auto command = decode(out);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->ext.find("producerGroup"), "PG");
  EXPECT_EQ(command->ext.find("defaultTopicQueueNums"), "4");
  EXPECT_EQ(command->ext.find("a"), std::nullopt);
  auto again = decode_send_request(*command);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->max_reconsume_times, 3);
  again->max_reconsume_times = -1;
  expect_vector(*again);
}

TEST(Send, ABatchIsOneByItsCodeWhateverItsFieldsSay) {
  std::string out;
  append_send_request(out, {.code = kSendBatchMessage}, {.group = "G", .topic = "T"}, 0);
  const auto send = decode_send_request(*decode(out));
  ASSERT_TRUE(send) << send.error();
  EXPECT_TRUE(send->batch);
}

TEST(Send, NamesTheFieldThatIsMissingOrUnfit) {
  Command command;
  command.code = kSendMessageV2;
  EXPECT_EQ(decode_send_request(command).error().text(), "field a is missing");
  for (const char* letter : {"a", "b", "c", "d", "e", "f", "g"}) command.ext.add(letter, "1");
  EXPECT_EQ(decode_send_request(command).error().text(), "field h is missing");
  command.ext.add("h", "1");
  ASSERT_TRUE(decode_send_request(command));
  command.ext.add("j", "x");
  EXPECT_EQ(decode_send_request(command).error().text(), "field j: 'x' is not a number of 32 bits");
  command.code = kSendMessage;
  EXPECT_EQ(decode_send_request(command).error().text(), "field producerGroup is missing");
  EXPECT_EQ(decode_send_request(command).error().code(), Errc::kInvalid);
}

TEST(Send, ReadsAndWritesTheReferencesAnswer) {
  for (const auto* frame : {&test::kSentJson, &test::kSentBinary}) {
    const auto command = decode(*frame);
    const auto sent = decode_send_response(*command);
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->msg_id, "AC11000100002A9F0000000000000000");
    EXPECT_EQ(sent->queue_id, 1);
    EXPECT_EQ(sent->queue_offset, 0);
    EXPECT_EQ(sent->transaction_id, "AC11000100002A139A5B8D7F9A0B0000");
    EXPECT_EQ(sent->region, "DefaultRegion");
    EXPECT_TRUE(sent->trace_on);
  }
  Command request = *decode(test::kSendBinary);
  Header header = answer_to(request, kSuccess);
  header.language = Language::kJava;
  std::string out;
  append_send_response(out, header, *decode_send_response(*decode(test::kSentBinary)));
  EXPECT_EQ(out, test::kSentBinary);
}

TEST(Send, AnAnswerWithoutTransactionOrWithAnErrorKeepsRegionAndTrace) {
  std::string out;
  append_send_response(out, {.flag = 1}, {.msg_id = "ID", .queue_id = 2, .queue_offset = 3});
  const auto sent = decode(out);
  EXPECT_EQ(sent->ext.size(), 5U);
  EXPECT_EQ(sent->ext.find("MSG_REGION"), "DefaultRegion");
  out.clear();
  append_send_error(out, {.code = kMessageIllegal, .flag = 1, .remark = "too long"});
  const auto refused = decode(out);
  EXPECT_EQ(refused->code, kMessageIllegal);
  EXPECT_EQ(refused->remark, "too long");
  EXPECT_EQ(refused->ext.find("TRACE_ON"), "true");
  EXPECT_FALSE(decode_send_response(*refused));
}

const std::string kBatchOfTwo = test::from_hex(
    "0000001e"
    "00000000"
    "00000000"
    "00000007"
    "00000005"
    "68656c6c6f"
    "0003"
    "610162"
    "00000016"
    "00000000"
    "00000000"
    "ffffffff"
    "00000000"
    "0000");

TEST(Batch, ReadsAndWritesItsMessages) {
  std::string out;
  append_batch_item(out, {.flag = 7,
                          .body = as_bytes("hello"),
                          .properties = "a\x01"
                                        "b"});
  append_batch_item(out, {.flag = -1});
  EXPECT_EQ(out, kBatchOfTwo);
  BatchReader reader(as_bytes(kBatchOfTwo));
  BatchItem item;
  ASSERT_TRUE(*reader.next(item));
  EXPECT_EQ(item.flag, 7);
  EXPECT_EQ(as_text(item.body), "hello");
  EXPECT_EQ(item.properties,
            "a\x01"
            "b");
  ASSERT_TRUE(*reader.next(item));
  EXPECT_EQ(item.flag, -1);
  EXPECT_TRUE(item.body.empty());
  EXPECT_FALSE(*reader.next(item));
  EXPECT_FALSE(*reader.next(item));
}

// Messages read until the end or an error; -1 for an error.
int messages_in(std::string_view body) {
  BatchReader reader(as_bytes(body));
  BatchItem item;
  int count = 0;
  for (;; ++count) {
    const auto more = reader.next(item);
    if (!more) {
      EXPECT_EQ(more.error().code(), Errc::kCorrupt);
      EXPECT_FALSE(reader.next(item).value_or(false));
      return -1;
    }
    if (!*more) return count;
  }
}

TEST(Batch, RefusesEveryTruncationButTheOneBetweenMessages) {
  EXPECT_EQ(messages_in(kBatchOfTwo), 2);
  for (std::size_t n = 0; n < kBatchOfTwo.size(); ++n)
    EXPECT_EQ(messages_in(kBatchOfTwo.substr(0, n)), n == 0 ? 0 : n == 30 ? 1 : -1) << n;
}

TEST(Batch, RefusesLengthsThatDoNotAddUp) {
  for (std::size_t bit = 0; bit < kBatchOfTwo.size() * 8; ++bit) {
    std::string flipped = kBatchOfTwo;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const std::size_t byte = bit / 8;
    const bool is_length = byte < 4 || (byte >= 16 && byte < 20) || byte == 25 || byte == 26;
    EXPECT_EQ(messages_in(flipped) == -1,
              is_length || (byte >= 30 && byte < 34) || (byte >= 46 && byte < 52))
        << bit;
  }
}

TEST(Pull, RoundTripsItsRequestAndAnswer) {
  const PullRequest pull{.group = "CG",
                         .topic = "T",
                         .queue_id = 3,
                         .queue_offset = 1LL << 40,
                         .count_max = 64,
                         .sys_flag = kPullSuspend | kPullSubscription,
                         .commit_offset = 5,
                         .suspend_timeout_ms = 15000,
                         .subscription = "A || B",
                         .sub_version = 1700000000000,
                         .bytes_max = 262144};
  for (const auto serialize : {Serialize::kJson, Serialize::kBinary}) {
    std::string out;
    append_pull_request(out, {.serialize = serialize, .code = kPullMessage, .opaque = 9}, pull);
    const auto command = decode(out);
    ASSERT_TRUE(command);
    const auto got = decode_pull_request(*command);
    ASSERT_TRUE(got) << got.error();
    EXPECT_EQ(got->group, "CG");
    EXPECT_EQ(got->topic, "T");
    EXPECT_EQ(got->queue_id, 3);
    EXPECT_EQ(got->queue_offset, 1LL << 40);
    EXPECT_EQ(got->count_max, 64);
    EXPECT_EQ(got->sys_flag, 6);
    EXPECT_EQ(got->commit_offset, 5);
    EXPECT_EQ(got->suspend_timeout_ms, 15000);
    EXPECT_EQ(got->subscription, "A || B");
    EXPECT_EQ(got->sub_version, 1700000000000);
    EXPECT_EQ(got->expression_type, "TAG");
    EXPECT_EQ(got->bytes_max, 262144);

    out.clear();
    append_pull_response(
        out, answer_to(*command, kPullNotFound, "OFFSET_OVERFLOW_ONE"),
        {.suggested_broker_id = 1, .next_offset = 2, .min_offset = -3, .max_offset = 4}, 0);
    const auto answer = decode(out);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->opaque, 9);
    EXPECT_EQ(answer->flag, kFlagResponse);
    EXPECT_EQ(answer->serialize, serialize);
    const auto bounds = decode_pull_response(*answer);
    ASSERT_TRUE(bounds) << bounds.error();
    EXPECT_EQ(bounds->suggested_broker_id, 1);
    EXPECT_EQ(bounds->next_offset, 2);
    EXPECT_EQ(bounds->min_offset, -3);
    EXPECT_EQ(bounds->max_offset, 4);
  }
}

TEST(Pull, TakesWhatTheCppClientSends) {
  const auto frame = test::json_frame(
      R"({"code":11,"extFields":{"Signature":"","consumerGroup":"CG","topic":"T","queueId":0,)"
      R"("queueOffset":7,"maxMsgNums":32,"sysFlag":6,"commitOffset":0,"suspendTimeoutMillis":15000,)"
      R"("subVersion":0,"subscription":"*"},"language":"CPP","version":333})");
  const auto command = decode(frame);
  ASSERT_TRUE(command);
  const auto pull = decode_pull_request(*command);
  ASSERT_TRUE(pull) << pull.error();
  EXPECT_EQ(pull->queue_offset, 7);
  EXPECT_EQ(pull->bytes_max, INT32_MAX);
  Command empty;
  EXPECT_EQ(decode_pull_request(empty).error().text(), "field consumerGroup is missing");
}

TEST(Offsets, RoundTripByTimeAndByBound) {
  std::string out;
  append_queue_bound_request(out, {.code = kSearchOffsetByTimestamp},
                             {.topic = "T", .queue_id = 2, .timestamp_ms = 99, .upper = true});
  const auto by_time = decode_queue_bound_request(*decode(out));
  ASSERT_TRUE(by_time) << by_time.error();
  EXPECT_EQ(by_time->queue_id, 2);
  EXPECT_EQ(by_time->timestamp_ms, 99);
  EXPECT_TRUE(by_time->upper);
  out.clear();
  append_queue_bound_request(out, {.code = kGetMaxOffset}, {.topic = "T", .queue_id = 2});
  EXPECT_EQ(decode(out)->ext.size(), 2U);
  EXPECT_TRUE(decode_queue_bound_request(*decode(out)));
  out.clear();
  append_offset_response(out, {.flag = 1}, 1LL << 50);
  EXPECT_EQ(*decode_offset_response(*decode(out)), 1LL << 50);
  EXPECT_EQ(decode_timestamp_response(*decode(out)).error().text(), "field timestamp is missing");
  out.clear();
  append_timestamp_response(out, {.flag = 1}, -1);
  EXPECT_EQ(*decode_timestamp_response(*decode(out)), -1);
}

TEST(Query, RoundTrips) {
  std::string out;
  append_query_message_request(out, {.code = kQueryMessage},
                               {.topic = "T",
                                .key = "order-1",
                                .count_max = 8,
                                .begin_timestamp_ms = 1,
                                .end_timestamp_ms = INT64_MAX,
                                .unique_key = true});
  const auto query = decode_query_message_request(*decode(out));
  ASSERT_TRUE(query) << query.error();
  EXPECT_EQ(query->key, "order-1");
  EXPECT_EQ(query->count_max, 8);
  EXPECT_EQ(query->end_timestamp_ms, INT64_MAX);
  EXPECT_TRUE(query->unique_key);
  out.clear();
  append_query_message_response(
      out, {.flag = 1}, {.index_last_update_timestamp_ms = 5, .index_last_update_offset = 6}, 0);
  EXPECT_EQ(decode_query_message_response(*decode(out))->index_last_update_offset, 6);
  out.clear();
  append_view_message_request(out, {.code = kViewMessageById}, {.offset = 410});
  const auto view = decode_view_message_request(*decode(out));
  ASSERT_TRUE(view) << view.error();
  EXPECT_EQ(view->offset, 410);
  EXPECT_EQ(view->topic, "");
}

TEST(Topic, RoundTripsCreationAndNaming) {
  std::string out;
  append_create_topic_request(out, {.code = kUpdateAndCreateTopic},
                              {.topic = "T",
                               .read_queues = 3,
                               .write_queues = 2,
                               .perm = 4,
                               .order = true,
                               .attributes = "+message.type=FIFO"});
  const auto create = decode_create_topic_request(*decode(out));
  ASSERT_TRUE(create) << create.error();
  EXPECT_EQ(create->read_queues, 3);
  EXPECT_EQ(create->write_queues, 2);
  EXPECT_EQ(create->perm, 4);
  EXPECT_TRUE(create->order);
  EXPECT_EQ(create->filter_type, "SINGLE_TAG");
  EXPECT_EQ(create->attributes, "+message.type=FIFO");
  out.clear();
  append_topic_request(out, {.code = kGetRouteInfoByTopic}, {.topic = "T", .standard_json = true});
  const auto named = decode_topic_request(*decode(out));
  ASSERT_TRUE(named) << named.error();
  EXPECT_EQ(named->topic, "T");
  EXPECT_TRUE(named->standard_json);
  EXPECT_EQ(named->cluster, "");
  out.clear();
  append_topic_request(out, {.code = kGetTopicConfig}, {.topic = "T"});
  EXPECT_EQ(decode(out)->ext.find("lo"), "true");
}

TEST(EndTransaction, IsReadAsItIsWrittenAndNamesWhatIsMissing) {
  for (const auto form : {Serialize::kJson, Serialize::kBinary}) {
    std::string frame;
    append_end_transaction_request(frame, {.serialize = form, .code = kEndTransaction, .opaque = 1},
                                   {.producer_group = "PG",
                                    .half_offset = 7,
                                    .offset = 1LL << 40,
                                    .end = TransactionEnd::kRollback,
                                    .from_check = true,
                                    .msg_id = "id",
                                    .transaction_id = "tid",
                                    .sync = true});
    const auto command = decode(frame);
    ASSERT_TRUE(command);
    const auto end = decode_end_transaction_request(*command);
    ASSERT_TRUE(end) << end.error();
    EXPECT_EQ(end->producer_group, "PG");
    EXPECT_EQ(end->half_offset, 7);
    EXPECT_EQ(end->offset, 1LL << 40);
    EXPECT_EQ(end->end, TransactionEnd::kRollback);
    EXPECT_TRUE(end->from_check);
    EXPECT_EQ(end->msg_id, "id");
    EXPECT_EQ(end->transaction_id, "tid");
    EXPECT_TRUE(end->sync);
  }
  const std::vector<std::pair<std::string_view, std::string_view>> all = {
      {"producerGroup", "PG"},
      {"tranStateTableOffset", "1"},
      {"commitLogOffset", "2"},
      {"commitOrRollback", "8"},
      {"msgId", "id"}};
  for (std::size_t missing = 0; missing <= all.size(); ++missing) {
    Command command;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (i != missing) command.ext.add(all[i].first, all[i].second);
    const auto end = decode_end_transaction_request(command);
    EXPECT_EQ(end.has_value(), missing == all.size());
    if (end) {
      EXPECT_EQ(end->end, TransactionEnd::kCommit);
      EXPECT_FALSE(end->from_check);
      EXPECT_FALSE(end->sync);
    } else {
      EXPECT_NE(end.error().text().find(all[missing].first), std::string::npos);
    }
  }
}

TEST(CheckTransaction, HasItsIdTwiceAndIsReadAsItIsWritten) {
  const auto fields = check_transaction_fields({.topic = "HALF",
                                                .half_offset = 3,
                                                .offset = 4,
                                                .msg_id = "id",
                                                .offset_msg_id = "oid",
                                                .broker_name = "b"});
  std::string frame;
  append_frame(frame, {.code = kCheckTransactionState, .opaque = 1, .flag = kFlagOneway}, fields,
               {});
  const auto command = decode(frame);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->ext.find("transactionId"), "id");
  const auto check = decode_check_transaction_request(*command);
  ASSERT_TRUE(check) << check.error();
  EXPECT_EQ(check->topic, "HALF");
  EXPECT_EQ(check->half_offset, 3);
  EXPECT_EQ(check->offset, 4);
  EXPECT_EQ(check->msg_id, "id");
  EXPECT_EQ(check->offset_msg_id, "oid");
  EXPECT_EQ(check->broker_name, "b");
  EXPECT_FALSE(decode_check_transaction_request(Command{}));
}

TEST(SendBack, IsReadAsItIsWrittenAndNamesWhatIsMissing) {
  for (const auto form : {Serialize::kJson, Serialize::kBinary}) {
    std::string frame;
    append_send_back_request(frame, {.serialize = form, .code = kConsumerSendMsgBack, .opaque = 1},
                             {.offset = 1LL << 40,
                              .group = "G",
                              .delay_level = -1,
                              .origin_msg_id = "id",
                              .origin_topic = "T",
                              .unit_mode = true,
                              .max_reconsume_times = 3,
                              .broker_name = "b"});
    const auto command = decode(frame);
    ASSERT_TRUE(command);
    const auto back = decode_send_back_request(*command);
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->offset, 1LL << 40);
    EXPECT_EQ(back->group, "G");
    EXPECT_EQ(back->delay_level, -1);
    EXPECT_EQ(back->origin_msg_id, "id");
    EXPECT_EQ(back->origin_topic, "T");
    EXPECT_TRUE(back->unit_mode);
    EXPECT_EQ(back->max_reconsume_times, 3);
    EXPECT_EQ(back->broker_name, "b");
  }
  const auto error_of = [](std::vector<std::pair<std::string_view, std::string_view>> fields) {
    Command command;
    for (const auto& [name, value] : fields) command.ext.add(name, value);
    const auto back = decode_send_back_request(command);
    return back ? std::string() : back.error().text();
  };
  EXPECT_EQ(error_of({{"offset", "1"}, {"group", "G"}, {"delayLevel", "0"}}), "");
  EXPECT_NE(error_of({{"group", "G"}, {"delayLevel", "0"}}).find("offset"), std::string::npos);
  EXPECT_NE(error_of({{"offset", "1"}, {"delayLevel", "0"}}).find("group"), std::string::npos);
  EXPECT_NE(error_of({{"offset", "1"}, {"group", "G"}}).find("delayLevel"), std::string::npos);
  EXPECT_NE(
      error_of({{"offset", "1"}, {"group", "G"}, {"delayLevel", "0"}, {"maxReconsumeTimes", "x"}})
          .find("maxReconsumeTimes"),
      std::string::npos);
}

TEST(Recall, TheHandleIsTheReferencesText) {
  const RecallHandle handle{"T", "broker-a", 1'700'000'000'000, "AABB"};
  EXPECT_EQ(encode_recall_handle(handle), "djEgVCBicm9rZXItYSAxNzAwMDAwMDAwMDAwIEFBQkI=");
  EXPECT_EQ(*decode_recall_handle("djEgVCBicm9rZXItYSAxNzAwMDAwMDAwMDAwIEFBQkI="), handle);
  const RecallHandle odd{"T?~", "b>", -1, "~~~???"};
  const std::string text = encode_recall_handle(odd);
  EXPECT_EQ(text.find_first_of("+/"), std::string::npos);
  EXPECT_EQ(*decode_recall_handle(text), odd);
  for (const char* bad : {"", "djEgVCBicm9rZXI=", "!!!!", "djIgVCBicm9rZXItYSAxNyBBQUJC"})
    EXPECT_FALSE(decode_recall_handle(bad)) << bad;
}

TEST(Recall, IsReadAsItIsWritten) {
  std::string frame;
  append_recall_request(frame, {.code = kRecallMessage, .opaque = 1},
                        {.group = "p", .topic = "T", .handle = "h", .broker_name = "b"});
  const auto command = decode(frame);
  ASSERT_TRUE(command);
  const auto recall = decode_recall_request(*command);
  ASSERT_TRUE(recall) << recall.error();
  EXPECT_EQ(recall->topic, "T");
  EXPECT_EQ(recall->handle, "h");
  EXPECT_EQ(recall->group, "p");
  EXPECT_EQ(recall->broker_name, "b");
  EXPECT_FALSE(decode_recall_request(Command{}));
}

}  // namespace
}  // namespace mq::wire
