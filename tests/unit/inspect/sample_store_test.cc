// The sample store and its damages are themselves what they say: tests of verify and repair stand
// on them.
#include <set>

#include <gtest/gtest.h>

#include "format/names.h"
#include "support/fault_fs.h"
#include "support/seeds.h"
#include "support/store_damage.h"

namespace mq::test {
namespace {

class Sample : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    FaultFs fs(1);
    store_ = new SampleStore(build_sample_store(fs, "/s"));
    image_ = new StoreImage(StoreImage::read(fs, "/s"));
  }
  static void TearDownTestSuite() {
    delete store_;
    delete image_;
  }
  static SampleStore* store_;
  static StoreImage* image_;
};
SampleStore* Sample::store_ = nullptr;
StoreImage* Sample::image_ = nullptr;

TEST_F(Sample, HasWhatItPromises) {
  EXPECT_GT(store_->begin, PhysicalOffset(0));
  std::set<std::string> topics;
  std::size_t prepared = 0;
  for (const SampleMessage& m : store_->messages) {
    topics.insert(m.topic);
    prepared += m.has_entry ? 0 : 1;
    const auto start =
        m.at.value() / SampleStore::kCommitLogFileBytes * SampleStore::kCommitLogFileBytes;
    const std::string& file = image_->files.at("commitlog/" + format::stream_file_name(start));
    ASSERT_EQ(
        file.compare(static_cast<std::size_t>(m.at.value() - start), m.record.size(), m.record), 0);
  }
  EXPECT_EQ(topics.size(), 5U);
  EXPECT_GT(prepared, 0U);
  EXPECT_EQ(store_->queues.at({"gone", 0}), (SampleQueue{QueueOffset(30), QueueOffset(30)}));
  EXPECT_GT(store_->queues.at({"events", 1}).min, QueueOffset(0));
  EXPECT_FALSE(image_->files.contains("abort"));
  EXPECT_TRUE(image_->files.contains("checkpoint"));
}

TEST_F(Sample, IsTheSameForTheSameSeedAndCrashedWhenAsked) {
  FaultFs fs(2);
  const SampleStore again = build_sample_store(fs, "/s", {.closed = false});
  EXPECT_EQ(again.queues, store_->queues);
  EXPECT_EQ(again.end, store_->end);
  StoreImage image = StoreImage::read(fs, "/s");
  EXPECT_TRUE(image.files.contains("abort"));
  for (const auto& [path, content] : image_->files) {
    if (path.starts_with("commitlog/")) {
      EXPECT_EQ(image.files.at(path), content) << path;
    }
  }
}

TEST_F(Sample, FieldsCoverEveryFile) {
  for (const auto& [path, content] : image_->files) {
    std::int64_t at = 0;
    for (const Field& field : fields_of(*store_, *image_, path)) {
      ASSERT_EQ(field.from, at) << path << ' ' << field.name;
      at = field.to;
    }
    EXPECT_EQ(at, static_cast<std::int64_t>(content.size())) << path;
  }
}

TEST_F(Sample, EveryDamageChangesTheStoreAndCanBeUndone) {
  FaultFs fs(3);
  image_->write(fs, "/d");
  StoreImage there = *image_;
  std::set<std::string> names;
  for (const NamedDamage& damage : damage_matrix(*store_, *image_)) {
    SCOPED_TRACE(damage.name);
    EXPECT_TRUE(names.insert(damage.name).second);
    StoreImage image = *image_;
    const Damage done = damage.apply(image);
    EXPECT_NE(image, *image_);
    EXPECT_NE(done.what, "");
    image.write(fs, "/d", &there);
    there = image;
    EXPECT_EQ(StoreImage::read(fs, "/d"), image);
  }
  image_->write(fs, "/d");
  EXPECT_EQ(StoreImage::read(fs, "/d"), *image_);
  std::size_t must = 0;
  for (const std::uint64_t seed : seeds(200)) {
    StoreImage image = *image_;
    must += random_damage(*store_, image, seed).must_be_found ? 1 : 0;
    EXPECT_NE(image, *image_);
  }
  EXPECT_GT(must, 100U);
}

}  // namespace
}  // namespace mq::test
