// Index files of any shape and filling tell their shape (spec: store-format.md 5, trap 9).
#include "format/index_shape.h"

#include <random>

#include <gtest/gtest.h>

namespace mq::format {
namespace {

struct TestFile {
  IndexShape shape;
  IndexHeader header;
  std::vector<std::byte> bytes;

  TestFile(IndexShape of, std::int32_t used, std::mt19937& random)
      : shape(of), bytes(static_cast<std::size_t>(of.file_bytes())) {
    for (std::int32_t i = 1; i <= used; ++i) add(i, static_cast<std::int32_t>(random() >> 1));
    header.index_count = used + 1;
    header.begin_offset = PhysicalOffset(0);
    header.end_offset = PhysicalOffset(used * 200);
    encode(header, std::span(bytes).first<40>());
  }

  void add(std::int32_t number, std::int32_t hash) {
    std::byte* slot = bytes.data() + shape.slot_at(hash % shape.slots);
    const auto previous = load_be<std::int32_t>(slot);
    if (previous == 0) ++header.slot_count;
    put(number, {hash, PhysicalOffset(number * 200), number / 10, previous});
    store_be(slot, number);
  }

  void put(std::int32_t number, const IndexEntry& entry) {
    encode(entry, std::span(bytes)
                      .subspan(static_cast<std::size_t>(shape.entry_at(number)))
                      .first<IndexEntry::kEncodedBytes>());
  }
};

IndexShape random_shape(std::mt19937& random) {
  return {.slots = static_cast<std::int32_t>(1 + random() % 400),
          .entries = static_cast<std::int32_t>(2 + random() % 400)};
}

std::string text(const IndexShape& shape) {
  return std::to_string(shape.slots) + " slots, " + std::to_string(shape.entries) + " entries";
}

TEST(IndexShape, IsFoundFromAnyNumberOfEntries) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    const IndexShape shape = random_shape(random);
    const auto used =
        static_cast<std::int32_t>(1 + random() % static_cast<unsigned>(shape.entries - 1));
    const TestFile file(shape, used, random);
    const IndexShape found = guess_index_shape(file.bytes, file.header);
    ASSERT_EQ(found, shape) << "round " << round << ": " << used << " of " << text(shape)
                            << ", found " << text(found);
  }
}

TEST(IndexShape, IsFoundThoughSomeEntriesAndSlotsAreDamaged) {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    const IndexShape shape{.slots = static_cast<std::int32_t>(100 + random() % 400),
                           .entries = static_cast<std::int32_t>(100 + random() % 400)};
    TestFile file(shape, static_cast<std::int32_t>(60 + random() % 40), random);
    for (int i = 0; i < 2; ++i) {
      file.put(static_cast<std::int32_t>(1 + random() % 50),
               {static_cast<std::int32_t>(random() >> 1), PhysicalOffset(1), 1, 40});
    }
    store_be(file.bytes.data() + shape.slot_at(static_cast<std::int32_t>(
                                     random() % static_cast<unsigned>(shape.slots))),
             static_cast<std::int32_t>(random()));
    const IndexShape found = guess_index_shape(file.bytes, file.header);
    ASSERT_EQ(found, shape) << "round " << round << ": " << text(shape) << ", found "
                            << text(found);
  }
}

TEST(IndexShape, DoesNotNeedTheHeaderWhenThereAreTwentyEntries) {
  std::mt19937 random(13);
  for (int round = 0; round < 2000; ++round) {
    const IndexShape shape{.slots = static_cast<std::int32_t>(1 + random() % 400),
                           .entries = static_cast<std::int32_t>(40 + random() % 400)};
    const TestFile file(shape, static_cast<std::int32_t>(25 + random() % 14), random);
    const IndexShape found = guess_index_shape(file.bytes, {});
    ASSERT_EQ(found, shape) << "round " << round << ": " << text(shape) << ", found "
                            << text(found);
  }
}

TEST(IndexShape, BelievesTheChainsRatherThanTheCountOfSlots) {
  std::mt19937 random(17);
  TestFile file({.slots = 100, .entries = 200}, 150, random);
  file.header.slot_count = 150;  // as some brokers of 4.x count
  EXPECT_EQ(guess_index_shape(file.bytes, file.header), file.shape);
}

TEST(IndexShape, OfRandomBytesIsNone) {
  std::mt19937 random(19);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> bytes(40 + 4 * (random() % 4000));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    const IndexHeader header{.slot_count = 20, .index_count = 60};
    EXPECT_EQ(guess_index_shape(bytes, header).slots, 0) << round;
  }
  EXPECT_EQ(guess_index_shape({}, {}).slots, 0);
  const std::vector<std::byte> header_only(40);
  EXPECT_EQ(guess_index_shape(header_only, IndexHeader{}).slots, 0);
}

}  // namespace
}  // namespace mq::format
