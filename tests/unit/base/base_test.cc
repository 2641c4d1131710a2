// The small things everybody stands on: byte order, hashes, errors.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

namespace mq {
namespace {

TEST(JavaStringHash, EqualsTheVectorsOfTheStoreFormat) {
  EXPECT_EQ(java_string_hash("TagA"), 2598919);
  EXPECT_EQ(java_string_hash("refund"), -934813832);
  EXPECT_EQ(java_string_hash("标签"), 857175);
  EXPECT_EQ(java_string_hash("a\xF0\x9F\x98\x80"), 1866116);
  EXPECT_EQ(java_string_hash("polygenelubricants"), INT32_MIN);
  EXPECT_EQ(java_string_hash("TopicTest#order-1001"), 1043804929);
  EXPECT_EQ(java_string_hash(java_string_hash("TopicTest#"), "order-1001"), 1043804929);
}

TEST(JavaStringHash, MalformedTextCountsAsReplacementCharacters) {
  EXPECT_EQ(java_string_hash("\xFF"), 0xFFFD);
  EXPECT_EQ(java_string_hash("\xE6\xA0"), 0xFFFD);  // a cut sequence is one replacement
  EXPECT_EQ(java_string_hash("\xED\xA0\x80"),
            0xFFFD * 31 * 31 + 0xFFFD * 31 + 0xFFFD);  // a surrogate is three
}

TEST(JavaStringHash, IsTheSameOverAnySplitOfAnyText) {
  const std::string text = "The quick 标签 brown a\xF0\x9F\x98\x80 fox_jumps-over|the%lazy dog 键";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    if (n < text.size() && (text[n] & 0xC0) == 0x80) continue;  // inside a character
    EXPECT_EQ(java_string_hash(java_string_hash(text.substr(0, n)), text.substr(n)),
              java_string_hash(text))
        << n;
  }
  std::uint32_t slow = 0;
  std::string ascii;
  for (char c = 1; c < 127; ++c) {
    ascii += c;
    slow = slow * 31 + static_cast<std::uint32_t>(c);
    EXPECT_EQ(java_string_hash(ascii), static_cast<std::int32_t>(slow));
  }
}

std::uint32_t crc32_by_bits(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

TEST(Crc32, EqualsTheDefinitionAtEveryLengthAndSplit) {
  std::string text;
  for (std::size_t n = 0; n < 700; ++n) {
    ASSERT_EQ(crc32(as_bytes(text)), crc32_by_bits(text)) << n;
    const std::string_view first = std::string_view(text).substr(0, n / 3);
    ASSERT_EQ(crc32(as_bytes(std::string_view(text).substr(n / 3)), crc32(as_bytes(first))),
              crc32_by_bits(text));
    text += static_cast<char>(n * 37 + n / 7);
  }
}

TEST(Crc32, EqualsTheCheckValueAndClearsTheTopBit) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32_masked(as_bytes("123456789")), 0x4BF43926);
  EXPECT_EQ(crc32_masked({}), 0);
}

TEST(BigEndianReader, GoesBadPastTheEndAndStaysBad) {
  const std::array<std::byte, 3> raw{std::byte{1}, std::byte{2}, std::byte{3}};
  BigEndianReader r{raw};
  EXPECT_EQ(r.take<std::int16_t>(), 0x0102);
  EXPECT_EQ(r.take<std::int32_t>(), 0);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.take<std::int8_t>(), 0);
  EXPECT_EQ(BigEndianReader{raw}.take_bytes(-1).size(), 0U);
}

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Errc::kInvalid, "odd"};
  return n / 2;
}
Result<int> quarter(int n) {
  MQ_TRY(const int h, half(n));
  MQ_CHECK(half(h));
  return half(h);
}

TEST(Result, TryReturnsTheErrorToTheCaller) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().to_string(), "kInvalid: odd");
  EXPECT_EQ(Error::from_errno(ENOSPC, "write").code(), Errc::kNoSpace);
  EXPECT_EQ(Error(Errc::kShort).within("file").text(), "file: kShort");
}

}  // namespace
}  // namespace mq
