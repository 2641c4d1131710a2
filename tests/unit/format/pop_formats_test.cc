// What pop consumption keeps: records in the log and state files. Texts are what the reference
// wrote.
#include <gtest/gtest.h>

#include "format/pop_records.h"
#include "format/pop_state.h"

namespace mq::format {
namespace {

const std::string kCheckpoint =
    R"({"bm":0,"bn":"broker-a","c":"PG1","d":[0,1,2],"it":20000,"n":3,"pt":1795708892626,"q":0,)"
    R"("reviveTime":1795708912626,"ro":0,"so":0,"t":"PT"})";
const std::string kAck =
    R"({"ao":1,"bn":"broker-a","c":"PG1","pt":1795708892626,"q":0,"so":0,"t":"PT"})";
const std::string kBatchAck =
    R"({"ao":-1,"aol":[2],"bn":"broker-a","c":"PG1","pt":1795708892626,"q":0,"so":0,"t":"PT"})";

TEST(PopRecords, ReadsAndWritesTheReferencesCheckpoint) {
  const auto checkpoint = parse_pop_checkpoint(kCheckpoint);
  ASSERT_TRUE(checkpoint) << checkpoint.error();
  EXPECT_EQ(checkpoint->id.topic, "PT");
  EXPECT_EQ(checkpoint->id.group, "PG1");
  EXPECT_EQ(checkpoint->due_ms(), 1795708912626);
  EXPECT_EQ(checkpoint->count, 3);
  EXPECT_EQ(checkpoint->end(), 3);
  EXPECT_EQ(encode_pop_checkpoint(*checkpoint), kCheckpoint);
  EXPECT_EQ(unique_key(*checkpoint), "PT@0@0@PG1@1795708892626@broker-a@ck");
}

TEST(PopRecords, ReadsAndWritesTheReferencesAcknowledgements) {
  const auto one = parse_pop_ack(kAck);
  ASSERT_TRUE(one) << one.error();
  EXPECT_EQ(one->offsets, std::vector<std::int64_t>{1});
  EXPECT_EQ(one->id, parse_pop_checkpoint(kCheckpoint)->id);
  EXPECT_EQ(encode_pop_ack(*one, false), kAck);
  EXPECT_EQ(unique_key(*one, false), "PT@0@1@PG1@1795708892626@broker-a@ack");
  const auto batch = parse_pop_ack(kBatchAck);
  ASSERT_TRUE(batch) << batch.error();
  EXPECT_EQ(batch->offsets, std::vector<std::int64_t>{2});
  EXPECT_EQ(encode_pop_ack(*batch, true), kBatchAck);
  EXPECT_EQ(unique_key(*batch, true), "PT@0@-1@PG1@1795708892626@broker-a@ack");
}

TEST(PopRecords, OffsetsFollowFromTheirDistances) {
  const auto gaps = parse_pop_checkpoint(R"({"c":"G","d":[2,5],"n":2,"so":10,"t":"T","rp":"3"})");
  ASSERT_TRUE(gaps) << gaps.error();
  EXPECT_EQ(gaps->offset_at(1), 15);
  EXPECT_EQ(gaps->end(), 16);
  EXPECT_EQ(gaps->index_of(12), 0);
  EXPECT_FALSE(gaps->index_of(13));
  EXPECT_EQ(gaps->put_again_times, 3);
  const auto row = parse_pop_checkpoint(R"({"c":"G","n":4,"so":10,"t":"T"})");
  ASSERT_TRUE(row) << row.error();
  EXPECT_EQ(row->index_of(13), 3);
  EXPECT_FALSE(row->index_of(14));
}

TEST(PopRecords, WhatCannotBeIsRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"c":"G","n":0,"t":"T"})", R"({"c":"G","n":33,"t":"T"})",
        R"({"c":"G","n":2,"d":[0],"t":"T"})", R"({"c":"G","n":2,"d":[1,1],"t":"T"})",
        R"({"c":"G","n":1,"d":[-1],"t":"T"})", R"({"c":"G","n":1,"so":-1,"t":"T"})",
        R"({"c":"G","n":1,"q":-1,"t":"T"})", R"({"c":"G","n":1,"pt":-5,"t":"T"})",
        R"({"n":1,"t":"T"})", R"({"c":"G","n":1})"}) {
    EXPECT_FALSE(parse_pop_checkpoint(text)) << text;
  }
  EXPECT_FALSE(parse_pop_ack("{"));
  EXPECT_FALSE(parse_pop_ack(R"({"ao":1})"));
  // A time that is out of this world is held at its end.
  const auto never = parse_pop_checkpoint(
      R"({"c":"G","n":1,"t":"T","pt":4000000000000000000,"it":9000000000000000000})");
  ASSERT_TRUE(never);
  EXPECT_EQ(never->due_ms(), std::numeric_limits<std::int64_t>::max());
}

