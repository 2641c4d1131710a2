// The timer's wheel and log: what is put is there again, also after a crash, and nothing else is.
#include "broker/timer_wheel.h"

#include <random>

#include <gtest/gtest.h>

#include "broker/timer_firing.h"
#include "broker/timer_log.h"
#include "support/fault_fs.h"
#include "support/seeds.h"

namespace mq::broker {
namespace {

using format::TimerSlot;
using format::TimerUnit;
using mq::test::FaultFs;
using mq::test::FsOp;

constexpr std::int64_t kT = 1'700'000'000'000;

class TimerWheelTest : public ::testing::Test {
 protected:
  TimerWheelTest() { (void)fs.make_directories("store"); }
  TimerWheel make(std::int64_t precision_ms = 1000) {
    return {fs, "store/timerwheel", precision_ms};
  }
  static TimerSlot slot(std::int64_t first, std::int64_t last, std::int32_t count) {
    return {.first = first, .last = last, .count = count};
  }
  FaultFs fs{1};
};

TEST_F(TimerWheelTest, ASlotIsThatOfItsTimeAlone) {
  auto wheel = make();
  EXPECT_TRUE(wheel.get(kT).is_empty());
  wheel.put(kT, slot(0, 52, 2));
  EXPECT_EQ(wheel.get(kT), (TimerSlot{kT / 1000, 0, 52, 2, 0}));
  EXPECT_EQ(wheel.get(kT + 999).last, 52) << "the same tick";
  EXPECT_TRUE(wheel.get(kT + 1000).is_empty());
  const std::int64_t later = kT + TimerSlot::kCount * 1000;
  EXPECT_TRUE(wheel.get(later).is_empty()) << "the same place, another time";
  wheel.put(later, slot(104, 104, 1));
  EXPECT_TRUE(wheel.get(kT).is_empty());
  wheel.clear(later);
  EXPECT_TRUE(wheel.get(later).is_empty());
}

TEST_F(TimerWheelTest, IsOnDiskAfterSavingAndHasNoFileBefore) {
  auto wheel = make();
  ASSERT_TRUE(wheel.load());
  ASSERT_TRUE(wheel.save());
  EXPECT_FALSE(fs.exists("store/timerwheel")) << "never used";
  wheel.put(kT, slot(0, 0, 1));
  wheel.put(kT + 600'000'000, slot(52, 104, 2));
  EXPECT_TRUE(wheel.is_changed());
  ASSERT_TRUE(wheel.save());
  EXPECT_FALSE(wheel.is_changed());
  EXPECT_EQ(fs.stat("store/timerwheel")->bytes, TimerSlot::kFileBytes);
  wheel.put(kT, slot(0, 156, 9));  // not saved
  fs.power_cut();
  fs.restart();
  auto again = make();
  ASSERT_TRUE(again.load());
  EXPECT_EQ(again.get(kT).last, 0);
  EXPECT_EQ(again.get(kT + 600'000'000).count, 2);
}

TEST_F(TimerWheelTest, AFileOfAnotherLengthIsRefused) {
  ASSERT_TRUE(fs::write_file_atomically(fs, "store/timerwheel", "short", false));
  EXPECT_EQ(make().load().error().code(), Errc::kCorrupt);
}

TEST_F(TimerWheelTest, FindsTheNextUsedSlotAsCountingWould) {
  for (const std::uint64_t seed : mq::test::seeds(20)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    std::mt19937_64 random(seed);
    auto wheel = make();
    std::set<std::int64_t> used;
    const std::int64_t base = kT + static_cast<std::int64_t>(random() % 2'000'000) * 1000;
    for (int i = 0; i < 30; ++i) {
      const std::int64_t at = base + static_cast<std::int64_t>(random() % 300'000) * 1000;
      if (random() % 4 == 0 && !used.empty()) {
        wheel.clear(*used.begin());
        used.erase(used.begin());
      }
      wheel.put(at, slot(0, 0, 1));
      used.insert(at);
    }
    const std::int64_t until = base + 200'000'000;
    for (std::int64_t from = base;;) {
      const auto want = used.lower_bound(from);
      const auto got = wheel.next_used(from, until);
      if (want == used.end() || *want >= until) {
        EXPECT_FALSE(got);
        break;
      }
      ASSERT_EQ(got, *want);
      from = *got + 1000;
    }
    std::set<std::int64_t> all;
    wheel.for_each_used([&](std::int64_t time_ms, const TimerSlot&) { all.insert(time_ms); });
    EXPECT_EQ(all, used);
  }
}

class TimerLogTest : public ::testing::Test {
 protected:
  TimerLogTest() { (void)fs.make_directories("store"); }
  // Three units a file, then the mark.
  TimerLog make() { return TimerLog({.fs = fs, .directory = "store/timerlog", .file_bytes = 200}); }
  static TimerUnit unit(std::int64_t number, std::int64_t previous = -1) {
    return {.previous = previous,
            .write_time_ms = kT,
            .delay_ms = 1000,
            .commitlog_offset = PhysicalOffset(number),
            .record_bytes = 100};
  }
  // Positions and records of everything that is found.
  std::vector<std::pair<std::int64_t, std::int64_t>> recovered(TimerLog& log,
                                                               std::int64_t from = 0) {
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    const auto done = log.recover(from, [&](std::int64_t at, const TimerUnit& u) {
      out.emplace_back(at, u.commitlog_offset.value());
      return true;
    });
    EXPECT_TRUE(done) << done.error();
    return out;
  }
  FaultFs fs{1};
};

TEST_F(TimerLogTest, GoesOnInTheNextFileBehindAnEndMark) {
  auto log = make();
  ASSERT_TRUE(log.open());
  EXPECT_TRUE(log.is_empty());
  std::vector<std::int64_t> at;
  for (std::int64_t i = 0; i < 8; ++i) at.push_back(log.append(unit(i)));
  EXPECT_EQ(at, (std::vector<std::int64_t>{0, 52, 104, 200, 252, 304, 400, 452}));
  for (std::size_t i = 0; i < at.size(); ++i)
    EXPECT_EQ(log.read(at[i])->commitlog_offset.value(), static_cast<std::int64_t>(i))
        << "in memory";
  ASSERT_TRUE(log.write_out());
  for (std::size_t i = 0; i < at.size(); ++i)
    EXPECT_EQ(log.read(at[i])->commitlog_offset.value(), static_cast<std::int64_t>(i))
        << "in the file";
  EXPECT_EQ(log.read(156).error().code(), Errc::kNotFound) << "the end mark";
  EXPECT_EQ(log.read(504).error().code(), Errc::kNotFound) << "behind the end";
  const auto raw = fs::read_file(fs, "store/timerlog/00000000000000000000");
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->size(), 200U);
  EXPECT_EQ(as_bytes(*raw)[156 + 3], std::byte{44}) << "the mark says how long it is";
}

TEST_F(TimerLogTest, IsFoundAgainAndGoesOnWhereItWas) {
  {
    auto log = make();
    ASSERT_TRUE(log.open());
    for (std::int64_t i = 0; i < 5; ++i) (void)log.append(unit(i));
    ASSERT_TRUE(log.sync());
  }
  auto log = make();
  ASSERT_TRUE(log.open());
  EXPECT_EQ(recovered(log).size(), 5U);
  EXPECT_EQ(log.end(), 304);
  EXPECT_EQ(log.append(unit(5)), 304);
  EXPECT_EQ(log.append(unit(6)), 400);
  ASSERT_TRUE(log.sync());
  auto third = make();
  ASSERT_TRUE(third.open());
  EXPECT_EQ(recovered(third, 250).size(), 4U) << "from the start of that file on";
}

TEST_F(TimerLogTest, WhatIsCutOffCannotComeBack) {
  auto log = make();
  ASSERT_TRUE(log.open());
  for (std::int64_t i = 0; i < 8; ++i) (void)log.append(unit(i));
  ASSERT_TRUE(log.sync());
  {  // one bad byte in the middle of the second file
    auto file = fs.open("store/timerlog/00000000000000000200", fs::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->write_at(52, as_bytes("\xff")));
  }
  auto again = make();
  ASSERT_TRUE(again.open());
  EXPECT_EQ(recovered(again).size(), 4U);
  EXPECT_EQ(again.end(), 252);
  EXPECT_FALSE(fs.exists("store/timerlog/00000000000000000400"));
  EXPECT_EQ(again.append(unit(100)), 252);
  ASSERT_TRUE(again.sync());
  auto third = make();
  ASSERT_TRUE(third.open());
  EXPECT_EQ(recovered(third), (std::vector<std::pair<std::int64_t, std::int64_t>>{
                                  {0, 0}, {52, 1}, {104, 2}, {200, 3}, {252, 100}}));
}

TEST_F(TimerLogTest, ForeignFilesAndOtherSizesAreRefused) {
  ASSERT_TRUE(fs.make_directories("store/timerlog"));
  ASSERT_TRUE(fs::write_file_atomically(fs, "store/timerlog/00000000000000000000",
                                        std::string(300, '\0'), false));
  EXPECT_EQ(make().open().error().code(), Errc::kInvalid);
  ASSERT_TRUE(fs::write_file_atomically(fs, "store/timerlog/00000000000000000000",
                                        std::string(200, '\0'), false));
  EXPECT_TRUE(make().open());
  ASSERT_TRUE(fs::write_file_atomically(fs, "store/timerlog/00000000000000000200", "", false));
  EXPECT_TRUE(make().open()) << "an empty last file was being made";
  EXPECT_FALSE(fs.exists("store/timerlog/00000000000000000200"));
  ASSERT_TRUE(fs::write_file_atomically(fs, "store/timerlog/notes", std::string(200, '\0'), false));
  EXPECT_EQ(make().open().error().code(), Errc::kCorrupt);
}

TEST_F(TimerLogTest, AFullDiskKeepsUnitsInMemoryAndInOrder) {
  auto log = make();
  ASSERT_TRUE(log.open());
  (void)log.append(unit(0));
  ASSERT_TRUE(log.sync());
  fs.fail({.op = FsOp::kWrite, .sys_errno = ENOSPC, .forever = true, .path_part = "timerlog"});
  for (std::int64_t i = 1; i < 6; ++i) (void)log.append(unit(i));
  EXPECT_EQ(log.write_out().error().code(), Errc::kNoSpace);
  EXPECT_EQ(log.read(252)->commitlog_offset.value(), 4);
  fs.clear_faults();
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(log.in_memory(), 0U);
  auto again = make();
  ASSERT_TRUE(again.open());
  EXPECT_EQ(recovered(again).size(), 6U);
}

TEST_F(TimerLogTest, OldFilesGoWithTheMessagesTheyNameButNeverTheLast) {
  auto log = make();
  ASSERT_TRUE(log.open());
  for (std::int64_t i = 0; i < 7; ++i) (void)log.append(unit(i * 100));
  ASSERT_TRUE(log.sync());
  EXPECT_EQ(log.expire(PhysicalOffset(200)).value(), 0) << "its last message is still there";
  EXPECT_EQ(log.expire(PhysicalOffset(201)).value(), 1);
  EXPECT_EQ(log.begin(), 200);
  EXPECT_EQ(log.read(104).error().code(), Errc::kNotFound);
  EXPECT_EQ(log.expire(PhysicalOffset(1'000'000)).value(), 1);
  EXPECT_EQ(log.begin(), 400);
  auto again = make();
  ASSERT_TRUE(again.open());
  EXPECT_EQ(recovered(again).size(), 1U);
}

// Goal: what was synced is found after any power cut, in order, and what follows is a run of what
// was written behind it.
TEST_F(TimerLogTest, APowerCutTakesOnlyFromTheEnd) {
  for (const std::uint64_t seed : mq::test::seeds(60)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    FaultFs disk({.seed = seed, .ordered_names = seed % 2 == 0});
    std::mt19937_64 random(seed);
    std::int64_t synced = 0;
    std::int64_t written = 0;
    std::vector<std::int64_t> expected;
    for (int life = 0; life < 4; ++life) {
      TimerLog log({.fs = disk, .directory = "store/timerlog", .file_bytes = 9000});
      ASSERT_TRUE(log.open());
      std::vector<std::int64_t> found;
      ASSERT_TRUE(log.recover(0, [&](std::int64_t, const TimerUnit& u) {
        found.push_back(u.commitlog_offset.value());
        return true;
      }));
      ASSERT_GE(found.size(), static_cast<std::size_t>(synced));
      ASSERT_LE(found.size(), expected.size());
      expected.resize(found.size());
      ASSERT_EQ(found, expected);
      written = synced = static_cast<std::int64_t>(found.size());
      disk.power_cut_after(1 + static_cast<std::int64_t>(random() % 60));
      while (!disk.is_cut()) {
        for (std::uint64_t n = random() % 100; n > 0; --n) {
          expected.push_back(static_cast<std::int64_t>(random() % 1'000'000));
          (void)log.append(unit(expected.back()));
          ++written;
        }
        if (random() % 3 == 0) {
          if (log.sync()) synced = written;
        } else {
          (void)log.write_out();
        }
      }
      disk.restart();
    }
  }
}

class TimerFiringTest : public TimerLogTest {
 protected:
  // Appends a unit for one of several slots, linked as the timer links it.
  void add(TimerLog& log, int slot, std::int32_t magic, std::int64_t number) {
    const auto before = last_.find(slot);
    TimerUnit u = unit(number, before == last_.end() ? -1 : before->second);
    u.delay_ms = slot * 1000;
    u.magic = magic;
    last_[slot] = log.append(u);
  }
  std::vector<std::int64_t> fired(TimerLog& log, int slot, std::size_t held,
                                  std::vector<std::int64_t>* markers = nullptr) {
    TimerFiring firing(log, {.slot_ms = kT + slot * 1000, .last = last_[slot], .held_max = held},
                       [&](PhysicalOffset at) {
                         if (markers != nullptr) markers->push_back(at.value());
                       });
    std::vector<std::int64_t> out;
    while (const auto* due = firing.front()) {
      out.push_back(due->record_at.value());
      firing.pop();
    }
    return out;
  }
  std::map<int, std::int64_t> last_;
};

TEST_F(TimerFiringTest, OldestFirstWhateverIsHeldAtOnce) {
  auto log = make();
  ASSERT_TRUE(log.open());
  std::map<int, std::vector<std::int64_t>> want;
  std::mt19937_64 random(1);
  for (std::int64_t i = 0; i < 300; ++i) {
    const int slot = static_cast<int>(random() % 3);
    add(log, slot, 1, i);
    want[slot].push_back(i);
    if (i % 7 == 0) {
      ASSERT_TRUE(log.write_out());
    }
  }
  for (const std::size_t held : {1U, 2U, 7U, 1000U})
    for (int slot = 0; slot < 3; ++slot) EXPECT_EQ(fired(log, slot, held), want[slot]) << held;
}

TEST_F(TimerFiringTest, MarkersAreToldOnceAndFirst) {
  auto log = make();
  ASSERT_TRUE(log.open());
  add(log, 1, 1, 10);
  add(log, 1, 5, 11);  // a delete marker
  add(log, 1, 7, 12);  // one that has to go round once more
  add(log, 1, 9, 13);  // delivered long ago
  add(log, 1, 1, 14);
  std::vector<std::int64_t> markers;
  EXPECT_EQ(fired(log, 1, 1, &markers), (std::vector<std::int64_t>{10, 12, 14}));
  EXPECT_EQ(markers, std::vector<std::int64_t>{11});
}

TEST_F(TimerFiringTest, ABrokenChainEndsWhereItIsBroken) {
  auto log = make();
  ASSERT_TRUE(log.open());
  add(log, 1, 1, 10);
  add(log, 2, 1, 20);
  last_[1] = last_[2];  // leads into the chain of another slot
  add(log, 1, 1, 11);
  EXPECT_EQ(fired(log, 1, 10), std::vector<std::int64_t>{11});
}

}  // namespace
}  // namespace mq::broker
