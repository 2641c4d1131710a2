// Stores that the reference wrote, read without the engine: what inspect shows is what the
// reference serves.
#include <filesystem>
#include <map>
#include <set>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "cli/inflate.h"
#include "cli/message.h"
#include "format/message_id.h"
#include "format/properties.h"
#include "inspect/log_reader.h"
#include "inspect/store_files.h"
#include "support/golden_store.h"
#include "support/hex.h"

namespace mq::inspect {
namespace {

using mq::test::GoldenStore;

class GoldenInspect : public testing::TestWithParam<const char*> {
 protected:
  GoldenInspect() : store_(GoldenStore::unpack(GetParam())) {
    for (const json::value& message : store_.list("messages"))
      messages_[int_or(member(message, "physicalOffset"), -1)] = &message;
    auto log = LogReader::open(fs::posix(), store_.path());
    EXPECT_TRUE(log) << log.error();
    log_ = *std::move(log);
  }
  [[nodiscard]] bool lags() const { return std::string_view(GetParam()) == "crash"; }

  GoldenStore store_;
  std::map<std::int64_t, const json::value*> messages_;
  std::unique_ptr<LogReader> log_;
};

TEST_P(GoldenInspect, EachMessageIsFoundOnceWithItsBodyAsTheClientGetsIt) {
  std::size_t served = 0;
  std::string inflated;
  const auto end = log_->walk(
      log_->begin(), log_->end_of_files(),
      [&](const format::Record& record, Bytes bytes) {
        const auto found = messages_.find(record.physical_offset.value());
        if (found == messages_.end()) return true;
        ++served;
        const json::value& message = *found->second;
        SCOPED_TRACE(record.physical_offset.value());
        const auto text = [&](std::string_view name) {
          return string_or(member(message, name), "");
        };
        EXPECT_EQ(mq::test::sha256_hex(bytes), text("recordSha256"));
        const auto body = cli::message_body(record, inflated);
        EXPECT_TRUE(body) << body.error();
        if (body) {
          EXPECT_EQ(mq::test::sha256_hex(*body), text("bodySha256"));
        }
        EXPECT_EQ(format::offset_message_id(record.store_host, record.physical_offset),
                  text("offsetMsgId"));
        return true;
      },
      [](const Finding& finding) { EXPECT_FALSE(finding.damage) << finding.what; });
  ASSERT_TRUE(end) << end.error();
  EXPECT_EQ(served, messages_.size());
  EXPECT_GE(end->value(), store_.total("commitLogEnd"));
}

TEST_P(GoldenInspect, EachMessageIsReadByItsPhysicalOffsetAndNothingStartsBesideIt) {
  for (const auto& [at, message] : messages_) {
    SCOPED_TRACE(at);
    const auto record = log_->record_at(PhysicalOffset(at));
    ASSERT_TRUE(record) << record.error();
    EXPECT_EQ(record->queue_offset.value(), int_or(member(*message, "queueOffset"), -1));
    EXPECT_FALSE(log_->record_at(PhysicalOffset(at + 1)));
  }
}

TEST_P(GoldenInspect, AWalkFromTheMiddleOfARecordBeginsAtTheNextOne) {
  // The manifest leaves some records out; the log's own order is what counts.
  std::vector<std::int64_t> starts;
  ASSERT_TRUE(
      log_->walk(log_->begin(), log_->end_of_files(), [&](const format::Record& record, Bytes) {
        starts.push_back(record.physical_offset.value());
        return true;
      }));
  for (std::size_t i = 0; i + 1 < starts.size(); i += 1 + starts.size() / 50) {
    SCOPED_TRACE(starts[i]);
    std::vector<std::int64_t> seen;
    ASSERT_TRUE(log_->walk(PhysicalOffset(starts[i] + 5), log_->end_of_files(),
                           [&](const format::Record& record, Bytes) {
                             seen.push_back(record.physical_offset.value());
                             return seen.size() < 2;
                           }));
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen[0], starts[i + 1]);
  }
  std::size_t within = 0;
  ASSERT_TRUE(log_->walk(PhysicalOffset(starts[3]), PhysicalOffset(starts[9]),
                         [&](const format::Record&, Bytes) { return ++within, true; }));
  EXPECT_EQ(within, 6U);
}

TEST_P(GoldenInspect, QueuesReachFromTheSmallestToTheLargestOffsetThatTheReferenceTells) {
  std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, std::int64_t>> bounds;
  const auto queues = list_queues(fs::posix(), store_.path());
  ASSERT_TRUE(queues) << queues.error();
  for (const QueueDirectory& queue : *queues) {
    auto& [min, max] = bounds[{queue.topic, queue.queue}];
    min = -1;
    ASSERT_TRUE(walk_queue(
        fs::posix(), queue,
        [&, &min = min, &max = max](std::int64_t number, const format::ConsumeQueueEntry& entry) {
          // Fillers, and entries whose record went with an old file, are not in the queue any more.
          if (!entry.is_filler() && min < 0 && entry.commitlog_offset >= log_->begin())
            min = number;
          max = number + 1;
          return true;
        },
        [](const std::string& damage) { ADD_FAILURE() << damage; }));
  }
  std::size_t checked = 0;
  for (const json::value& queue : store_.list("queues")) {
    const std::string topic(string_or(member(queue, "topic"), ""));
    const auto found = bounds.find({topic, int_or(member(queue, "queueId"), -1)});
    SCOPED_TRACE(topic);
    if (found == bounds.end()) {
      EXPECT_EQ(int_or(member(queue, "maxOffset"), -1), 0);
      continue;
    }
    const auto [min, max] = found->second;
    if (min >= 0) {
      EXPECT_EQ(min, int_or(member(queue, "minOffset"), -1));
    }
    // After a crash the queues end before the log; a working broker goes on in some queues.
    if (lags()) {
      EXPECT_LE(max, int_or(member(queue, "maxOffset"), -1));
    } else {
      EXPECT_EQ(max, int_or(member(queue, "maxOffset"), -1));
    }
    ++checked;
  }
  EXPECT_GE(checked, 4U);
}

TEST_P(GoldenInspect, TheIndexHasTheRecordsThatTheReferenceAnswersForAKey) {
  std::map<std::int32_t, std::set<std::int64_t>> by_hash;
  const auto files = list_index(fs::posix(), store_.path());
  ASSERT_TRUE(files) << files.error();
  for (const IndexInfo& file : *files) {
    EXPECT_EQ(file.damage, "");
    EXPECT_EQ(file.shape.slots, store_.conf("maxHashSlotNum", 5'000'000));
    EXPECT_EQ(file.shape.entries, store_.conf("maxIndexNum", 20'000'000));
    ASSERT_TRUE(walk_index(
        fs::posix(), file,
        [&](std::int32_t, const format::IndexEntry& entry) {
          by_hash[entry.key_hash].insert(entry.commitlog_offset.value());
          return true;
        },
        [](const std::string& damage) { ADD_FAILURE() << damage; }));
  }
  std::size_t checked = 0;
  for (const json::value& look : store_.list("byKey")) {
    const auto& answer = member(look, "physicalOffsets")->get_array();
    const auto& have = by_hash[format::index_key_hash(string_or(member(look, "topic"), ""),
                                                      string_or(member(look, "key"), ""))];
    for (const json::value& offset : answer) {
      // The broker that answered had caught up with the log; the files after the crash had not.
      if (lags() && !have.contains(offset.to_number<std::int64_t>())) continue;
      EXPECT_TRUE(have.contains(offset.to_number<std::int64_t>()))
          << string_or(member(look, "key"), "") << " at " << offset.to_number<std::int64_t>();
      ++checked;
    }
  }
  EXPECT_GT(checked, 50U);
}

TEST_P(GoldenInspect, ReadingChangesNoByteAndNoTimeStamp) {
  const auto look = [&] {
    std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> all;
    for (const std::string& path : mq::test::files_below(store_.path()))
      all[path] = {std::filesystem::file_size(path), std::filesystem::last_write_time(path)};
    return all;
  };
  const auto before = look();
  ASSERT_TRUE(log_->walk(log_->begin(), log_->end_of_files(),
                         [](const format::Record&, Bytes) { return true; }));
  ASSERT_TRUE(list_queues(fs::posix(), store_.path()));
  ASSERT_TRUE(list_index(fs::posix(), store_.path()));
  ASSERT_TRUE(read_checkpoint(fs::posix(), store_.path()));
  ASSERT_TRUE(read_state_files(fs::posix(), store_.path()));
  EXPECT_EQ(look(), before);
}

INSTANTIATE_TEST_SUITE_P(Stores, GoldenInspect,
                         testing::Values("basic", "crash", "rolled", "features", "defaults"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace mq::inspect
