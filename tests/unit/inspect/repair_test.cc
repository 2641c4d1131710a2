// Goal: whatever one damage does to a store, repair makes it one that is served whole but for what
// was damaged, and that needs no repair any more.
// Method: the damages of tests/support/store_damage, on order and by seed, on a file system in
// memory; the repaired store is opened by the engine and held against the model of what was
// written.
#include "inspect/repair.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "format/names.h"
#include "format/state_files.h"
#include "inspect/repair_change.h"
#include "inspect/verify.h"
#include "support/fault_fs.h"
#include "support/golden_store.h"
#include "support/manual_clock.h"
#include "support/seeds.h"
#include "support/store_damage.h"

namespace mq::inspect {
namespace {

using mq::test::Damage;
using mq::test::FaultFs;
using mq::test::GoldenStore;
using mq::test::SampleMessage;
using mq::test::SampleStore;
using mq::test::StoreImage;

constexpr std::int64_t kNowMs = 1'900'000'000'000;

RepairOptions options(bool write) {
  return {.shape = {.log_file_bytes = SampleStore::kCommitLogFileBytes,
                    .queue_file_bytes = SampleStore::kConsumeQueueFileBytes,
                    .index = SampleStore::kIndexShape},
          .write = write,
          .now_ms = kNowMs,
          .stamp = "20260101000000"};
}

std::string text_of(const RepairReport& report) {
  std::string out;
  for (const RepairNote& note : report.notes) {
    out += std::string(name_of(note.kind)) + " " + note.file + ": " + note.what + "; " +
           note.action + "\n";
  }
  return out;
}

// What verify has to say; "" for nothing.
std::string findings(fs::Fs& fs, const std::string& root) {
  std::string out;
  const auto summary = verify(fs, root, {}, [&](const VerifyFinding& f) {
    if (f.severity == Severity::kNote) return;
    out += std::string(name_of(f.severity)) + " " + f.file + " at " + std::to_string(f.at) + ": " +
           f.what + ": expected " + f.expected + ", found " + f.found + "\n";
  });
  return summary ? out : summary.error().text();
}

// Serves what the store has, through the engine.
class Served {
 public:
  Served(fs::Fs& fs, const std::string& root) {
    auto opened = store::MessageStore::open(mq::test::sample_options(fs, clock_, root));
    EXPECT_TRUE(opened) << opened.error();
    if (opened) store_ = std::move(*opened);
  }
  ~Served() {
    if (store_) {
      EXPECT_TRUE(store_->close());
    }
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  explicit operator bool() const { return store_ != nullptr; }
  store::MessageStore* operator->() { return store_.get(); }

  // The record that a reader of that number gets; "" if none.
  std::string at(const std::string& topic, QueueId queue, QueueOffset offset) {
    store::GetRequest request;
    request.topic = topic;
    request.queue_id = queue;
    request.offset = offset;
    request.count_max = 1;
    request.bytes_max = 8 << 20;
    request.filter.all = true;
    const auto got = store_->get(request);
    if (got.count != 1) return {};
    return std::string(as_text(got.spans[0].bytes));
  }

 private:
  mq::test::ManualClock clock_;
  std::unique_ptr<store::MessageStore> store_;
};

// As a store that was there for long: nothing of it waits to get to the device.
void sync_all(FaultFs& fs, const std::string& directory) {
  const auto names = fs.list(directory);
  ASSERT_TRUE(names);
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    if (fs.stat(path)->is_directory) {
      sync_all(fs, path);
    } else {
      auto file = fs.open(path, fs::OpenMode::kReadWrite);
      ASSERT_TRUE(file);
      ASSERT_TRUE((*file)->sync());
    }
  }
  ASSERT_TRUE(fs.sync_directory(directory));
}

class Repaired : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    FaultFs fs(1);
    store_ = new SampleStore(mq::test::build_sample_store(fs, "/s"));
    image_ = new StoreImage(StoreImage::read(fs, "/s"));
  }
  static void TearDownTestSuite() {
    delete store_;
    delete image_;
  }

