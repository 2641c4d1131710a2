// The file system of the crash tests: that it forgets what real ones may forget, and nothing else.
#include "support/fault_fs.h"

#include <cerrno>
#include <set>

#include <gtest/gtest.h>

#include "support/seeds.h"

namespace mq::test {
namespace {

using fs::OpenMode;

std::unique_ptr<fs::File> made(FaultFs& fs, const std::string& path) {
  auto file = fs.open(path, OpenMode::kCreate);
  EXPECT_TRUE(file) << file.error();
  return std::move(*file);
}

TEST(FaultFs, AMappingSharesTheFileAndAHoleCostsNothing) {
  FaultFs fs(1);
  auto file = made(fs, "a");
  ASSERT_TRUE(file->truncate(1 << 30));
  auto map = file->map(1 << 30, fs::MapMode::kReadWrite);
  ASSERT_TRUE(map) << map.error();
  (*map)->bytes()[(1 << 30) - 1] = std::byte{7};
  std::array<std::byte, 2> out{};
  EXPECT_EQ(file->read_at((1 << 30) - 1, out).value(), 1U);
  EXPECT_EQ(out[0], std::byte{7});
  EXPECT_EQ(fs.used_bytes(), 0);
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(fs.unreserved_pages_written(), 1);
}

TEST(FaultFs, WhatWasSyncedIsThereAfterAPowerCutHoweverItWasWritten) {
  for (const std::uint64_t seed : seeds(50)) {
    FaultFs fs(seed);
    ASSERT_TRUE(fs.make_directories("d/e"));
    auto file = made(fs, "d/e/f");
    ASSERT_TRUE(file->allocate(0, 16384));
    auto map = file->map(16384, fs::MapMode::kReadWrite);
    (*map)->bytes()[5000] = std::byte{1};
    ASSERT_TRUE(file->write_at(9000, as_bytes("written")));
    ASSERT_TRUE(file->sync());
    fs.power_cut();
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(fs.open("d/e/f", OpenMode::kRead));
    fs.restart();
    const auto content = fs::read_file(fs, "d/e/f");
    ASSERT_TRUE(content) << content.error();
    ASSERT_EQ(content->size(), 16384U);
    EXPECT_EQ((*content)[5000], 1);
    EXPECT_EQ(content->substr(9000, 7), "written");
    EXPECT_FALSE(file->size());  // a handle from before
  }
}

TEST(FaultFs, ARangeThatWasSyncedIsThereAndPagesBesideItMayNotBe) {
  bool lost = false;
  for (const std::uint64_t seed : seeds(50)) {
    FaultFs fs(seed);
    auto file = made(fs, "a");
    ASSERT_TRUE(file->allocate(0, 16384));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(fs.sync_directory("."));
    auto map = file->map(16384, fs::MapMode::kReadWrite);
    for (const std::size_t at : {100U, 5000U, 9000U, 16383U}) (*map)->bytes()[at] = std::byte{1};
    ASSERT_TRUE((*map)->sync(5000, 4001));
    fs.power_cut();
    EXPECT_FALSE((*map)->sync(0, 1));
    fs.restart();
    const auto content = fs::read_file(fs, "a");
    ASSERT_TRUE(content) << content.error();
    EXPECT_EQ((*content)[5000], 1);
    EXPECT_EQ((*content)[9000], 1);
    lost = lost || (*content)[100] == 0 || (*content)[16383] == 0;
  }
  EXPECT_TRUE(lost);
}

TEST(FaultFs, ADirectoryIsRenamedWithAllInItOrNotAtAll) {
  for (const std::uint64_t seed : seeds(20)) {
    FaultFs fs({.seed = seed, .ordered_names = seed % 2 == 0});
    ASSERT_TRUE(fs.make_directories("d/e"));
    ASSERT_TRUE(fs.make_directories("full/x"));
    ASSERT_TRUE(made(fs, "d/e/f")->sync());
    ASSERT_TRUE(fs.sync_directory("d/e"));
    EXPECT_FALSE(fs.rename("d", "full"));
    EXPECT_FALSE(fs.rename("d", "d/e/f"));
    ASSERT_TRUE(fs.rename("d", "moved"));
    EXPECT_TRUE(fs.exists("moved/e/f"));
    EXPECT_FALSE(fs.exists("d"));
    fs.power_cut();
    fs.restart();
    EXPECT_NE(fs.exists("moved/e/f"), fs.exists("d/e/f"));
  }
}

TEST(FaultFs, UnsyncedPagesAreKeptDroppedOrTornAtSectors) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    FaultFs fs(seed);
    auto file = made(fs, "a");
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(4096, 'o'))));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(4096, 'n'))));
    fs.power_cut();
    fs.restart();
    const std::string content = fs::read_file(fs, "a").value();
    ASSERT_EQ(content.size(), 4096U);
    for (std::size_t at = 0; at < 4096; at += 512)
      ASSERT_EQ(content.substr(at, 512), std::string(512, content[at]));
    const auto fresh = std::count(content.begin(), content.end(), 'n');
    seen.insert(fresh == 0 ? "dropped" : fresh == 4096 ? "kept" : "torn");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"dropped", "kept", "torn"}));
}

