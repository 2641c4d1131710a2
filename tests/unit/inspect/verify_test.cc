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
  std::vector<VerifyFinding> found;
  for (const VerifyFinding& f : verified.findings) {
    // What the crash left.
    const bool is_usual =
        f.severity == Severity::kNormal &&
        (f.what.find("lags behind") != std::string::npos ||
         f.what.find("not in the index; the next start") != std::string::npos ||
         f.what.find("spare file") != std::string::npos || f.file.ends_with("/abort"));
    if (!is_usual) found.push_back(f);
  }
  ASSERT_EQ(found.size(), 1U) << verified.text();
  EXPECT_EQ(found[0].file, store.path() + "/" + torn.file);
  EXPECT_EQ(found[0].at, torn.at);
  EXPECT_EQ(found[0].severity, torn.severity);
  EXPECT_NE(found[0].what.find(torn.what), std::string::npos) << found[0].what;
  EXPECT_NE(found[0].mend, "");
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
        Torn{"cq-short", kQueue, 2460, Severity::kDamage, "45 messages of GoldenCrash2/0"},
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
  ASSERT_TRUE(store.wait_dispatched(10'000));
  ASSERT_TRUE(store.delete_topic("again"));
  ASSERT_TRUE(store.delete_topic("gone"));
  for (int i = 0; i < 5; ++i) put(store, "again");
  ASSERT_TRUE(store.wait_dispatched(10'000));
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
