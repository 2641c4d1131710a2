// Two stores are the same when they mean the same, however their logs lie; and where they differ,
// that is what is told.
#include "inspect/store_diff.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "format/names.h"
#include "format/properties.h"
#include "support/fault_fs.h"
#include "support/sample_store.h"
#include "support/store_image.h"

namespace mq::inspect {
namespace {

using mq::test::FaultFs;
using mq::test::SampleMessage;
using mq::test::SampleStore;
using mq::test::StoreImage;

Bytes as_stored(const format::Record& record, std::string&) { return record.body; }

std::string text_of(const Difference& d) {
  std::string where = d.topic + "/" + std::to_string(d.queue) + "/" + std::to_string(d.from);
  if (d.to != d.from) where += "-" + std::to_string(d.to);
  switch (d.kind) {
    case Difference::Kind::kOnlyFirst:
      return where + " first";
    case Difference::Kind::kOnlySecond:
      return where + " second";
    case Difference::Kind::kMore:
      return where + " more";
    case Difference::Kind::kState:
      return d.topic + " " + d.name + " " + d.first + "|" + d.second;
    case Difference::Kind::kMessage:
      break;
  }
  for (const MessagePart part : d.parts) where.append(" ").append(name_of(part));
  return where;
}

class StoreDiff : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs_ = new FaultFs(1);
    store_ = new SampleStore(mq::test::build_sample_store(*fs_, "/a"));
  }
  static void TearDownTestSuite() {
    delete store_;
    delete fs_;
  }

  // The same messages in one file and other places; `change` may alter each or, with false, drop
  // it. What it makes the record view must outlive the call.
  using Change = std::function<bool(format::Record&)>;
  static void write_anew(const std::string& root, const Change& change = {}) {
    std::string log(100, '\0');
    for (const SampleMessage& m : store_->messages) {
      format::Record r = *format::decode_record(as_bytes(m.record), format::CheckBody::kCrc);
      if (change && !change(r)) continue;
      r.physical_offset = PhysicalOffset(static_cast<std::int64_t>(log.size()));
      std::vector<std::byte> bytes(format::record_bytes(r));
      format::encode_record(r, bytes);
      log += as_text(bytes);
    }
    log.resize(log.size() + 1000);
    StoreImage image;
    // A log whose first bytes are gone begins at the first record.
    image.files["commitlog/" + format::stream_file_name(100)] = log.substr(100);
    image.write(*fs_, root);
  }

  static std::vector<std::string> differences(const std::string& a, const std::string& b,
                                              DigestOptions options = {}) {
    options.body = as_stored;
    std::vector<std::string> out;
    const auto told =
        diff_messages(*fs_, a, b, options, [&](const Difference& d) { out.push_back(text_of(d)); });
    EXPECT_TRUE(told) << told.error();
    EXPECT_EQ(*told, static_cast<std::int64_t>(out.size()));
    return out;
  }
  static std::vector<std::string> state_differences() {
    std::vector<std::string> out;
    const auto told =
        diff_state(*fs_, "/s1", "/s2", [&](const Difference& d) { out.push_back(text_of(d)); });
    EXPECT_TRUE(told) << told.error();
    return out;
  }
  static void state(const std::string& root, const std::string& file, const std::string& text) {
    ASSERT_TRUE(fs_->make_directories(root + "/config"));
    ASSERT_TRUE(fs::write_file_atomically(*fs_, root + "/config/" + file, text, false));
  }
  static bool is(const format::Record& r, std::string_view topic, std::int32_t queue,
                 std::int64_t offset) {
    return r.topic == topic && r.queue_id == queue && r.queue_offset.value() == offset;
  }

  static FaultFs* fs_;
  static SampleStore* store_;
};
FaultFs* StoreDiff::fs_ = nullptr;
SampleStore* StoreDiff::store_ = nullptr;

using Texts = std::vector<std::string>;

TEST_F(StoreDiff, AStoreIsLikeItselfAndLikeOneThatLiesElsewhere) {
  EXPECT_EQ(differences("/a", "/a"), Texts{});
  write_anew("/b");
  EXPECT_EQ(differences("/a", "/b"), Texts{});
  DigestOptions threads;
  threads.jobs = 4;
  EXPECT_EQ(differences("/a", "/b", threads), Texts{});
  DigestOptions strict;
  strict.parts = PartSet::all();
  const auto told = differences("/a", "/b", strict);
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.front().ends_with(" place")) << told.front();
}

