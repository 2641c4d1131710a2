// A copy of a store in use is one that was closed: cut where the log was whole and its queues knew
// it, with nothing from behind, and the engine goes on with it.
#include "inspect/copy_store.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/names.h"
#include "inspect/reach.h"
#include "inspect/store_diff.h"
#include "inspect/store_info.h"
#include "support/golden_store.h"
#include "support/manual_clock.h"
#include "support/sample_store.h"
#include "support/store_image.h"

namespace mq::inspect {
namespace {

using mq::test::SampleMessage;
using mq::test::SampleStore;
using mq::test::StoreImage;

Bytes as_stored(const format::Record& record, std::string&) { return record.body; }

class CopyStore : public testing::Test {
 protected:
  void build(const mq::test::SampleOptions& options) {
    sample_ = mq::test::build_sample_store(fs_, from_, options);
  }
  void TearDown() override {
    if (holder_ <= 0) return;
    kill(holder_, SIGKILL);
    int status = 0;
    waitpid(holder_, &status, 0);
  }
  // Another process that has the store open.
  void start_holder() {
    std::array<int, 2> ready{};
    ASSERT_EQ(pipe(ready.data()), 0);
    holder_ = fork();
    if (holder_ == 0) {
      const auto lock = fs_.lock_file(from_ + "/lock");
      const char byte = lock ? 'y' : 'n';
      if (::write(ready[1], &byte, 1) != 1) _exit(1);
      while (true) pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  Result<CopyResult> copy() { return copy_store(fs_, from_, to_, {.clock = system_clock()}); }
  // Queue and physical offset of each entry of the copy's queues.
  std::map<std::pair<std::string, std::int32_t>, std::vector<std::int64_t>> entries() {
    std::map<std::pair<std::string, std::int32_t>, std::vector<std::int64_t>> out;
    const auto queues = list_queues(fs_, to_);
    for (const QueueDirectory& queue : *queues) {
      auto& list = out[{queue.topic, queue.queue}];
      EXPECT_TRUE(walk_queue(fs_, queue, [&](std::int64_t, const format::ConsumeQueueEntry& e) {
        if (!e.is_filler()) list.push_back(e.commitlog_offset.value());
        return true;
      }));
    }
    return out;
  }
  // Writes zeros over a part of a file.
  static void wipe(const std::string& path, std::int64_t from, std::int64_t bytes) {
    const auto file = fs::posix().open(path, fs::OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    const std::vector<std::byte> zeros(static_cast<std::size_t>(bytes));
    ASSERT_TRUE((*file)->write_at(from, zeros));
  }
  [[nodiscard]] std::string log_file(PhysicalOffset at) const {
    return from_ + "/commitlog/" +
           format::stream_file_name(at.value() / SampleStore::kCommitLogFileBytes *
                                    SampleStore::kCommitLogFileBytes);
  }

  fs::Fs& fs_ = fs::posix();
  mq::test::TempDir dir_;
  std::string from_ = dir_.path() + "/from";
  std::string to_ = dir_.path() + "/to";
  SampleStore sample_;
  pid_t holder_ = -1;
};

TEST_F(CopyStore, AtRestItIsTheSameFileByFileWithItsTimes) {
  build({.closed = false});
  StoreImage before = StoreImage::read(fs_, from_);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error();
  EXPECT_FALSE(copied->live);
  EXPECT_EQ(StoreImage::read(fs_, to_).files, before.files);
  EXPECT_TRUE(before.files.contains("abort"));
  for (const auto& [path, content] : before.files) {
    EXPECT_EQ(fs_.stat(from_ + "/" + path)->mtime_ms, fs_.stat(to_ + "/" + path)->mtime_ms) << path;
  }
  // Holes stay holes.
  EXPECT_LE(sum_files(fs_, to_)->at("commitlog").allocated_bytes,
            sum_files(fs_, from_)->at("commitlog").allocated_bytes);
}

TEST_F(CopyStore, InUseItIsAClosedOneThatTheEngineGoesOnWith) {
  build({.closed = false});
  start_holder();
  const StoreImage before = StoreImage::read(fs_, from_);
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error();
  EXPECT_TRUE(copied->live);
  EXPECT_EQ(copied->begin, sample_.begin);
  EXPECT_EQ(copied->end, sample_.end);
  EXPECT_EQ(StoreImage::read(fs_, from_).files, before.files);
  EXPECT_FALSE(fs_.exists(to_ + "/abort"));
  EXPECT_FALSE(fs_.exists(to_ + "/lock"));
  EXPECT_FALSE(fs_.exists(to_ + ".part"));
  DigestOptions options;
  options.body = as_stored;
  options.parts = PartSet::all();
  const auto fail = [](const Difference& d) { ADD_FAILURE() << d.topic << ' ' << d.from; };
  EXPECT_EQ(diff_messages(fs_, from_, to_, options, fail).value(), 0);
  EXPECT_EQ(diff_state(fs_, from_, to_, fail).value(), 0);

  mq::test::ManualClock clock(sample_.last_store_timestamp_ms + 1000);
  auto store = store::MessageStore::open(mq::test::sample_options(fs_, clock, to_));
  ASSERT_TRUE(store) << store.error();
  EXPECT_EQ((*store)->stats().written, sample_.end);
  for (const auto& [key, queue] : sample_.queues) {
    EXPECT_EQ((*store)->min_offset(key.first, key.second), queue.min) << key.first << key.second;
    EXPECT_EQ((*store)->max_offset(key.first, key.second), queue.max) << key.first << key.second;
  }
}

TEST_F(CopyStore, InUseItEndsBeforeAHalfWrittenRecordAndTakesNothingFromBehind) {
  build({.closed = false});
  // The last record is being written: its end is not there yet. Its entry stands in for those of
  // records that came after the cut.
  const SampleMessage& last = sample_.messages.back();
  wipe(log_file(last.at), last.at.value() % SampleStore::kCommitLogFileBytes + 60,
       static_cast<std::int64_t>(last.record.size()) - 60);
  start_holder();
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error();
  EXPECT_EQ(copied->end, last.at);
  for (const auto& [queue, list] : entries())
    for (const std::int64_t at : list) EXPECT_LT(at, last.at.value());
  const auto files = list_index(fs_, to_);
  ASSERT_TRUE(files);
  for (const IndexInfo& index : *files) {
    EXPECT_EQ(index.damage, "");
    EXPECT_LT(index.header.end_offset, last.at);
    ASSERT_TRUE(walk_index(fs_, index, [&](std::int32_t, const format::IndexEntry& e) {
      EXPECT_LT(e.commitlog_offset, last.at);
      return true;
    }));
  }
  // Behind the cut there are zeros, and the file has its whole length.
  const auto reach = Reach::read(fs_, to_);
  ASSERT_TRUE(reach);
  const auto sum = sum_log(fs_, to_, *reach, {}, 10, [] { return true; });
  ASSERT_TRUE(sum) << sum.error();
  EXPECT_EQ(sum->damages, 0);
  EXPECT_EQ(sum->end, last.at);
  EXPECT_EQ(sum->records, static_cast<std::int64_t>(sample_.messages.size()) - 1);
  EXPECT_EQ(sum->map.row(SpaceKind::kDead).bytes + sum->map.row(SpaceKind::kLive).bytes,
            last.at - sample_.begin - sum->map.row(SpaceKind::kBlank).bytes);
}

TEST_F(CopyStore, InUseItEndsWhereTheQueuesEnd) {
  build({.closed = false});
  // The last entry of a queue is not there yet and will not come: the dispatcher stands still.
  std::size_t i = sample_.messages.size();
  while (!sample_.messages[i - 1].has_entry) --i;
  const SampleMessage& last = sample_.messages[i - 1];
  const auto queue = list_queue(fs_, from_, "consumequeue", last.topic, last.queue);
  ASSERT_TRUE(queue);
  const auto entry = read_queue_entry(fs_, *queue, last.queue_offset.value());
  ASSERT_TRUE(entry) << entry.error();
  wipe(entry->path, entry->position, 20);
  start_holder();
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error();
  EXPECT_EQ(copied->end, last.at);
}

TEST_F(CopyStore, InUseItDoesNotEndAtTheRecordsOfADeletedTopic) {
  build({.closed = false});
  ASSERT_TRUE(fs::remove_tree(fs_, from_ + "/consumequeue/orders"));
  start_holder();
  const auto copied = copy();
  ASSERT_TRUE(copied) << copied.error();
  // Behind the last entry there is nobody to tell deleted records from new ones.
  std::size_t i = sample_.messages.size();
  while (!sample_.messages[i - 1].has_entry || sample_.messages[i - 1].topic == "orders") --i;
  EXPECT_GT(copied->end, sample_.messages[i - 1].at);
}

TEST_F(CopyStore, AFailureLeavesNothingAndNothingIsOverwritten) {
  build({});
  const auto interrupted =
      copy_store(fs_, from_, to_, {.clock = system_clock(), .goes_on = [] { return false; }});
  EXPECT_EQ(interrupted.error().code(), Errc::kUnavailable);
  EXPECT_FALSE(fs_.exists(to_));
  EXPECT_FALSE(fs_.exists(to_ + ".part"));
  ASSERT_TRUE(copy());
  EXPECT_EQ(copy().error().code(), Errc::kExists);
  EXPECT_EQ(
      copy_store(fs_, dir_.path() + "/none", to_ + "2", {.clock = system_clock()}).error().code(),
      Errc::kNotFound);
}

}  // namespace
}  // namespace mq::inspect