TEST(OrderInfo, ReadsWhatTheReferenceWroteAndWritesItTheSame) {
  const auto table = parse_order_info_json(
      "{\n\t\"table\":{\n\t\t\"PO@PGO\":{0:{\n\t\t\t\t\"a\":\"att\",\"cm\":1,\n\t\t\t\t\"i\":3000,"
      "\n\t\t\t\t\"l\":1795708897458,\n\t\t\t\t\"o\":[\n\t\t\t\t\t10,2\n\t\t\t\t],\n\t\t\t\t"
      "\"oc\":{12:1},\"ot\":{12:1795708899999},\n\t\t\t\t\"popTime\":1795708897458\n\t\t\t}\n\t\t}"
      "\n\t}\n}");
  ASSERT_TRUE(table) << table.error();
  const OrderInfo expected{.pop_ms = 1795708897458,
                           .invisible_ms = 3000,
                           .consumed_ms = 1795708897458,
                           .offsets = {10, 12},
                           .visible_ms = {{12, 1795708899999}},
                           .counts = {{12, 1}},
                           .acked = 1,
                           .attempt_id = "att"};
  EXPECT_EQ(table->at("PO@PGO").at(0), expected);
  const auto again = parse_order_info_json(to_order_info_json(*table));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, *table);
}

TEST(OrderInfo, WhatCannotBeIsRefused) {
  for (const char* text :
       {"", "[]", R"({"table":[]})", R"({"table":{"a":[]}})", R"({"table":{"a":{"x":{}}}})",
        R"({"table":{"a":{0:{"o":[3,-1]}}}})", R"({"table":{"a":{0:{"o":[3,2,2]}}}})",
        R"({"table":{"a":{0:{"o":7}}}})", R"({"table":{"a":{0:{"oc":{"x":1}}}}})"}) {
    EXPECT_FALSE(parse_order_info_json(text)) << text;
  }
  EXPECT_TRUE(parse_order_info_json("{}"));
}

TEST(RequestModes, ReadsWhatTheReferenceWroteAndWritesItTheSame) {
  const std::string text =
      R"({"messageRequestModeMap":{"PT":{"PG1":{"consumerGroup":"PG1","mode":"POP",)"
      R"("popShareQueueNum":2,"topic":"PT"}}}})";
  const auto modes = parse_request_modes_json(text);
  ASSERT_TRUE(modes) << modes.error();
  EXPECT_EQ(modes->at("PT").at("PG1"), (RequestMode{.pop = true, .share_queues = 2}));
  EXPECT_EQ(to_request_modes_json(*modes, /*pretty=*/false), text);
  EXPECT_EQ(*parse_request_modes_json(to_request_modes_json(*modes, /*pretty=*/true)), *modes);
  const auto one = parse_request_mode(R"({"topic":"T","consumerGroup":"G","mode":"PULL"})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->topic, "T");
  EXPECT_FALSE(one->mode.pop);
  for (const char* wrong :
       {"", "[]", R"({"messageRequestModeMap":[]})", R"({"messageRequestModeMap":{"T":1}})",
        R"({"messageRequestModeMap":{"T":{"G":1}}})"})
    EXPECT_FALSE(parse_request_modes_json(wrong)) << wrong;
}

}  // namespace
}  // namespace mq::format