TEST_F(StoreDiff, TheOrderOfPropertiesDoesNotCount) {
  std::vector<std::string> kept;
  kept.reserve(store_->messages.size());
  write_anew("/b", [&](format::Record& r) {
    auto all = format::parse_properties(r.properties);
    std::reverse(all.begin(), all.end());
    std::string& turned = kept.emplace_back();
    for (const auto& p : all) format::append_property(turned, p.name, p.value);
    r.properties = turned;
    return true;
  });
  EXPECT_EQ(differences("/a", "/b"), Texts{});
}

TEST_F(StoreDiff, EachChangedMessageIsNamedWithWhatDiffers) {
  const std::int64_t at = store_->queues.at({"events", 1}).min.value() + 5;
  std::string changed;
  write_anew("/b", [&](format::Record& r) {
    if (is(r, "events", 1, at)) r.body = as_bytes("another body");
    if (is(r, "events", 1, at + 1)) ++r.flag, ++r.born_timestamp_ms;
    if (is(r, "orders", 0, store_->queues.at({"orders", 0}).max.value() - 1)) {
      changed = r.properties;
      format::append_property(changed, "new", "one");
      r.properties = changed;
    }
    return true;
  });
  const Texts want = {"events/1/" + std::to_string(at) + " body",
                      "events/1/" + std::to_string(at + 1) + " flag born",
                      "orders/0/" +
                          std::to_string(store_->queues.at({"orders", 0}).max.value() - 1) +
                          " properties"};
  EXPECT_EQ(differences("/a", "/b"), want);
  DigestOptions ignoring;
  ignoring.parts.remove(MessagePart::kFlag);
  ignoring.parts.remove(MessagePart::kBorn);
  ignoring.topics = {"events"};
  EXPECT_EQ(differences("/a", "/b", ignoring), Texts{want[0]});
}

TEST_F(StoreDiff, WhatOneSideLacksIsToldAsRanges) {
  const auto events = store_->queues.at({"events", 1});
  const std::int64_t min = events.min.value();
  const std::int64_t max = events.max.value();
  write_anew("/b", [&](format::Record& r) {
    const std::int64_t n = r.queue_offset.value();
    if (r.topic == "events" && r.queue_id == 1)
      return n >= min + 3 && n < max - 2 && n != min + 10 && n != min + 11;
    return !(r.topic == "orders" && r.queue_id == 1);
  });
  const auto orders = store_->queues.at({"orders", 1});
  const auto range = [](std::int64_t a, std::int64_t b) {
    return std::to_string(a) + "-" + std::to_string(b);
  };
  auto told = differences("/a", "/b");
  std::sort(told.begin(), told.end());
  Texts want = {"events/1/" + range(min, min + 2) + " first",
                "events/1/" + range(min + 10, min + 11) + " first",
                "events/1/" + range(max - 2, max - 1) + " first",
                "orders/1/" + range(orders.min.value(), orders.max.value() - 1) + " first"};
  std::sort(want.begin(), want.end());
  EXPECT_EQ(told, want);
  told = differences("/b", "/a");
  std::sort(told.begin(), told.end());
  for (std::string& text : want) text.replace(text.find("first"), 5, "second");
  EXPECT_EQ(told, want);
}

TEST_F(StoreDiff, StateIsComparedByMeaning) {
  state("/s1", "topics.json",
        R"({"dataVersion":{"counter":1},"topicConfigTable":{
            "a":{"topicName":"a","perm":6,"readQueueNums":4,"writeQueueNums":4,"attributes":{}},
            "SELF_TEST_TOPIC":{"topicName":"SELF_TEST_TOPIC"},
            "my-cluster":{"topicName":"my-cluster","perm":7}}})");
  state("/s2", "topics.json",
        R"({"dataVersion":{"counter":9},"topicConfigTable":{
            "a":{"order":false,"topicName":"a","writeQueueNums":4,"readQueueNums":4}}})");
  EXPECT_EQ(state_differences(), Texts{});
  state("/s1", "consumerOffset.json", R"({"offsetTable":{"a@g":{0:12,1:7}}})");
  state("/s2", "consumerOffset.json",
        R"({"groupTopicMap":{"g":["a"]},"offsetTable":{"a@g":{"0":13,"1":7}}})");
  EXPECT_EQ(state_differences(), Texts{"consumerOffset.json offsetTable.a@g.0 12|13"});
  state("/s2", "consumerOffset.json", R"({"offsetTable":{"a@g":{"0":12,"1":7}}})");
  state("/s2", "topics.json",
        R"({"topicConfigTable":{"a":{"topicName":"a","perm":4,"readQueueNums":4,"writeQueueNums":4},
                                "b":{"topicName":"b"}}})");
  EXPECT_EQ(state_differences(), (Texts{"topics.json topicConfigTable.a.perm 6|4",
                                        "topics.json topicConfigTable.b.topicName |b"}));
}

}  // namespace
}  // namespace mq::inspect
