// The timer's files of the golden store: everything in them is understood and comes out byte for
// byte as it went in.
#include <map>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "format/state_files.h"
#include "format/timer_files.h"
#include "support/golden_store.h"
#include "support/hex.h"

namespace mq::format {
namespace {

using mq::test::GoldenStore;
using mq::test::read_file;
using mq::test::to_hex;

template <typename Value>
std::string encoded(const Value& value) {
  std::array<std::byte, Value::kEncodedBytes> out{};
  encode(value, out);
  return to_hex(out);
}

TEST(TimerFiles, OfTheGoldenStoreComeOutAsTheyWentIn) {
  const auto golden = GoldenStore::unpack("features");
  const std::string log = read_file(golden.path() + "/timerlog/00000000000000000000");
  std::map<std::int64_t, std::int64_t> newest;  // by slot time
  int units = 0;
  for (std::size_t at = 0; at + 52 <= log.size(); at += 52, ++units) {
    const auto raw = as_bytes(std::string_view(log).substr(at, 52));
    const auto unit = decode_timer_unit(raw);
    if (!unit) break;
    EXPECT_EQ(encoded(*unit), to_hex(raw));
    EXPECT_EQ(unit->topic_hash, java_string_hash("GoldenFeatTimer"));
    const auto before = newest.find(unit->due_ms());
    EXPECT_EQ(unit->previous, before == newest.end() ? -1 : before->second);
    newest[unit->due_ms()] = static_cast<std::int64_t>(at);
  }
  EXPECT_EQ(units, 12);

  const std::string wheel = read_file(golden.path() + "/timerwheel");
  ASSERT_EQ(wheel.size(), static_cast<std::size_t>(TimerSlot::kFileBytes));
  for (const auto& [due_ms, last] : newest) {
    const auto index = static_cast<std::size_t>(due_ms / 1000 % TimerSlot::kCount);
    const auto raw = as_bytes(std::string_view(wheel).substr(index * 32, 32));
    const auto slot = decode_timer_slot(raw);
    ASSERT_TRUE(slot) << slot.error();
    EXPECT_FALSE(slot->is_empty());
    EXPECT_EQ(slot->time, due_ms / 1000);
    EXPECT_EQ(slot->last, last);
    EXPECT_EQ(encoded(*slot), to_hex(raw));
  }
  const std::string check = read_file(golden.path() + "/config/timercheck");
  const auto decoded = decode_timer_checkpoint(as_bytes(check));
  ASSERT_TRUE(decoded) << decoded.error();
  EXPECT_EQ(encoded(*decoded), to_hex(as_bytes(check)));
  const std::string metrics = read_file(golden.path() + "/config/timermetrics");
  const auto parsed = parse_timer_metrics_json(metrics);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->topics.at("GoldenFeatTimer").count, 7);
  EXPECT_EQ(to_timer_metrics_json(*parsed), metrics);
}

TEST(TimerFiles, AFileOfTheDefaultSizeEndsWhereTheReferenceEndsIt) {
  EXPECT_TRUE(timer_unit_fits(104'857'600, 104'857'532));
  EXPECT_FALSE(timer_unit_fits(104'857'600, 104'857'584));
  std::array<std::byte, TimerUnit::kBlankBytes> mark{};
  encode_timer_blank(16, mark);
  EXPECT_EQ(to_hex(mark), "000000100000000000000000cbd43194");
  EXPECT_TRUE(is_timer_blank(mark));
}

TEST(TimerFiles, ASlotWithoutAChainIsEmpty) {
  EXPECT_TRUE(TimerSlot{}.is_empty());
  EXPECT_TRUE((TimerSlot{5, -1, -1, 0, 0}).is_empty());
  EXPECT_TRUE((TimerSlot{5, 52, 0, 1, 0}).is_empty()) << "ends before it begins";
  EXPECT_FALSE((TimerSlot{5, 0, 0, 1, 0}).is_empty());
}

TEST(TimerMetrics, WithoutCountsAreEmptyAndDamageIsTold) {
  EXPECT_TRUE(parse_timer_metrics_json("{}")->topics.empty());
  EXPECT_EQ(parse_timer_metrics_json("{\"timingCount\":[]}").error().code(), Errc::kCorrupt);
}

}  // namespace
}  // namespace mq::format
