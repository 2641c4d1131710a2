// Goal: verify is silent about stores that are sound, whoever wrote them, and of a damaged one says
// exactly what was damaged, at the right place. Method: the stores of the reference and the sixteen
// that are made of one of them; stores of the engine.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "format/names.h"
#include "support/fault_fs.h"
#include "support/golden_store.h"
#include "support/manual_clock.h"
#include "support/sample_store.h"
#include "support/store_image.h"
#include "verified.h"

namespace mq::inspect {
namespace {

using mq::test::build_sample_store;
using mq::test::FaultFs;
using mq::test::GoldenStore;
using mq::test::SampleStore;
using mq::test::StoreImage;
using test::Verified;
using test::verify_all;

class SoundStore : public testing::TestWithParam<const char*> {};

TEST_P(SoundStore, IsNothingToSpeakOf) {
  const GoldenStore store = GoldenStore::unpack(GetParam());
  const Verified verified = verify_all(fs::posix(), store.path());
  EXPECT_EQ(verified.text(), "");
  EXPECT_EQ(verified.summary.records, static_cast<std::int64_t>(store.list("messages").size()));
  EXPECT_EQ(verify_all(fs::posix(), store.path(), {.jobs = 3}).text(), "");
}

INSTANTIATE_TEST_SUITE_P(All, SoundStore, testing::Values("basic", "rolled", "defaults"),
                         [](const auto& store) { return std::string(store.param); });

TEST(VerifyFeatures, IsNothingToSpeakOf) {
  const GoldenStore store = GoldenStore::unpack("features");
  EXPECT_EQ(verify_all(fs::posix(), store.path()).text(), "");
}

// The timer's files: one byte of each link. Unit 2 of the timer log begins at 104, slot 174642
// names units 52 and 104, the timer's queue has 12 messages.
TEST(VerifyTimers, SayWhichLinkIsBroken) {
  const GoldenStore store = GoldenStore::unpack("features");
  struct Flip {
    const char* file;
    std::int64_t at;
    std::int64_t told_at;
  };
  const std::string log = "timerlog/" + format::stream_file_name(0);
  for (const Flip& flip : {
           Flip{log.c_str(), 104 + 3, 104},   // size
           Flip{log.c_str(), 104 + 11, 104},  // previous
           Flip{log.c_str(), 104 + 35, 104},  // position of the message
           Flip{log.c_str(), 104 + 39, 104},  // its size
           Flip{"timerwheel", 174642 * 32 + 7, 174642 * 32},
           Flip{"timerwheel", 174642 * 32 + 15, 174642 * 32 + 8},
           Flip{"timerwheel", 174642 * 32 + 20, 174642 * 32 + 16},
           Flip{"config/timercheck", 12, 8},
           Flip{"config/timercheck", 20, 16},
           Flip{"config/timercheck", 24, 24},
       }) {
    SCOPED_TRACE(testing::Message() << flip.file << " at " << flip.at);
    const std::string path = store.path() + "/" + flip.file;
    const auto flip_byte = [&] {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(flip.at);
      const int byte = file.get();
      file.seekp(flip.at);
      file.put(static_cast<char>(byte ^ 0x81));
    };
    flip_byte();
    const Verified verified = verify_all(fs::posix(), store.path());
    flip_byte();
    ASSERT_FALSE(verified.findings.empty());
    const auto found = std::find_if(
        verified.findings.begin(), verified.findings.end(),
        [&](const VerifyFinding& f) { return f.file == path && f.at == flip.told_at; });
    EXPECT_NE(found, verified.findings.end()) << verified.text();
  }
  EXPECT_EQ(verify_all(fs::posix(), store.path()).text(), "");
}

TEST(VerifyTimers, SayThatAFileIsShortOrGone) {
  const GoldenStore store = GoldenStore::unpack("features");
  std::filesystem::resize_file(store.path() + "/timerwheel", 1000);
  std::filesystem::remove(store.path() + "/config/timercheck");
  const Verified verified = verify_all(fs::posix(), store.path());
  ASSERT_EQ(verified.summary.damage, 2) << verified.text();
  EXPECT_EQ(verified.findings[0].file, store.path() + "/config/timercheck");
  EXPECT_EQ(verified.findings[1].file, store.path() + "/timerwheel");
  EXPECT_EQ(verified.findings[1].at, 1000);
}

TEST(VerifyCrash, IsNormalThroughout) {
  const GoldenStore store = GoldenStore::unpack("crash");
  const Verified verified = verify_all(fs::posix(), store.path());
  EXPECT_EQ(verified.summary.damage, 0) << verified.text();
  EXPECT_EQ(verified.summary.notes, 0) << verified.text();
  // Twelve queues lag, so does the index; a spare file; abort.
  EXPECT_EQ(verified.summary.normal, 15) << verified.text();
  EXPECT_TRUE(verified.summary.crashed);
}

struct Torn {
  const char* name;
  const char* file;  // below the store
  std::int64_t at;
  Severity severity;
  const char* what;
};
class TornStore : public testing::TestWithParam<Torn> {};

TEST_P(TornStore, HasThatDamageAndNoOther) {
  const Torn& torn = GetParam();
  const GoldenStore store = GoldenStore::unpack_torn(torn.name);
  const Verified verified = verify_all(fs::posix(), store.path());
  // What the crash itself left is said of the same places before.
  const GoldenStore sound = GoldenStore::unpack("crash");
  const Verified before = verify_all(fs::posix(), sound.path());
  std::vector<VerifyFinding> found;
  for (const VerifyFinding& f : verified.findings) {
    const bool is_usual = std::any_of(
        before.findings.begin(), before.findings.end(), [&](const VerifyFinding& other) {
          return f.severity == Severity::kNormal && other.at == f.at &&
                 other.file.substr(sound.path().size()) == f.file.substr(store.path().size());
        });
    // A queue that was damaged lags from behind the damage on.
    const bool is_behind = f.severity == Severity::kNormal &&
                           f.file == store.path() + "/" + torn.file && f.at > torn.at;
    if (!is_usual && !is_behind) found.push_back(f);
  }
  ASSERT_EQ(found.size(), 1U) << verified.text();
  EXPECT_EQ(found[0].file, store.path() + "/" + torn.file);
  EXPECT_EQ(found[0].at, torn.at);
  EXPECT_EQ(found[0].severity, torn.severity);
  EXPECT_NE(found[0].what.find(torn.what), std::string::npos) << found[0].what;
  EXPECT_EQ(found[0].mend.empty(), found[0].what.find("the next start") != std::string::npos);
}

constexpr const char* kLog = "commitlog/00000000000000786432";
constexpr const char* kQueue = "consumequeue/GoldenCrash2/0/00000000000000000000";
INSTANTIATE_TEST_SUITE_P(
    All, TornStore,
    testing::Values(
        Torn{"last-body", kLog, 159788, Severity::kNormal, "torn tail"},
        Torn{"mid-body", kLog, 106888, Severity::kDamage, "body CRC"},
        Torn{"half-record", kLog, 159788, Severity::kNormal, "torn tail"},
        Torn{"last-page", kLog, 156183, Severity::kNormal, "torn tail"},
        Torn{"bad-size", kLog, 159788, Severity::kNormal, "torn tail"},
        Torn{"log-short", kLog, 160334, Severity::kDamage, "another length"},
        Torn{"cq-truncated", kQueue, 2867, Severity::kDamage, "another length"},
        Torn{"cq-short", kQueue, 2460, Severity::kNormal, "by 45 messages, from number 123 on"},
        Torn{"cq-garbage", kQueue, 3060, Severity::kDamage, "nor are the 39 behind it"},
        Torn{"cq-ahead", kQueue, 3060, Severity::kDamage, "nor are the 2 behind it"},
        Torn{"cq-missing", "consumequeue/GoldenCrash2/0", -1, Severity::kDamage,
             "the queue is missing"},
        Torn{"cq-none", "consumequeue", -1, Severity::kDamage, "all consume queues"},
        Torn{"index-none", "index", -1, Severity::kDamage, "no index"},
        Torn{"index-garbage", "index/20261121002914676", 0, Severity::kDamage, "index header"},
        Torn{"checkpoint-none", "checkpoint", -1, Severity::kDamage, "missing"},
        Torn{"checkpoint-zero", "checkpoint", 0, Severity::kDamage, "all zeros"}),
    [](const auto& torn) {
      std::string name = torn.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

class VerifySample : public testing::Test {
 protected:
  FaultFs fs_{1};
};

TEST_F(VerifySample, SaysTheSameWithManyThreads) {
  build_sample_store(fs_, "/s");
  StoreImage image = StoreImage::read(fs_, "/s");
  for (auto& [path, content] : image.files) {
    if (path.starts_with("commitlog/")) content[20'000] ^= 1;
  }
  image.write(fs_, "/s");
  const Verified alone = verify_all(fs_, "/s");
  EXPECT_GT(alone.summary.damage, 3);
  EXPECT_EQ(verify_all(fs_, "/s", {.jobs = 4}).text(), alone.text());
}

TEST_F(VerifySample, AsksAboutEveryBody) {
  const SampleStore store = build_sample_store(fs_, "/s");
  std::size_t asked = 0;
  const Verified verified =
      verify_all(fs_, "/s", {.check_body = [&](const format::Record&) -> Result<void> {
                   if (++asked == 3) return Error{Errc::kCorrupt, "not to be had"};
                   return {};
                 }});
  EXPECT_EQ(asked, store.messages.size());
  ASSERT_EQ(verified.summary.damage, 1) << verified.text();
  EXPECT_EQ(verified.findings[0].at,
            store.messages[2].at.value() % SampleStore::kCommitLogFileBytes);
}

TEST_F(VerifySample, OfOneCopiedLogFileKnowsItsRecordsAlone) {
  const SampleStore store = build_sample_store(fs_, "/s");
  const StoreImage image = StoreImage::read(fs_, "/s");
  StoreImage copy;
  copy.files["copied"] = image.files.lower_bound("commitlog/")->second;
  copy.write(fs_, "/c");
  EXPECT_EQ(verify_all(fs_, "/c/copied").text(), "");
  const auto at = static_cast<std::size_t>(store.messages[10].at - store.begin);
  copy.files["copied"][at + 3] ^= 1;  // its size
  copy.write(fs_, "/c");
  const Verified verified = verify_all(fs_, "/c/copied");
  ASSERT_EQ(verified.summary.damage, 1) << verified.text();
  EXPECT_EQ(verified.findings[0].at, static_cast<std::int64_t>(at));
}

TEST_F(VerifySample, KnowsATopicThatWasDeletedAndOneThatBeganAnew) {
  mq::test::ManualClock clock;
  const auto put = [](store::MessageStore& store, const char* topic) {
    store::PutCommon common;
    common.topic = topic;
    const auto result = store.put(common, {.flag = 0, .body = as_bytes("body"), .properties = {}});
    EXPECT_EQ(result.status, store::PutStatus::kOk);
  };
  auto opened = store::MessageStore::open(mq::test::sample_options(fs_, clock, "/s"));
  ASSERT_TRUE(opened);
  store::MessageStore& store = **opened;
  for (int i = 0; i < 30; ++i) put(store, i % 2 == 0 ? "again" : "gone");
  put(store, "stays");
  ASSERT_TRUE(store.wait_dispatched(60'000));
  ASSERT_TRUE(store.delete_topic("again"));
  ASSERT_TRUE(store.delete_topic("gone"));
  for (int i = 0; i < 5; ++i) put(store, "again");
  ASSERT_TRUE(store.wait_dispatched(60'000));
  ASSERT_TRUE(store.close());
  StoreImage image = StoreImage::read(fs_, "/s");
  image.files["config/topics.json"] = R"({"topicConfigTable":{"again":{},"stays":{}}})";
  image.write(fs_, "/s");
  const Verified verified = verify_all(fs_, "/s");
  EXPECT_EQ(verified.summary.damage, 0) << verified.text();
  EXPECT_EQ(verified.summary.notes, 2) << verified.text();
}

TEST_F(VerifySample, TellsManyFindingsInAFewLines) {
  build_sample_store(fs_, "/s");
  StoreImage image = StoreImage::read(fs_, "/s");
  for (auto& [path, content] : image.files) {
    if (!path.starts_with("commitlog/")) continue;
    for (std::size_t at = 0; at < content.size(); at += 200) content[at] ^= 0x40;
  }
  image.write(fs_, "/s");
  const Verified verified = verify_all(fs_, "/s");
  EXPECT_GT(verified.summary.damage, 500);
  EXPECT_LT(verified.findings.size(), 700U);
  EXPECT_NE(verified.text().find("more findings in it"), std::string::npos);
}

TEST_F(VerifySample, IsRefusedForRocksDbQueues) {
  build_sample_store(fs_, "/s");
  StoreImage image = StoreImage::read(fs_, "/s");
  image.files["consumequeue/CURRENT"] = "MANIFEST-000001\n";
  image.write(fs_, "/s");
  const auto refused = verify(fs_, "/s", {}, [](const VerifyFinding&) {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::kUnsupported);
}

}  // namespace
}  // namespace mq::inspect
