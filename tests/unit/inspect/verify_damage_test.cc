// Goal: whatever happens to a store, verify says it, and of a sound store it says nothing. Method:
// a small store with something of everything, damaged on order and by seed; of each damage it is
// known whether anything in the store contradicts it.
#include <gtest/gtest.h>

#include "inspect/verify.h"
#include "support/fault_fs.h"
#include "support/seeds.h"
#include "support/store_damage.h"
#include "verified.h"

namespace mq::inspect {
namespace {

using namespace mq::test;
using test::Verified;
using test::verify_all;

class VerifyDamage : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs_ = new FaultFs(1);
    store_ = new SampleStore(build_sample_store(*fs_, "/s"));
    image_ = new StoreImage(StoreImage::read(*fs_, "/s"));
  }
  static void TearDownTestSuite() {
    delete store_;
    delete image_;
    delete fs_;
  }
  // Of the image as it is after `damage`; the store is whole again afterwards.
  static Verified verify_damaged(const StoreImage& damaged) {
    damaged.write(*fs_, "/s", image_);
    Verified out = verify_all(*fs_, "/s");
    image_->write(*fs_, "/s", &damaged);
    return out;
  }
  static FaultFs* fs_;
  static SampleStore* store_;
  static StoreImage* image_;
};
FaultFs* VerifyDamage::fs_ = nullptr;
SampleStore* VerifyDamage::store_ = nullptr;
StoreImage* VerifyDamage::image_ = nullptr;

TEST_F(VerifyDamage, OfNoneIsSilent) {
  const Verified verified = verify_all(*fs_, "/s");
  EXPECT_EQ(verified.text(), "");
  EXPECT_EQ(verified.summary.records, static_cast<std::int64_t>(store_->messages.size()));
  EXPECT_GT(verified.summary.queue_entries, 0);
  EXPECT_GT(verified.summary.index_entries, 0);
}

TEST_F(VerifyDamage, OfACrashIsNone) {
  FaultFs fs(7);
  build_sample_store(fs, "/s", {.closed = false});
  const Verified verified = verify_all(fs, "/s");
  EXPECT_EQ(verified.summary.damage, 0) << verified.text();
  EXPECT_GT(verified.summary.normal, 0);
  EXPECT_TRUE(verified.summary.crashed);
}

TEST_F(VerifyDamage, OfEachKindIsFound) {
  for (const NamedDamage& damage : damage_matrix(*store_, *image_)) {
    SCOPED_TRACE(damage.name);
    StoreImage image = *image_;
    const Damage done = damage.apply(image);
    const Verified verified = verify_damaged(image);
    if (!done.must_be_found) continue;
    EXPECT_FALSE(verified.findings.empty()) << done.what;
  }
}

TEST_F(VerifyDamage, BySeedIsFound) {
  for (const std::uint64_t seed : seeds(200)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed);
    StoreImage image = *image_;
    const Damage done = random_damage(*store_, image, seed);
    const Verified verified = verify_damaged(image);
    if (!done.must_be_found) continue;
    EXPECT_FALSE(verified.findings.empty()) << done.what;
  }
}

}  // namespace
}  // namespace mq::inspect
