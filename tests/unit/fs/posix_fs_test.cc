// The real file system through the one door: what a caller of fs.h may rely on.
#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs.h"

namespace mq::fs {
namespace {

class PosixFsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mq-fs.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { ASSERT_TRUE(remove_tree(fs_, dir_)); }
  [[nodiscard]] std::string at(const char* name) const { return dir_ + "/" + name; }

  Fs& fs_ = posix();
  std::string dir_;
};

TEST_F(PosixFsTest, WritesAndReadsBackAndReadsHolesAsZeros) {
  auto file = fs_.open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE(file) << file.error();
  ASSERT_TRUE((*file)->write_at(10, as_bytes("hello")));
  std::array<std::byte, 20> out{};
  EXPECT_EQ((*file)->read_at(0, out).value(), 15U);
  EXPECT_EQ(out[0], std::byte{0});
  EXPECT_EQ(as_text(Bytes(out).subspan(10, 5)), "hello");
  EXPECT_EQ((*file)->size().value(), 15);
}

TEST_F(PosixFsTest, OpenModesSayWhatIsMissingOrThere) {
  EXPECT_EQ(fs_.open(at("none"), OpenMode::kRead).error().code(), Errc::kNotFound);
  ASSERT_TRUE(fs_.open(at("x"), OpenMode::kCreateExclusive));
  EXPECT_EQ(fs_.open(at("x"), OpenMode::kCreateExclusive).error().code(), Errc::kExists);
}

TEST_F(PosixFsTest, AllocatedSpaceIsRealAndContentsStay) {
  auto file = fs_.open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE((*file)->write_at(0, as_bytes("keep")));
  ASSERT_TRUE((*file)->truncate(1 << 20));
  ASSERT_TRUE((*file)->allocate(0, 1 << 20));
  EXPECT_GE(fs_.stat(at("a"))->allocated_bytes, 1 << 20);
  EXPECT_EQ(read_file(fs_, at("a"))->substr(0, 4), "keep");
}

TEST_F(PosixFsTest, ASizeLimitIsNoSpaceAndNotASignal) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto file = fs_.open(at("a"), OpenMode::kCreate);
    const auto done = (*file)->write_at(8192, as_bytes("x"));
    _exit(!done && done.error().code() == Errc::kNoSpace ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(PosixFsTest, AMappingSharesTheFileAndAFailingPageTurnsIntoAFlag) {
  auto file = fs_.open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE((*file)->allocate(0, 16384));
  auto map = (*file)->map(16384, MapMode::kReadWrite);
  ASSERT_TRUE(map) << map.error();
  (*map)->prefault(0, 16384, fs::Mapping::Pages::kSmall);
  (*map)->bytes()[5000] = std::byte{7};
  std::array<std::byte, 1> one{};
  ASSERT_TRUE((*file)->read_at(5000, one));
  EXPECT_EQ(one[0], std::byte{7});
  EXPECT_FALSE((*map)->faulted());

  ASSERT_TRUE((*file)->truncate(4096));  // the pages behind it are gone: touching them is SIGBUS
  (*map)->bytes()[9000] = std::byte{1};
  EXPECT_TRUE((*map)->faulted());
  EXPECT_EQ((*map)->bytes()[5000], std::byte{0});
  EXPECT_EQ((*map)->bytes()[9000], std::byte{1});
}

TEST_F(PosixFsTest, TheLockIsThatOfTheReferenceAndNamesItsHolder) {
  auto lock = fs_.lock_file(at("lock"));
  ASSERT_TRUE(lock) << lock.error();
  const pid_t child = fork();
  if (child == 0) {
    auto second = posix().lock_file(at("lock"));
    const bool refused = !second && second.error().code() == Errc::kBusy &&
                         second.error().text().find(std::to_string(getppid())) != std::string::npos;
    // To ask who holds it takes nothing and leaves it held.
    const auto holder = posix().lock_holder(at("lock"));
    const bool named = holder && *holder == getppid();
    _exit(refused && named ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(PosixFsTest, ALockThatNobodyHoldsHasNoHolderAndIsNotMade) {
  EXPECT_EQ(fs_.lock_holder(at("lock")).value(), std::nullopt);
  EXPECT_FALSE(fs_.exists(at("lock")));
  { ASSERT_TRUE(fs_.lock_file(at("lock"))); }
  EXPECT_EQ(fs_.lock_holder(at("lock")).value(), std::nullopt);
}

TEST_F(PosixFsTest, AMappingKnowsWhichOfItsPagesAreInMemory) {
  ASSERT_TRUE(write_file_atomically(fs_, at("f"), std::string(5 * 4096 + 1, 'x'), false));
  const auto file = fs_.open(at("f"), OpenMode::kRead);
  ASSERT_TRUE(file);
  const auto map = (*file)->map(5 * 4096 + 1, MapMode::kRead);
  ASSERT_TRUE(map);
  const auto pages = (*map)->resident();  // just written: all there, where the system tells
  ASSERT_TRUE(pages.empty() || pages.size() == 6);
  for (const unsigned char page : pages) EXPECT_EQ(page & 1U, 1U);
}

TEST_F(PosixFsTest, AnAtomicWriteKeepsTheOldContentAsBackup) {
  ASSERT_TRUE(write_file_atomically(fs_, at("topics.json"), "one", true));
  EXPECT_FALSE(fs_.exists(at("topics.json.bak")));
  ASSERT_TRUE(write_file_atomically(fs_, at("topics.json"), "two", true));
  EXPECT_EQ(read_file(fs_, at("topics.json")).value(), "two");
  EXPECT_EQ(read_file(fs_, at("topics.json.bak")).value(), "one");
  EXPECT_EQ(fs_.list(dir_)->size(), 2U);
  EXPECT_EQ(read_file(fs_, at("topics.json"), 2).error().code(), Errc::kCorrupt);
}

TEST_F(PosixFsTest, AFileForItsOwnerAloneIsThatWithItsBackup) {
  // Also where others could read what was there.
  ASSERT_TRUE(write_file_atomically(fs_, at("users.json.tmp"), "rest", false));
  ASSERT_TRUE(write_file_atomically(fs_, at("users.json"), "one", false));
  ASSERT_TRUE(write_file_atomically(fs_, at("users.json"), "two", true, Readers::kOwner));
  for (const char* name : {"users.json", "users.json.bak"}) {
    struct stat info {};
    ASSERT_EQ(::stat(at(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(PosixFsTest, DirectoriesAreMadeListedAndRemovedWhole) {
  ASSERT_TRUE(fs_.make_directories(at("a/b/c")));
  ASSERT_TRUE(fs_.make_directories(at("a/b/c")));
  ASSERT_TRUE(write_file_atomically(fs_, at("a/b/f"), "x", false));
  EXPECT_EQ(fs_.list(at("a/b")).value(), (std::vector<std::string>{"c", "f"}));
  ASSERT_TRUE(fs_.set_mtime_ms(at("a/b/f"), 1'700'000'000'123));
  EXPECT_EQ(fs_.stat(at("a/b/f"))->mtime_ms, 1'700'000'000'123);
  ASSERT_TRUE(remove_tree(fs_, at("a")));
  ASSERT_TRUE(remove_tree(fs_, at("a")));
  EXPECT_FALSE(fs_.exists(at("a")));
  EXPECT_GT(fs_.disk_usage(dir_)->total_bytes, 0);
}

}  // namespace
}  // namespace mq::fs
