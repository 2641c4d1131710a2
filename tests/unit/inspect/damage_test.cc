// Damaged logs: what is good is shown, what is not is named with its position, nothing is believed.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "format/names.h"
#include "inspect/log_reader.h"
#include "inspect/store_files.h"
#include "support/fault_fs.h"
#include "support/golden_store.h"

namespace mq::inspect {
namespace {

using mq::test::GoldenStore;

struct Walked {
  std::vector<std::int64_t> records;
  std::vector<Finding> findings;
  [[nodiscard]] std::size_t damaged() const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.damage; }));
  }
};

Walked walk_all(fs::Fs& fs, const std::string& path) {
  Walked out;
  auto log = LogReader::open(fs, path);
  EXPECT_TRUE(log) << log.error();
  if (!log) return out;
  const auto done = (*log)->walk((*log)->begin(), (*log)->end_of_files(),
                                 [&](const format::Record& record, Bytes) {
                                   out.records.push_back(record.physical_offset.value());
                                   return true;
                                 },
                                 [&](const Finding& finding) { out.findings.push_back(finding); });
  EXPECT_TRUE(done) << done.error();
  return out;
}

// A log of small records that a test can break as it likes.
class MadeLog : public testing::Test {
 protected:
  static constexpr std::size_t kFileBytes = 8192;

  // One file's records from `start` on, a blank behind them if `full`, zeros else.
  static std::string make_file(std::int64_t start, int count, bool full) {
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
    if (full) {
      std::array<std::byte, format::kBlankHeadBytes> blank{};
      format::encode_blank(static_cast<std::int32_t>(kFileBytes - out.size()), blank);
      out += as_text(blank);
    }
    out.resize(kFileBytes);
    return out;
  }
  void put(std::int64_t start, const std::string& bytes) {
    std::filesystem::create_directories(dir_.path() + "/commitlog");
    std::ofstream(dir_.path() + "/commitlog/" + format::stream_file_name(start), std::ios::binary)
        << bytes;
  }
  Walked walk() { return walk_all(fs::posix(), dir_.path()); }

  mq::test::TempDir dir_;
};

TEST_F(MadeLog, IsWholeWhenNothingWasDone) {
  put(0, make_file(0, 20, true));
  put(kFileBytes, make_file(kFileBytes, 5, false));
  const Walked walked = walk();
  EXPECT_EQ(walked.records.size(), 25U);
  EXPECT_EQ(walked.damaged(), 0U);
}

TEST_F(MadeLog, CostsOneRecordForEachByteThatIsFlippedAndGoesOnBehindIt) {
  const std::string whole = make_file(0, 6, false);
  put(0, whole);
  const std::vector<std::int64_t> all = walk().records;
  const auto second = static_cast<std::size_t>(all[1]);
  const auto third = static_cast<std::size_t>(all[2]);
  for (std::size_t at = second; at < third; ++at) {
    SCOPED_TRACE(at - second);
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    put(0, bytes);
    const Walked walked = walk();
    // A flip in a field that nothing vouches for leaves a record; none takes another one along.
    EXPECT_GE(walked.records.size(), 5U);
    EXPECT_EQ(walked.records.size() + walked.damaged(), 6U);
    if (walked.damaged() > 0) {
      EXPECT_EQ(walked.findings[0].at.value(), all[1]);
      EXPECT_FALSE(walked.findings[0].what.empty());
    }
  }
}

TEST_F(MadeLog, IsReadAsFarAsItGoesWhereverItIsCut) {
  const std::string whole = make_file(0, 4, false);
  put(0, whole);
  const std::vector<std::int64_t> all = walk().records;
  for (std::size_t bytes = 1; bytes < 500; ++bytes) {
    SCOPED_TRACE(bytes);
    put(0, whole.substr(0, bytes));
    std::size_t complete = 0;
    while (complete + 1 < all.size() && static_cast<std::size_t>(all[complete + 1]) <= bytes)
      ++complete;
    EXPECT_GE(walk().records.size(), std::min(complete, all.size() - 1));
  }
}

TEST_F(MadeLog, MayHaveANextFileOfAnyLength) {
  // What follows decides whether zeros are the log's end; it may be shorter than what is looked at.
  put(0, make_file(0, 4, false));
  for (std::size_t bytes = 1; bytes < 12; ++bytes) {
    SCOPED_TRACE(bytes);
    put(kFileBytes, std::string(bytes, '\0'));
    EXPECT_EQ(walk().damaged(), 0U);
    put(kFileBytes, std::string(bytes, 'x'));
    EXPECT_EQ(walk().damaged(), 2U);  // zeros with a file behind them, and that file
  }
}

TEST_F(MadeLog, SaysThatAFileIsMissing) {
  put(0, make_file(0, 4, true));
  put(2 * kFileBytes, make_file(2 * kFileBytes, 4, false));
  const Walked walked = walk();
  EXPECT_EQ(walked.records.size(), 8U);
  ASSERT_EQ(walked.damaged(), 1U);
  const auto missing = std::find_if(walked.findings.begin(), walked.findings.end(),
                                    [](const Finding& f) { return f.damage; });
  EXPECT_EQ(missing->kind, FindingKind::kMissing);
  EXPECT_EQ(missing->at.value(), 2 * static_cast<std::int64_t>(kFileBytes));
  EXPECT_EQ(missing->bytes, static_cast<std::int64_t>(kFileBytes));
}

TEST_F(MadeLog, RefusesARecordOfAnotherPosition) {
  // Whole and with its CRC, but written elsewhere: what a recycled file has behind its end.
  put(0, make_file(4096, 3, false));
  const Walked walked = walk();
  EXPECT_TRUE(walked.records.empty());
  EXPECT_GE(walked.damaged(), 1U);
}

