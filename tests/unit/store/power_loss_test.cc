// Goal: what SYNC_FLUSH acknowledged survives any power cut, once, in order and intact, in log,
// queues and index; and a store never refuses to open, whenever the power went, recovery included.
// Method: a seeded workload on a file system that forgets and tears what was not synced; cut,
// reopen, compare with the ledger, go on; several times a seed. MQ_SEED=n runs one seed, MQ_SEEDS=n
// that many.
#include <chrono>

#include <gtest/gtest.h>

#include "base/log.h"
#include "store/message_store.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"
#include "support/seeds.h"
#include "unit/store/ledger.h"

namespace mq::test {
namespace {

using store::FlushMode;
using store::MessageStore;
using store::StoreOptions;

class PowerLoss {
 public:
  explicit PowerLoss(std::uint64_t seed)
      : random_(seed),
        fs_({.seed = seed, .ordered_names = seed % 3 != 0, .clock = &clock_}),
        ledger_(seed) {
    options_.root = "store";
    options_.fs = &fs_;
    options_.clock = &clock_;
    options_.commit_log_file_bytes = 4096 * static_cast<std::int64_t>(5 + random_() % 12);
    options_.consume_queue_file_bytes = 20 * static_cast<std::int64_t>(5 + random_() % 60);
    options_.index_shape = {.slots = 50,
                            .entries = static_cast<std::int32_t>(30 + random_() % 300)};
    options_.flush_mode = FlushMode::kSync;
    options_.queue_flush_interval_ms = 1 + static_cast<std::int64_t>(random_() % 20);
    options_.queue_flush_thorough_interval_ms = static_cast<std::int64_t>(random_() % 2000);
    options_.sync_flush_timeout_ms = 1'000'000'000;
    options_.page_cache_busy_ms = 1'000'000'000;
    if (seed % 2 == 0) {
      options_.batch_queue_file_bytes = 46 * static_cast<std::int64_t>(5 + seed % 60);
      options_.batch_topics = {"T2"};
      ledger_.set_batch_topic("T2");
    }
    if (seed % 5 < 2) {
      options_.light_queues = true;
      ledger_.set_light_queue("%LMQ%l");
    }
  }

  void run() {
    const int cuts = 2 + static_cast<int>(random_() % 3);
    for (int cut = 0; cut <= cuts; ++cut) {
      SCOPED_TRACE(testing::Message() << "after cut " << cut);
      auto store = reopen();
      if (store == nullptr) return;
      const std::string wrong = ledger_.check(*store);
      ASSERT_EQ(wrong, "") << notes(*store);
      if (cut < cuts) work(*store);
      if (!fs_.is_cut()) fs_.power_cut();
      store.reset();
      fs_.restart();
    }
    EXPECT_EQ(fs_.unreserved_pages_written(), 0);
  }

 private:
  static std::string notes(const MessageStore& store) {
    std::string out = store.recovery().clean ? "after a clean exit" : "after a crash";
    for (const std::string& note : store.recovery().notes) out += "\n  " + note;
    return out;
  }

  // The power may go while the store recovers; without that, it opens.
  std::unique_ptr<MessageStore> reopen() {
    for (int again = 0; again < 4; ++again) {
      if (again < 3 && random_() % 3 == 0)
        fs_.power_cut_after(static_cast<std::int64_t>(random_() % 40));
      auto store = MessageStore::open(options_);
      const bool opened_whole = store && !fs_.is_cut();
      fs_.power_cut_after(INT32_MAX);
      // It may have gone meanwhile: the store's threads write.
      if (opened_whole && !fs_.is_cut()) return std::move(*store);
      if (!fs_.is_cut()) {
        ADD_FAILURE() << "the store does not open: " << store.error();
        return nullptr;
      }
      if (store) store->reset();
      fs_.restart();
    }
    return nullptr;
  }

  void work(MessageStore& store) {
    if (random_() % 4 != 0) fs_.power_cut_after(static_cast<std::int64_t>(random_() % 400));
    const std::size_t puts = random_() % 120;
    for (std::size_t i = 0; i < puts && !fs_.is_cut(); ++i) {
      clock_.advance_ms(static_cast<std::int64_t>(random_() % 200));
      const std::size_t count = random_() % 4 == 0 ? 1 + random_() % 5 : 1;
      const auto result = ledger_.put(store, random_, count);
      if (!store::is_stored(result.status)) {
        ASSERT_TRUE(fs_.is_cut()) << static_cast<int>(result.status) << ' ' << result.reason;
        return;
      }
      if (random_() % 3 == 0) {
        const bool durable = ledger_.await_now(store, result);
        ASSERT_TRUE(durable || fs_.is_cut());
      } else {
        ledger_.await(store, result);
      }
      if (random_() % 40 == 0) (void)store.sync();
    }
    if (random_() % 4 != 0) return;
    const auto closed = store.close();
    ASSERT_TRUE(closed || fs_.is_cut()) << closed.error();
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  FaultFs fs_;
  Ledger ledger_;
  StoreOptions options_;
};

// The store names each thing that it mends; a thousand crashes would fill the screen.
class Quiet : public testing::Environment {
 public:
  void SetUp() override { log::set_level(log::Level::kOff); }
};
const auto* const kQuiet = testing::AddGlobalTestEnvironment(new Quiet);

TEST(PowerLoss, EverythingAcknowledgedIsThereOnceInOrderAndIntact) {
  for (const std::uint64_t seed : seeds(/*count=*/60)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    PowerLoss(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

// The first records of most queues are gone with the first file, so that each queue starts with a
// gap.
TEST(PowerLoss, QueuesThatAreGoneAreBuiltAnewWhenTheLogDoesNotBeginAtZero) {
  FaultFs fs(1);
  StoreOptions options;
  options.root = "store";
  options.fs = &fs;
  options.clock = &system_clock();
  options.commit_log_file_bytes = 65536;
  options.consume_queue_file_bytes = 2000;
  options.index_shape = {.slots = 50, .entries = 1000};
  constexpr int kMessages = 200;
  for (const bool gone : {false, true}) {
    auto store = MessageStore::open(options);
    ASSERT_TRUE(store) << store.error();
    if (!gone) {
      for (int i = 0; i < kMessages; ++i) {
        const std::string body(1000, 'x');
        const auto done =
            (*store)->put({.topic = "T", .queue_id = i % 3}, {.body = as_bytes(body)});
        ASSERT_EQ(done.status, store::PutStatus::kOk) << done.reason;
      }
    } else {
      ASSERT_GT((*store)->min_offset("T", 1).value(), 0);
      for (QueueId queue = 0; queue < 3; ++queue)
        EXPECT_EQ((*store)->max_offset("T", queue).value(), (kMessages + 2 - queue) / 3) << queue;
    }
    ASSERT_TRUE((*store)->close());
    store->reset();
    if (gone) return;
    ASSERT_TRUE(fs.remove("store/commitlog/00000000000000000000"));
    ASSERT_TRUE(fs::remove_tree(fs, "store/consumequeue"));
  }
}

}  // namespace
}  // namespace mq::test
