// A device that fails, a disk that fills up: what message_store.h promises then.
#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "format/consume_queue_entry.h"
#include "store_fixture.h"
#include "support/fault_fs.h"

namespace mq::store {
namespace {

using namespace test;
using mq::test::FaultFs;
using mq::test::FsOp;

class StoreFault : public testing::Test {
 protected:
  void open(FlushMode mode) {
    auto store = MessageStore::open(small_options(fs_, system_clock(), mode));
    ASSERT_TRUE(store) << store.error();
    store_ = std::move(*store);
    for (int i = 0; i < 20; ++i) {
      const auto done =
          put(*store_, "t", 0, "before " + std::to_string(i), "b" + std::to_string(i));
      ASSERT_EQ(done.status, PutStatus::kOk) << done.reason;
      ASSERT_EQ(wait_durable(*store_, done.end), PutStatus::kOk);
    }
    ASSERT_TRUE(store_->wait_dispatched(60'000));
  }
  void expect_reads_go_on() { EXPECT_GE(read_all(*store_, "t", 0).size(), 20U); }

  FaultFs fs_{1};
  std::unique_ptr<MessageStore> store_;
};

TEST_F(StoreFault, AFailedSyncIsFinalNothingIsAcknowledgedAfterIt) {
  open(FlushMode::kSync);
  fs_.fail({.op = FsOp::kSync, .sys_errno = EIO});
  const auto first = put(*store_, "t", 0, "doomed", "d");
  ASSERT_EQ(first.status, PutStatus::kOk);
  EXPECT_EQ(wait_durable(*store_, first.end), PutStatus::kServiceNotAvailable);
  // The device works again; we do not believe it.
  for (int i = 0; i < 3; ++i) {
    const auto again = put(*store_, "t", 0, "no", "n");
    EXPECT_EQ(again.status, PutStatus::kServiceNotAvailable);
    EXPECT_NE(again.reason.find("sync failed"), std::string::npos) << again.reason;
  }
  EXPECT_FALSE(store_->stats().writable);
  expect_reads_go_on();
  EXPECT_FALSE(store_->close());
  EXPECT_TRUE(fs_.exists("store/abort"));
}

TEST_F(StoreFault, ADeviceThatHangsIsToldAsATimeoutAndReadsGoOn) {
  auto options = small_options(fs_, system_clock(), FlushMode::kSync);
  options.sync_flush_timeout_ms = 200;
  store_ = std::move(*MessageStore::open(options));
  ASSERT_EQ(wait_durable(*store_, put(*store_, "t", 0, "before", "b").end), PutStatus::kOk);
  ASSERT_TRUE(store_->wait_dispatched(60'000));
  fs_.hold(FsOp::kSync, "commitlog");
  const auto late = put(*store_, "t", 0, "late", "l");
  ASSERT_EQ(late.status, PutStatus::kOk);
  EXPECT_EQ(wait_durable(*store_, late.end), PutStatus::kFlushDiskTimeout);
  EXPECT_EQ(read_all(*store_, "t", 0).size(), 1U);
  fs_.let_go();
  EXPECT_EQ(wait_durable(*store_, put(*store_, "t", 0, "after", "a").end), PutStatus::kOk);
}

TEST_F(StoreFault, ThousandsOfQueuesAreSyncedTogetherAndAllThereAfterAPowerCut) {
  auto options = small_options(fs_, system_clock(), FlushMode::kAsync);
  options.queue_flush_interval_ms = 60'000;  // only when asked
  store_ = std::move(*MessageStore::open(options));
  constexpr int kTopics = 300;
  for (int i = 0; i < kTopics; ++i)
    ASSERT_EQ(put(*store_, "t" + std::to_string(i), 0, "body", "id").status, PutStatus::kOk);
  ASSERT_TRUE(store_->wait_dispatched(60'000));
  const auto syncs = [&] { return fs_.calls(FsOp::kSync) + fs_.calls(FsOp::kSyncDirectory); };
  const std::int64_t before = syncs();
  ASSERT_TRUE(store_->sync());
  EXPECT_LT(syncs() - before, 40);
  fs_.power_cut();
  store_.reset();
  fs_.restart();
  const auto topics = fs_.list("store/consumequeue");
  ASSERT_TRUE(topics) << topics.error();
  EXPECT_EQ(topics->size(), static_cast<std::size_t>(kTopics));
  for (const std::string& topic : *topics) {
    const auto file = fs::read_file(fs_, "store/consumequeue/" + topic + "/0/00000000000000000000");
    ASSERT_TRUE(file) << topic << ": " << file.error();
    EXPECT_TRUE(format::decode_consume_queue_entry(as_bytes(*file))) << topic;
  }
}

TEST_F(StoreFault, WhatAKilledBrokerLeftUnsyncedIsNoHoleBeforeWhatTheNextOneSyncs) {
  auto options = small_options(fs_, system_clock(), FlushMode::kAsync);
  options.flush_interval_ms = 60'000;
  store_ = std::move(*MessageStore::open(options));
  const std::string body(1000, 'k');
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(put(*store_, "t", 0, body, std::to_string(i)).status, PutStatus::kOk);
  // Killed: what was written stays in the page cache, nobody synced it.
  fs_.fail({.op = FsOp::kSync, .sys_errno = EBUSY, .forever = true});
  store_.reset();
  fs_.clear_faults();

  options.flush_mode = FlushMode::kSync;
  store_ = std::move(*MessageStore::open(options));
  const auto last = put(*store_, "t", 0, "acknowledged", "last");
  ASSERT_EQ(wait_durable(*store_, last.end), PutStatus::kOk);
  fs_.power_cut();
  store_.reset();
  fs_.restart();

  store_ = std::move(*MessageStore::open(options));
  ASSERT_TRUE(store_->wait_dispatched(60'000));
  const auto served = read_all(*store_, "t", 0);
  ASSERT_EQ(served.size(), 301U);
  EXPECT_EQ(served.rbegin()->second.body, "acknowledged");
}

// What a power cut may leave of files that were not synced yet: the log still has all of it.
TEST_F(StoreFault, QueueFilesThatAreEmptyShortOrMissingAreBuiltAgainFromThere) {
  constexpr int kMessages = 350;  // 100 a file
  const auto file = [](int entry) {
    return fmt::format("store/consumequeue/t/0/{:020}", entry * 20);
  };
  const auto truncate = [&](int entry, std::int64_t bytes) {
    ASSERT_TRUE((*fs_.open(file(entry), fs::OpenMode::kReadWrite))->truncate(bytes));
  };
  const std::vector<std::function<void()>> damages = {
      [&] { truncate(0, 0); },
      [&] { truncate(100, 0); },
      [&] { truncate(0, 600); },
      [&] { truncate(300, 0); },
      [&] { ASSERT_TRUE(fs_.remove(file(200))); },
      [&] { ASSERT_TRUE(fs_.remove(file(0))); },
      [&] { ASSERT_TRUE(fs_.remove(file(0)) && fs_.remove(file(100))); },
      [&] {
        for (int entry = 0; entry < 400; entry += 100) ASSERT_TRUE(fs_.remove(file(entry)));
        ASSERT_TRUE(fs_.make_directories("store/consumequeue/t/7"));
      },
      [&] { truncate(100, 0), truncate(200, 1000); },
  };
  const auto options = small_options(fs_, system_clock(), FlushMode::kAsync);
  store_ = std::move(*MessageStore::open(options));
  ASSERT_EQ(put(*store_, "other", 0, "before", "id").status, PutStatus::kOk);
  for (int i = 0; i < kMessages; ++i)
    ASSERT_EQ(put(*store_, "t", 0, std::to_string(i), "id").status, PutStatus::kOk);
  for (std::size_t damage = 0; damage < 2 * damages.size(); ++damage) {
    SCOPED_TRACE(damage);
    ASSERT_TRUE(store_->wait_dispatched(60'000));
    ASSERT_TRUE(store_->close());
    store_.reset();
    damages[damage / 2]();
    if (damage % 2 == 1) {
      ASSERT_TRUE(fs::write_file_atomically(fs_, "store/abort", "", false));
      ASSERT_TRUE(fs_.remove("store/checkpoint"));
    }
    store_ = std::move(*MessageStore::open(options));
    const auto served = read_all(*store_, "t", 0);
    ASSERT_EQ(served.size(), static_cast<std::size_t>(kMessages));
    for (int i = 0; i < kMessages; ++i) EXPECT_EQ(served.at(i).body, std::to_string(i));
    EXPECT_FALSE(fs_.exists("store/consumequeue/t/7"));
  }
}

TEST_F(StoreFault, AFullDiskRefusesWithTheReasonAndWritesResumeWhenSpaceReturns) {
  open(FlushMode::kAsync);
  fs_.set_capacity(fs_.used_bytes() + 32 * 1024);
  PutResult refused;
  int taken = 0;
  for (int i = 0; i < 2000 && refused.status != PutStatus::kServiceNotAvailable; ++i) {
    refused = put(*store_, "t", 0, std::string(2000, 'x'), "f" + std::to_string(i));
    if (refused.status == PutStatus::kOk) ++taken;
  }
  ASSERT_EQ(refused.status, PutStatus::kServiceNotAvailable);
  EXPECT_NE(refused.reason.find("disk"), std::string::npos) << refused.reason;
  expect_reads_go_on();
  fs_.set_capacity(1LL << 40);
  PutResult later;
  for (int i = 0; i < 300 && later.status != PutStatus::kOk; ++i) {
    later = put(*store_, "t", 0, "after", "after");
    if (later.status != PutStatus::kOk) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_EQ(later.status, PutStatus::kOk) << later.reason;
  ASSERT_TRUE(store_->wait_dispatched(60'000));
  EXPECT_EQ(read_all(*store_, "t", 0).size(), static_cast<std::size_t>(20 + taken + 1));
  EXPECT_TRUE(store_->close());
}

TEST_F(StoreFault, AFailingAllocationRefusesAndReadsGoOn) {
  open(FlushMode::kAsync);
  fs_.fail({.op = FsOp::kAllocate, .sys_errno = EIO, .forever = true});
  PutResult refused;
  for (int i = 0; i < 2000 && refused.status != PutStatus::kServiceNotAvailable; ++i) {
    refused = put(*store_, "t", 0, std::string(2000, 'x'), "f" + std::to_string(i));
  }
  ASSERT_EQ(refused.status, PutStatus::kServiceNotAvailable);
  EXPECT_FALSE(refused.reason.empty());
  expect_reads_go_on();
}

TEST_F(StoreFault, AFailingWriteOfQueuesLosesNoMessage) {
  open(FlushMode::kAsync);
  fs_.fail({.op = FsOp::kWrite, .sys_errno = EIO, .forever = true});
  int taken = 0;
  for (int i = 0; i < 500; ++i) {
    if (put(*store_, "t", 0, "body", "f" + std::to_string(i)).status == PutStatus::kOk) ++taken;
  }
  expect_reads_go_on();
  store_.reset();
  fs_.clear_faults();
  auto again = MessageStore::open(small_options(fs_, system_clock(), FlushMode::kAsync));
  ASSERT_TRUE(again) << again.error();
  store_ = std::move(*again);
  ASSERT_TRUE(store_->wait_dispatched(60'000));
  EXPECT_EQ(read_all(*store_, "t", 0).size(), static_cast<std::size_t>(20 + taken));
}

TEST_F(StoreFault, AFailingRenameAtStartIsAnErrorNotACrash) {
  fs_.fail({.op = FsOp::kRename, .sys_errno = EIO});
  auto store = MessageStore::open(small_options(fs_, system_clock(), FlushMode::kAsync));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code(), Errc::kIo);
  auto again = MessageStore::open(small_options(fs_, system_clock(), FlushMode::kAsync));
  EXPECT_TRUE(again) << again.error();
}

}  // namespace
}  // namespace mq::store