TEST_F(MadeLog, FindsTheNextRecordAcrossAHoleAndAcrossAWindow) {
  // The magic of the first lies across 1 MiB, a step of the search; the second is far behind a
  // hole.
  const std::vector<std::int64_t> places = {(1 << 20) - 5, 64 << 20};
  std::filesystem::create_directories(dir_.path() + "/commitlog");
  std::ofstream file(dir_.path() + "/commitlog/" + format::stream_file_name(0), std::ios::binary);
  file << "noise" << std::string(1 << 20, '\0');
  for (const std::int64_t at : places) {
    file.seekp(at);
    file << make_file(at, 1, false).substr(0, 200);
  }
  file.close();
  EXPECT_EQ(walk().records, places);
}

TEST_F(MadeLog, IsSearchedInLinearTimeWhenFullOfMagics) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "its memmem looks at all of the rest for each call";
#endif
  std::string bytes(16 << 20, '\0');
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4)
    std::memcpy(bytes.data() + at, "\xDA\xA3\x20\xA7", 4);
  put(0, bytes);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(walk().records.empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(5));
}

TEST_F(MadeLog, OfOneCopiedFileKnowsItsPlaceFromItsNameOrItsFirstRecord) {
  put(kFileBytes, make_file(kFileBytes, 3, false));
  const std::string path = dir_.path() + "/commitlog/" + format::stream_file_name(kFileBytes);
  EXPECT_EQ(walk_all(fs::posix(), path).records.size(), 3U);
  const std::string copy = dir_.path() + "/copy.log";
  std::filesystem::copy_file(path, copy);
  const Walked walked = walk_all(fs::posix(), copy);
  ASSERT_EQ(walked.records.size(), 3U);
  EXPECT_EQ(walked.records[0], static_cast<std::int64_t>(kFileBytes));
}

TEST_F(MadeLog, StaysReadableAfterAFileCouldNotBeOpened) {
  mq::test::FaultFs fs(1);
  ASSERT_TRUE(fs.make_directories("/s/commitlog"));
  for (const std::int64_t start : {std::int64_t{0}, static_cast<std::int64_t>(kFileBytes)}) {
    auto file = fs.open("/s/commitlog/" + format::stream_file_name(start), fs::OpenMode::kCreate);
    ASSERT_TRUE(file) << file.error();
    ASSERT_TRUE((*file)->write_at(0, as_bytes(make_file(start, 3, start == 0))));
  }
  auto log = LogReader::open(fs, "/s");
  ASSERT_TRUE(log) << log.error();
  ASSERT_TRUE((*log)->record_at(PhysicalOffset(0)));
  fs.fail({.op = mq::test::FsOp::kOpen, .path_part = format::stream_file_name(kFileBytes)});
  EXPECT_FALSE((*log)->record_at(PhysicalOffset(kFileBytes)));
  EXPECT_TRUE((*log)->record_at(PhysicalOffset(0)));
  EXPECT_TRUE((*log)->record_at(PhysicalOffset(kFileBytes)));
}

struct Torn {
  const char* name;
  std::size_t records;  // of 1826
  std::size_t damaged;
};
class TornStore : public testing::TestWithParam<Torn> {};

TEST_P(TornStore, LosesNoMoreThanWhatIsDamaged) {
  const GoldenStore store = GoldenStore::unpack_torn(GetParam().name);
  const Walked walked = walk_all(fs::posix(), store.path());
  EXPECT_EQ(walked.records.size(), GetParam().records);
  EXPECT_EQ(walked.damaged(), GetParam().damaged);
}

INSTANTIATE_TEST_SUITE_P(All, TornStore,
                         testing::Values(Torn{"bad-size", 1825, 1}, Torn{"half-record", 1825, 1},
                                         Torn{"last-body", 1825, 1}, Torn{"last-page", 1818, 1},
                                         Torn{"mid-body", 1825, 1}, Torn{"log-short", 1826, 0},
                                         Torn{"cq-none", 1826, 0}, Torn{"index-none", 1826, 0}),
                         [](const auto& torn) {
                           std::string name = torn.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(TornQueue, NamesEntriesThatCannotBeAndBytesThatAreNoEntry) {
  for (const std::string name : {"cq-garbage", "cq-truncated"}) {
    SCOPED_TRACE(name);
    const GoldenStore store = GoldenStore::unpack_torn(name);
    const auto queues = list_queues(fs::posix(), store.path());
    ASSERT_TRUE(queues);
    std::vector<std::string> damage;
    for (const QueueDirectory& queue : *queues) {
      ASSERT_TRUE(walk_queue(
          fs::posix(), queue, [](std::int64_t, const format::ConsumeQueueEntry&) { return true; },
          [&](const std::string& what) { damage.push_back(what); }));
    }
    ASSERT_FALSE(damage.empty());
    EXPECT_NE(damage[0].find("consumequeue/GoldenCrash2/0/00000000000000000000 at "),
              std::string::npos)
        << damage[0];
    if (name == "cq-truncated") {
      EXPECT_EQ(damage.size(), 1U);
    }
  }
}

TEST(TornIndex, IsNamedAndTheOtherFilesAreStillThere) {
  const GoldenStore store = GoldenStore::unpack_torn("index-garbage");
  const auto files = list_index(fs::posix(), store.path());
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].damage, "");
  EXPECT_NE((*files)[1].damage, "");
  EXPECT_FALSE(walk_index(fs::posix(), (*files)[1],
                          [](std::int32_t, const format::IndexEntry&) { return true; }));
}

}  // namespace
}  // namespace mq::inspect
