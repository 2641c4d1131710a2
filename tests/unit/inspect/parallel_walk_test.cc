// Several threads over one log see what one sees, and hand it on in order when asked to.
#include "inspect/parallel_walk.h"

#include <algorithm>
#include <mutex>

#include <gtest/gtest.h>

#include "inspect/log_range.h"
#include "support/golden_store.h"

namespace mq::inspect {
namespace {

using mq::test::GoldenStore;

class ParallelWalk : public testing::Test {
 protected:
  // Five files of 1 MiB, 1650 records.
  static void SetUpTestSuite() {
    store_ = new GoldenStore(GoldenStore::unpack("rolled"));
    auto log = LogReader::open(fs::posix(), store_->path());
    ASSERT_TRUE(log);
    ASSERT_TRUE((*log)->walk((*log)->begin(), (*log)->end_of_files(),
                             [](const format::Record& record, Bytes) {
                               all_.push_back(record.physical_offset);
                               return true;
                             }));
  }
  static void TearDownTestSuite() { delete store_; }
  static GoldenStore* store_;
  static std::vector<PhysicalOffset> all_;
};
GoldenStore* ParallelWalk::store_ = nullptr;
std::vector<PhysicalOffset> ParallelWalk::all_;

TEST_F(ParallelWalk, SeesEachRecordOnceEachFileInOrder) {
  for (const int jobs : {1, 2, 3, 16}) {
    SCOPED_TRACE(jobs);
    std::vector<std::vector<PhysicalOffset>> seen(static_cast<std::size_t>(jobs));
    std::atomic<std::int64_t> bytes = 0;
    std::atomic<std::int64_t> records = 0;
    const auto end = walk_parallel(fs::posix(), store_->path(),
                                   {.jobs = jobs, .bytes_done = &bytes, .records_done = &records},
                                   [&](std::size_t worker, const format::Record& record, Bytes) {
                                     seen[worker].push_back(record.physical_offset);
                                     return true;
                                   });
    ASSERT_TRUE(end) << end.error();
    EXPECT_GT(*end, all_.back());
    std::vector<PhysicalOffset> together;
    for (const auto& one : seen) {
      EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
      together.insert(together.end(), one.begin(), one.end());
    }
    std::sort(together.begin(), together.end());
    EXPECT_EQ(together, all_);
    EXPECT_EQ(records, static_cast<std::int64_t>(all_.size()));
    EXPECT_GT(bytes, 4 << 20);
  }
}

TEST_F(ParallelWalk, ASearchFindsInTheOrderOfTheLogAndEndsWhenToldTo) {
  for (const int jobs : {1, 4}) {
    SCOPED_TRACE(jobs);
    std::vector<PhysicalOffset> found;
    const auto wants = [](std::size_t, const format::Record& record) {
      return record.queue_id == 1;
    };
    const auto take = [&](std::size_t limit) {
      found.clear();
      return search_parallel(fs::posix(), store_->path(), {.jobs = jobs}, wants,
                             [&](const format::Record& record, Bytes) {
                               EXPECT_EQ(record.queue_id, 1);
                               found.push_back(record.physical_offset);
                               return found.size() < limit;
                             });
    };
    ASSERT_TRUE(take(SIZE_MAX));
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    EXPECT_GT(found.size(), all_.size() / 3);
    const auto whole = found;
    ASSERT_TRUE(take(7));
    EXPECT_EQ(found, std::vector(whole.begin(), whole.begin() + 7));
  }
}

TEST_F(ParallelWalk, ARangeIsKept) {
  std::vector<PhysicalOffset> found;
  std::mutex mu;
  ASSERT_TRUE(walk_parallel(fs::posix(), store_->path(),
                            {.from = all_[100], .to = all_[1500], .jobs = 3},
                            [&](std::size_t, const format::Record& record, Bytes) {
                              const std::scoped_lock lock(mu);
                              found.push_back(record.physical_offset);
                              return true;
                            }));
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, std::vector(all_.begin() + 100, all_.begin() + 1500));
}

TEST_F(ParallelWalk, AnErrorOfOneThreadEndsAll) {
  EXPECT_FALSE(walk_parallel(fs::posix(), store_->path() + "/nothing", {.jobs = 4},
                             [](std::size_t, const format::Record&, Bytes) { return true; }));
}

TEST_F(ParallelWalk, RecordsAreCountedFromBothEnds) {
  auto log = LogReader::open(fs::posix(), store_->path());
  ASSERT_TRUE(log);
  const auto size = static_cast<std::int64_t>(all_.size());
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{2}, std::int64_t{400}, size - 1}) {
    SCOPED_TRACE(n);
    EXPECT_EQ(record_from_front(**log, n).value(), all_[static_cast<std::size_t>(n)]);
    EXPECT_EQ(record_from_end(**log, n).value(), all_[static_cast<std::size_t>(size - n)]);
  }
  EXPECT_EQ(record_from_front(**log, 0).value(), all_[0]);
  EXPECT_EQ(record_from_end(**log, 0).value(), (*log)->end_of_files());
  EXPECT_EQ(record_from_end(**log, size * 2).value(), (*log)->begin());
  EXPECT_EQ(record_from_front(**log, size * 2).value(), (*log)->end_of_files());
}

TEST_F(ParallelWalk, FilesAreLeftOutByTimeOnlyWhenNothingInThemCanFit) {
  auto log = LogReader::open(fs::posix(), store_->path());
  ASSERT_TRUE(log);
  std::vector<std::int64_t> times;
  for (const PhysicalOffset at : all_) times.push_back((*log)->record_at(at)->store_timestamp_ms);
  for (std::size_t i = 0; i < all_.size(); i += 97) {
    EXPECT_LE(first_file_at(**log, times[i]).value(), all_[i]);
    EXPECT_GT(first_file_behind(**log, times[i]).value(), all_[i]);
  }
  const std::int64_t hour = 3'600'000;
  EXPECT_EQ(first_file_at(**log, times.back() + hour).value(),
            (*log)->files().back().start > all_.back()
                ? (*log)->files()[(*log)->files().size() - 2].start
                : (*log)->files().back().start);
  EXPECT_EQ(first_file_behind(**log, times.front() - hour).value(), (*log)->begin());
}

}  // namespace
}  // namespace mq::inspect