  // Was any byte of the message's record changed?
  static bool is_touched(const StoreImage& damaged, const SampleMessage& m) {
    const std::int64_t start =
        m.at.value() / SampleStore::kCommitLogFileBytes * SampleStore::kCommitLogFileBytes;
    const auto file = damaged.files.find("commitlog/" + format::stream_file_name(start));
    if (file == damaged.files.end()) return true;
    const auto from = static_cast<std::size_t>(m.at.value() - start);
    return file->second.size() < from + m.record.size() ||
           file->second.compare(from, m.record.size(), m.record) != 0;
  }

  // Opens the repaired store and looks for everything that was not damaged.
  static void expect_whole(FaultFs& fs, const std::string& root, const StoreImage& damaged,
                           const RepairReport& report) {
    Served served(fs, root);
    ASSERT_TRUE(served) << text_of(report);
    EXPECT_TRUE(served->recovery().clean);
    EXPECT_TRUE(served->recovery().notes.empty()) << served->recovery().notes[0] << "\n"
                                                  << text_of(report);
    std::size_t lost = 0;
    std::map<std::pair<std::string, QueueId>, QueueOffset> max;
    for (const SampleMessage& m : store_->messages) {
      if (is_touched(damaged, m)) continue;
      if (m.has_entry) {
        if (served.at(m.topic, m.queue, m.queue_offset) != m.record) ++lost;
        max[{m.topic, m.queue}] = m.queue_offset + 1;
      }
      for (const std::string& key : m.keys) {
        const auto found = served->query(m.topic, key, 64, 0, INT64_MAX);
        if (!found || std::none_of(found->begin(), found->end(),
                                   [&](const auto& v) { return as_text(v.bytes) == m.record; }))
          ++lost;
      }
    }
    EXPECT_EQ(lost, 0U) << text_of(report);
    // Numbers go on behind those that were given out.
    for (const auto& [queue, end] : max)
      EXPECT_GE(served->max_offset(queue.first, queue.second), end) << queue.first;
  }

  // True if something was found.
  bool try_damage(const Damage& damage, const StoreImage& damaged) {
    FaultFs fs(1);
    damaged.write(fs, "/d");
    const auto plan = repair(fs, "/d", options(false));
    EXPECT_TRUE(plan) << plan.error();
    if (!plan) return false;
    EXPECT_EQ(StoreImage::read(fs, "/d"), damaged) << "a dry run changed something";
    const auto done = repair(fs, "/d", options(true));
    EXPECT_TRUE(done) << done.error() << "\n" << text_of(*plan);
    if (!done) return false;
    EXPECT_EQ(text_of(*plan), text_of(*done));
    EXPECT_EQ(done->is_done, plan->needs_change);
    if (damage.must_be_found) {
      EXPECT_TRUE(plan->is_damaged) << damage.what;
    }
    const auto again = repair(fs, "/d", options(false));
    EXPECT_TRUE(again) << again.error();
    if (again) {
      EXPECT_FALSE(again->needs_change) << text_of(*again) << "after\n" << text_of(*done);
      EXPECT_FALSE(again->is_damaged) << text_of(*again) << "after\n" << text_of(*done);
    }
    EXPECT_EQ(findings(fs, "/d"), "") << "after\n" << text_of(*done);
    expect_whole(fs, "/d", damaged, *done);
    return plan->is_damaged;
  }

  void try_seeds(const std::vector<std::uint64_t>& seeds, bool closed);

  static SampleStore* store_;
  static StoreImage* image_;
};
SampleStore* Repaired::store_ = nullptr;
StoreImage* Repaired::image_ = nullptr;

TEST_F(Repaired, ASoundStoreIsLeftAlone) {
  FaultFs fs(1);
  image_->write(fs, "/d");
  const auto report = repair(fs, "/d", options(true));
  ASSERT_TRUE(report) << report.error();
  EXPECT_FALSE(report->is_damaged) << text_of(*report);
  EXPECT_FALSE(report->needs_change) << text_of(*report);
  EXPECT_EQ(StoreImage::read(fs, "/d"), *image_);
  expect_whole(fs, "/d", *image_, *report);
}