TEST(FaultFs, NamesThatWereNotSyncedAreKeptInOrderOrDropped) {
  std::set<std::size_t> counts;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    FaultFs fs(seed);
    (void)made(fs, "d0");
    ASSERT_TRUE(fs.make_directories("d"));
    for (const char* name : {"d/1", "d/2", "d/3"}) (void)made(fs, name);
    fs.power_cut();
    fs.restart();
    const auto names = fs.list("d").value();
    counts.insert(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(names[i], std::to_string(i + 1));
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{0, 1, 2, 3}));
}

TEST(FaultFs, TheSyncOfANewFileKeepsItsNameOnlyWhereExt4WouldDoSo) {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const bool ordered : {true, false}) {
      FaultFs fs({.seed = seed, .ordered_names = ordered});
      auto file = made(fs, "a");
      ASSERT_TRUE(file->write_at(0, as_bytes("x")));
      ASSERT_TRUE(file->sync());
      fs.power_cut();
      fs.restart();
      if (ordered) {
        EXPECT_TRUE(fs.exists("a"));
      } else {
        dropped += fs.exists("a") ? 0 : 1;
      }
    }
  }
  EXPECT_GT(dropped, 0U);
}

TEST(FaultFs, AnAtomicWriteLeavesTheOldContentOrTheNewWhereverThePowerGoes) {
  std::set<std::string> seen;
  for (const bool ordered : {true, false}) {
    for (std::int64_t cut = 0; cut < 12; ++cut) {
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        FaultFs fs({.seed = seed, .ordered_names = ordered});
        ASSERT_TRUE(fs::write_file_atomically(fs, "f", "old", true));
        fs.power_cut_after(cut);
        const bool done = fs::write_file_atomically(fs, "f", "new", true).has_value();
        if (!fs.is_cut()) fs.power_cut();
        fs.restart();
        const auto content = fs::read_file(fs, "f");
        ASSERT_TRUE(content) << content.error();
        EXPECT_TRUE(*content == "new" || (!done && *content == "old")) << *content;
        seen.insert(*content);
      }
    }
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST(FaultFs, AnUnsyncedTruncationLeavesOneOfTheSizes) {
  std::set<std::int64_t> sizes;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    FaultFs fs(seed);
    auto file = made(fs, "a");
    ASSERT_TRUE(file->truncate(100));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(file->truncate(10));
    ASSERT_TRUE(file->truncate(5000));
    fs.power_cut();
    fs.restart();
    sizes.insert(fs.stat("a")->bytes);
  }
  EXPECT_EQ(sizes, (std::set<std::int64_t>{10, 100, 5000}));
}

TEST(FaultFs, CallsFailOnOrderOnceOrForGood) {
  FaultFs fs(1);
  auto file = made(fs, "a");
  fs.fail({.op = FsOp::kWrite, .sys_errno = ENOSPC, .after = 1});
  EXPECT_TRUE(file->write_at(0, as_bytes("x")));
  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().code(), Errc::kNoSpace);
  EXPECT_TRUE(file->write_at(0, as_bytes("x")));
  fs.fail({.op = FsOp::kSync, .sys_errno = EIO, .forever = true, .path_part = "a"});
  EXPECT_EQ(file->sync().error().sys_errno(), EIO);
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(made(fs, "b")->sync());
  fs.clear_faults();
  EXPECT_TRUE(file->sync());
}

TEST(FaultFs, WhatAFailedSyncGaveUpStaysReadableAndIsLostForAllLaterSyncs) {
  FaultFs fs(1);
  auto file = made(fs, "a");
  ASSERT_TRUE(file->truncate(8192));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write_at(0, as_bytes("lost")));
  fs.fail({.op = FsOp::kSync});
  ASSERT_FALSE(file->sync());
  ASSERT_TRUE(file->write_at(4096, as_bytes("kept")));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(fs::read_file(fs, "a")->substr(0, 4), "lost");
  fs.power_cut();
  fs.restart();
  EXPECT_EQ(fs::read_file(fs, "a")->substr(0, 4), std::string(4, '\0'));
  EXPECT_EQ(fs::read_file(fs, "a")->substr(4096, 4), "kept");
}

TEST(FaultFs, AFullDiskRefusesUntilThereIsSpaceAgain) {
  FaultFs fs({.seed = 1, .capacity_bytes = 8192});
  auto file = made(fs, "a");
  ASSERT_TRUE(file->allocate(0, 8192));
  EXPECT_EQ(made(fs, "b")->write_at(0, as_bytes("x")).error().code(), Errc::kNoSpace);
  EXPECT_EQ(fs.disk_usage(".")->available_bytes, 0);
  EXPECT_EQ(fs.disk_usage(".")->used_percent(), 100);
  ASSERT_TRUE(file->write_at(0, as_bytes("reserved")));
  ASSERT_TRUE(fs.remove("a"));
  EXPECT_TRUE(made(fs, "b")->write_at(0, as_bytes("x")));
  fs.set_capacity(1 << 20);
  EXPECT_EQ(fs.disk_usage(".")->available_bytes, (1 << 20) - 4096);
}

TEST(FaultFs, ALockIsHeldOnceAndFreedByItsOwnerOrAPowerCut) {
  FaultFs fs(1);
  auto lock = fs.lock_file("lock");
  ASSERT_TRUE(lock) << lock.error();
  EXPECT_EQ(fs.lock_file("lock").error().code(), Errc::kBusy);
  lock->reset();
  lock = fs.lock_file("lock");
  ASSERT_TRUE(lock);
  fs.power_cut();
  fs.restart();
  EXPECT_TRUE(fs.lock_file("lock"));
}

}  // namespace
}  // namespace mq::test
