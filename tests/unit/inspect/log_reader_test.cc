// A log that somebody else works on while we read it, and the page cache that others live from.
#include "inspect/log_reader.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/names.h"
#include "support/golden_store.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kFileBytes = 64 << 10;

// Records of one file, back to back, from `start` on.
std::string records(std::int64_t start, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    format::Record record;
    const std::string body = "body " + std::to_string(i);
    record.body = as_bytes(body);
    record.topic = "T";
    record.queue_offset = QueueOffset(i);
    record.physical_offset = PhysicalOffset(start + static_cast<std::int64_t>(out.size()));
    std::vector<std::byte> bytes(format::record_bytes(record));
    format::encode_record(record, bytes);
    out += as_text(bytes);
  }
  return out;
}

class LiveLog : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(dir_.path() + "/commitlog"); }
  [[nodiscard]] std::string file(std::int64_t start) const {
    return dir_.path() + "/commitlog/" + format::stream_file_name(start);
  }
  void put(std::int64_t start, const std::string& bytes, std::int64_t size = kFileBytes) {
    std::ofstream(file(start), std::ios::binary) << bytes;
    std::filesystem::resize_file(file(start), static_cast<std::uintmax_t>(size));
  }
  // Another process that holds the store until end_holder().
  void start_holder() {
    std::array<int, 2> ready{};
    ASSERT_EQ(pipe(ready.data()), 0);
    holder_ = fork();
    if (holder_ == 0) {
      const auto lock = fs::posix().lock_file(dir_.path() + "/lock");
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
  void TearDown() override {
    if (holder_ <= 0) return;
    kill(holder_, SIGKILL);
    int status = 0;
    waitpid(holder_, &status, 0);
  }
  std::vector<Finding> findings() {
    std::vector<Finding> out;
    auto log = LogReader::open(fs::posix(), dir_.path());
    EXPECT_TRUE(log) << log.error();
    EXPECT_TRUE((*log)->walk((*log)->begin(), (*log)->end_of_files(),
                             [](const format::Record&, Bytes) { return true; },
                             [&](const Finding& finding) { out.push_back(finding); }));
    return out;
  }

  mq::test::TempDir dir_;
  pid_t holder_ = -1;
};

TEST_F(LiveLog, AHalfWrittenRecordAtItsEndIsDamageOnlyWhenNobodyHoldsTheStore) {
  const std::string two = records(0, 2);
  put(0, two.substr(0, two.size() - 20));
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings()[0].kind, FindingKind::kTail);
  EXPECT_TRUE(findings()[0].damage);
  start_holder();
  ASSERT_EQ(findings().size(), 1U);
  EXPECT_EQ(findings()[0].kind, FindingKind::kTail);
  EXPECT_FALSE(findings()[0].damage);
}

TEST_F(LiveLog, AFileThatIsDeletedWhileWeReadIsNoError) {
  for (const std::int64_t start : {std::int64_t{0}, kFileBytes}) {
    std::string bytes = records(start, 3);
    std::array<std::byte, format::kBlankHeadBytes> blank{};
    format::encode_blank(static_cast<std::int32_t>(kFileBytes - bytes.size()), blank);
    put(start, bytes + std::string(as_text(blank)));
  }
  auto log = LogReader::open(fs::posix(), dir_.path());
  ASSERT_TRUE(log);
  std::filesystem::remove(file(0));
  std::size_t seen = 0;
  std::vector<FindingKind> kinds;
  ASSERT_TRUE((*log)->walk((*log)->begin(), (*log)->end_of_files(),
                           [&](const format::Record&, Bytes) { return ++seen, true; },
                           [&](const Finding& finding) { kinds.push_back(finding.kind); }));
  EXPECT_EQ(seen, 3U);
  EXPECT_EQ(kinds, (std::vector{FindingKind::kGone, FindingKind::kBlank}));
}

TEST_F(LiveLog, ARefreshFindsWhatCameSince) {
  put(0, records(0, 3));
  auto log = LogReader::open(fs::posix(), dir_.path());
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->record_at(PhysicalOffset(0)));
  EXPECT_FALSE((*log)->record_at(PhysicalOffset(kFileBytes)));
  put(kFileBytes, records(kFileBytes, 1));
  ASSERT_TRUE((*log)->refresh());
  EXPECT_TRUE((*log)->record_at(PhysicalOffset(kFileBytes)));
  EXPECT_TRUE((*log)->record_at(PhysicalOffset(0)));
}

// How many of a file's pages are in the system's cache.
std::int64_t cached_pages(const std::string& path) {
  const auto file = fs::posix().open(path, fs::OpenMode::kRead);
  const auto mapping = (*file)->map((*file)->size().value(), fs::MapMode::kRead);
  const auto pages = (*mapping)->resident();
  return std::count_if(pages.begin(), pages.end(),
                       [](unsigned char page) { return page % 2 == 1; });
}

TEST_F(LiveLog, ThePageCacheIsLeftAsItWasFound) {
  constexpr std::int64_t kPages = 4096;
  const std::string body(16 << 10, 'x');
  std::string bytes;
  while (bytes.size() + 20'000 < kPages * 4096) {
    format::Record record;
    record.body = as_bytes(body);
    record.topic = "T";
    record.physical_offset = PhysicalOffset(static_cast<std::int64_t>(bytes.size()));
    std::vector<std::byte> encoded(format::record_bytes(record));
    format::encode_record(record, encoded);
    bytes += as_text(encoded);
  }
  put(0, bytes, kPages * 4096);
  const auto in = fs::posix().open(file(0), fs::OpenMode::kReadWrite);
  ASSERT_TRUE((*in)->sync());
  ASSERT_GT(cached_pages(file(0)), kPages / 2);
  (*in)->drop_cache(0, 0);
  if (cached_pages(file(0)) != 0) GTEST_SKIP() << "this file system keeps its pages";
  // A part that somebody works with stays, the rest goes again.
  std::vector<std::byte> part(100 * 4096);
  ASSERT_TRUE((*in)->read_at(200 * 4096, part));
  const std::int64_t before = cached_pages(file(0));
  ASSERT_GE(before, 100);
  ASSERT_LT(before, kPages / 2);
  {
    auto log = LogReader::open(fs::posix(), dir_.path(), LogReader::Cache::kDrop);
    ASSERT_TRUE(log);
    std::size_t seen = 0;
    ASSERT_TRUE((*log)->walk((*log)->begin(), (*log)->end_of_files(),
                             [&](const format::Record&, Bytes) { return ++seen, true; }));
    EXPECT_GT(seen, 900U);
  }
  EXPECT_EQ(cached_pages(file(0)), before);
}

}  // namespace
}  // namespace mq::inspect