TEST_F(Repaired, EachDamageOnOrder) {
  for (const auto& named : mq::test::damage_matrix(*store_, *image_)) {
    SCOPED_TRACE(named.name);
    StoreImage damaged = *image_;
    const Damage damage = named.apply(damaged);
    try_damage(damage, damaged);
  }
}

void Repaired::try_seeds(const std::vector<std::uint64_t>& seeds, bool closed) {
  for (const std::uint64_t seed : seeds) {
    StoreImage damaged = *image_;
    Damage damage = mq::test::random_damage(*store_, damaged, seed);
    SCOPED_TRACE(testing::Message() << "MQ_SEED=" << seed << ": " << damage.what);
    // What a crash may leave is no damage in a store that was not closed.
    damage.must_be_found = damage.must_be_found && closed;
    try_damage(damage, damaged);
  }
}

TEST_F(Repaired, DamageBySeed) { try_seeds(mq::test::seeds(40), true); }

// Entries of deleted records that are out of order; a negative time in the checkpoint.
TEST_F(Repaired, DamageThatOnlyVerifyFoundOnce) { try_seeds({355, 372}, true); }

// The log begins at 0, and queues with it, and `abort` is there.
class NewAndNotClosed : public Repaired {
 protected:
  void SetUp() override {
    FaultFs fs(1);
    other_store_ = mq::test::build_sample_store(
        fs, "/s", {.messages = 400, .retention = false, .closed = false});
    other_image_ = StoreImage::read(fs, "/s");
    swap();
  }
  void TearDown() override { swap(); }

 private:
  void swap() {
    std::swap(*store_, other_store_);
    std::swap(*image_, other_image_);
  }
  SampleStore other_store_;
  StoreImage other_image_;
};

TEST_F(NewAndNotClosed, DamageBySeed) { try_seeds(mq::test::seeds(20), false); }

// A stale file behind the log's end.
TEST_F(NewAndNotClosed, DamageThatNeededASecondRepairOnce) { try_seeds({131}, false); }

TEST_F(NewAndNotClosed, ARecordWithADamagedTopicIsFoundWithoutItsQueue) {
  StoreImage damaged = *image_;
  const auto m = std::find_if(store_->messages.begin() + 100, store_->messages.end(),
                              [](const SampleMessage& each) { return each.topic == "orders"; });
  const std::int64_t start =
      m->at.value() / SampleStore::kCommitLogFileBytes * SampleStore::kCommitLogFileBytes;
  const auto topic_at = static_cast<std::size_t>(m->at.value() - start) + m->record.find("orders");
  damaged.files.at("commitlog/" + format::stream_file_name(start))[topic_at + 4] ^= 1;
  std::erase_if(damaged.files, [](const auto& f) { return f.first.starts_with("consumequeue/"); });
  FaultFs fs(1);
  damaged.write(fs, "/d");
  const auto done = repair(fs, "/d", options(true));
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(findings(fs, "/d"), "") << text_of(*done);
  Served served(fs, "/d");
  ASSERT_TRUE(served);
  EXPECT_EQ(served.at(m->topic, m->queue, m->queue_offset), m->record) << text_of(*done);
}

// A store with something of everything to be mended.
StoreImage much_damaged(const SampleStore& store, const StoreImage& image) {
  StoreImage out = image;
  std::vector<std::string> log;
  for (const auto& [path, content] : image.files)
    if (path.starts_with("commitlog/")) log.push_back(path);
  out.files.at(log[1]).replace(8192, 4096, std::string(4096, '\0'));
  out.files.at(log[2])[5] ^= 1;
  out.files.erase(log[4]);
  out.files.at(log[5]).resize(40'000);
  const auto end = static_cast<std::size_t>(store.end.value() % SampleStore::kCommitLogFileBytes);
  out.files.at(log[log.size() - 1]).replace(end, 5, "noise");
  out.files.lower_bound("index/")->second.replace(0, 8, "garbage!");
  out.files["config/topics.json.bak"] = out.files.at("config/topics.json");
  out.files.at("config/topics.json").resize(100);
  out.files["abort"] = "1234";
  return out;
}

StoreImage without_area(StoreImage image) {
  std::erase_if(image.files, [](const auto& f) { return f.first.starts_with("mqdump.new-"); });
  return image;
}

TEST_F(Repaired, WhereverThePowerGoesTheStoreIsTheOldOneOrTheNew) {
  const StoreImage damaged = much_damaged(*store_, *image_);
  FaultFs whole(1);
  damaged.write(whole, "/d");
  const std::int64_t before = whole.changing_calls();
  ASSERT_TRUE(repair(whole, "/d", options(true)));
  const std::int64_t calls = whole.changing_calls() - before;
  const StoreImage repaired = StoreImage::read(whole, "/d");
  EXPECT_GT(calls, 100);

  // All of them with MQ_SEEDS, some of them without.
  const std::int64_t step = std::getenv("MQ_SEEDS") != nullptr ? 1 : 17;
  std::map<std::string, int> seen;
  for (std::int64_t cut = 0; cut < calls; cut += step) {
    for (const bool ordered : {true, false}) {
      SCOPED_TRACE(testing::Message() << "power cut at call " << cut << " of " << calls
                                      << (ordered ? "" : ", names in any order"));
      FaultFs fs({.seed = static_cast<std::uint64_t>(cut) + 1, .ordered_names = ordered});
      damaged.write(fs, "/d");
      sync_all(fs, "/d");
      fs.power_cut_after(cut);
      EXPECT_FALSE(repair(fs, "/d", options(true)));
      ASSERT_TRUE(fs.is_cut());
      fs.restart();
      const StoreImage left = without_area(StoreImage::read(fs, "/d"));
      if (StoreChange::is_unfinished(fs, "/d")) {
        ++seen["half"];
        // Nobody works on half a change.
        mq::test::ManualClock clock;
        const auto opened = store::MessageStore::open(mq::test::sample_options(fs, clock, "/d"));
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code(), Errc::kUnavailable) << opened.error();
        const auto plan = repair(fs, "/d", options(false));
        ASSERT_TRUE(plan) << plan.error();
        EXPECT_TRUE(plan->is_damaged);
      } else if (left == damaged) {
        ++seen["old"];
      } else {
        ++seen["new"];
        EXPECT_EQ(left, repaired);
      }
      RepairOptions later = options(true);
      later.stamp = "20260101000001";
      const auto again = repair(fs, "/d", later);
      ASSERT_TRUE(again) << again.error();
      EXPECT_FALSE(StoreChange::is_unfinished(fs, "/d"));
      const StoreImage after = StoreImage::read(fs, "/d");
      EXPECT_EQ(after, without_area(after));
      for (const auto& [path, content] : repaired.files) {
        if (path.find(".bak-") != std::string::npos) continue;
        ASSERT_TRUE(after.files.contains(path)) << path;
        EXPECT_EQ(after.files.at(path), content) << path;
      }
    }
  }
  EXPECT_GT(seen["old"], 0);
  EXPECT_GT(seen["half"], 0);
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, StoresOfTheReferenceAreLeftAlone) {
  const GoldenStore store = GoldenStore::unpack(GetParam());
  RepairOptions o;
  o.now_ms = kNowMs;
  const auto report = repair(fs::posix(), store.path(), o);
  ASSERT_TRUE(report) << report.error();
  EXPECT_FALSE(report->is_damaged) << text_of(*report);
  EXPECT_EQ(report->needs_change, std::string_view(GetParam()) == "crash") << text_of(*report);
}

INSTANTIATE_TEST_SUITE_P(Stores, Golden,
                         testing::Values("basic", "crash", "rolled", "features", "defaults"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace mq::inspect
