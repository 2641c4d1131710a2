// The pieces of rebuild and repair that are pure: numbers of a queue, what stands in for lost
// records, flipped bits, times, dispatch rules.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "format/light_queues.h"
#include "format/properties.h"
#include "inspect/rebuild_numbers.h"
#include "inspect/rebuild_rules.h"
#include "inspect/repair_salvage.h"
#include "inspect/repair_scrap.h"
#include "support/seeds.h"

namespace mq::inspect {
namespace {

// --- numbers

// What becomes of records with these numbers, in words: "5" in order, "7+2" after a gap of two,
// "=4" corrected to 4, "!9" a stray, "^0" a restart.
std::string placed(const std::vector<std::int64_t>& numbers, bool at_zero, bool explained = false,
                   std::optional<std::int64_t> known = std::nullopt) {
  using How = QueueNumbering::How;
  std::string out;
  const auto place = [&](const QueueNumbering::Placed& p) {
    out += out.empty() ? "" : " ";
    if (p.how == How::kRestart) out += "^";
    if (p.how == How::kCorrected) out += "=";
    if (p.how == How::kStray) out += "!";
    out += std::to_string(p.number);
    if (p.how == How::kAfterGap) out += "+" + std::to_string(p.missing);
  };
  QueueNumbering numbering(at_zero);
  for (const std::int64_t number : numbers)
    numbering.take(
        number, {}, [&](std::int64_t) { return explained; }, place);
  numbering.finish(known, place);
  return out;
}

TEST(QueueNumbering, GoesUpByOneFromZeroOrFromWhereTheLogBegins) {
  EXPECT_EQ(placed({0, 1, 2}, true), "0 1 2");
  EXPECT_EQ(placed({17, 18, 19}, false), "17 18 19");
}

TEST(QueueNumbering, AGapIsOneWhenTheNextRecordFollowsIt) {
  EXPECT_EQ(placed({0, 1, 5, 6}, true), "0 1 5+3 6");
  EXPECT_EQ(placed({5, 6}, true), "5+5 6");
  EXPECT_EQ(placed({0, 1, 5}, true), "0 1 5+3");
  EXPECT_EQ(placed({0, 1, 5, 6, 9, 10}, true, true), "0 1 5+3 6 9+2 10");
}

TEST(QueueNumbering, OneThatStandsOutIsADamagedNumber) {
  EXPECT_EQ(placed({0, 1, 1026, 3, 4}, true), "0 1 =2 3 4");
  EXPECT_EQ(placed({0, 1, 2, -9, 4}, true), "0 1 2 =3 4");
  EXPECT_EQ(placed({0, 1, 2, 0, 4}, true), "0 1 2 =3 4");
  EXPECT_EQ(placed({8, 9, 0, 11}, false), "8 9 =10 11");
}

TEST(QueueNumbering, OneThatIsTooManyIsAStray) {
  EXPECT_EQ(placed({0, 1, 77, 2, 3}, true), "0 1 !77 2 3");
  EXPECT_EQ(placed({0, 1, 1, 2}, true), "0 1 !1 2");
  EXPECT_EQ(placed({0, 1, 1LL << 60, 9, 2}, true), "0 1 !1152921504606846976 !9 2");
}

TEST(QueueNumbering, ATopicThatWasMadeAgainBeginsAtZeroAgain) {
  EXPECT_EQ(placed({0, 1, 2, 0, 1, 2, 3}, true), "0 1 2 ^0 1 2 3");
  EXPECT_EQ(placed({7, 8, 9, 0}, false), "7 8 9 ^0");
}

TEST(QueueNumbering, NumbersGivenOutTwiceKeepTheirFirstRecord) {
  EXPECT_EQ(placed({0, 1, 2, 3, 4, 3, 4, 5}, true), "0 1 2 3 4 !3 !4 5");
}

TEST(QueueNumbering, TheLastOneIsDecidedByAnOlderQueueOrByOneBit) {
  EXPECT_EQ(placed({0, 1, 2, 3 ^ 16}, true), "0 1 2 =3");
  EXPECT_EQ(placed({0, 1, 2, 3 ^ 16}, true, false, 19), "0 1 2 19+16");
  EXPECT_EQ(placed({0, 1, 2, 100}, true, false, 3), "0 1 2 =3");
  EXPECT_EQ(placed({0, 1, 2, 1LL << 50}, true), "0 1 2 !1125899906842624");
}

// --- what stands in for lost records

TEST(Scrap, CoversAStretchWithRecordsThatAreWhole) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 3000; ++round) {
    Stretch s;
    s.begin = PhysicalOffset(static_cast<std::int64_t>(random() % 1000));
    s.end = s.begin + kStretchBytesMin + 20 + static_cast<std::int64_t>(random() % 900);
    s.to_file_end = random() % 3 == 0;
    s.at_file_start = random() % 3 == 0;
    s.has_crc_property = random() % 2 == 0;
    s.store_timestamp_ms = 1'700'000'000'000;
    const QueueKey a{"a", 1};
    const QueueKey b{random() % 8 == 0 ? std::string(200, 'b') : "bb", 0};
    std::map<QueueKey, std::vector<std::int64_t>> held;
    for (std::int64_t number = 5;; ++number) {
      const QueueKey& queue = random() % 2 == 0 ? a : b;
      if (s.room_for(queue.topic) == 0 || random() % 6 == 0) break;
      s.hold(queue, number);
      held[queue].push_back(number);
    }
    SCOPED_TRACE(testing::Message() << "round " << round << ", " << s.bytes() << " bytes");
    std::string bytes(static_cast<std::size_t>(s.bytes()), '?');
    PhysicalOffset at = s.begin;
    std::map<QueueKey, std::vector<std::int64_t>> found;
    lay_out(s, [&](const Scrap& scrap) {
      ASSERT_EQ(scrap.at, at);
      at += scrap.bytes;
      ASSERT_LE(at, s.end);
      const auto place = static_cast<std::size_t>(scrap.at - s.begin);
      if (scrap.kind == Scrap::Kind::kBlank) {
        EXPECT_TRUE(s.to_file_end);
        EXPECT_GE(scrap.bytes, 8);
        EXPECT_EQ(at, s.end);
        return;
      }
      std::string made;
      if (scrap.kind == Scrap::Kind::kHeld) {
        made = held_record(s, scrap);
      } else {
        const std::string body(scrap_body_bytes(s, scrap), 'x');
        const ScrapEnds ends = scrap_ends(s, scrap, as_bytes(body));
        made = ends.head + body + ends.tail;
      }
      ASSERT_EQ(static_cast<std::int64_t>(made.size()), scrap.bytes);
      bytes.replace(place, made.size(), made);
      const auto record = format::decode_record(as_bytes(made), format::CheckBody::kCrc);
      ASSERT_TRUE(record) << record.error();
      EXPECT_EQ(record->physical_offset, scrap.at);
      EXPECT_EQ(record->store_timestamp_ms, s.store_timestamp_ms);
      if (s.has_crc_property) {
        const auto digits = format::find_property(record->properties, "__CRC32#");
        ASSERT_TRUE(digits);
        std::string value(digits->rbegin(), digits->rend());
        EXPECT_EQ(std::stoll(value), crc32(as_bytes(made).first(made.size() - 20)) & 0x7FFFFFFFU);
      }
      if (scrap.kind == Scrap::Kind::kHeld) {
        EXPECT_EQ(record->transaction_type(), format::kTransactionNone);
        EXPECT_TRUE(record->is_batch() || record->body.empty());
        found[{std::string(record->topic), record->queue_id}].push_back(
            record->queue_offset.value());
      } else {
        EXPECT_EQ(record->transaction_type(), format::kTransactionRollback);
        EXPECT_NE(record->topic, "");
      }
    });
    EXPECT_EQ(at, s.end);
    EXPECT_EQ(found, held);
  }
}

TEST(Scrap, OfALargeStretchComesInPiecesThatABrokerWouldTake) {
  Stretch s;
  s.end = PhysicalOffset((8 << 20) + 40);
  PhysicalOffset at{};
  lay_out(s, [&](const Scrap& scrap) {
    EXPECT_EQ(scrap.at, at);
    EXPECT_LE(scrap.bytes, 4 << 20);
    EXPECT_GE(scrap.bytes, kStretchBytesMin);
    at += scrap.bytes;
  });
  EXPECT_EQ(at, s.end);
}

// --- flipped bits

std::string some_record(PhysicalOffset at) {
  format::Record record;
  record.topic = "orders";
  record.properties = "KEYS\x01k1\x02TAGS\x01paid\x02";
  record.body = as_bytes("a body that has its CRC");
  record.physical_offset = at;
  record.queue_id = 3;
  record.queue_offset = QueueOffset(41);
  record.store_timestamp_ms = record.born_timestamp_ms = 1'700'000'000'000;
  record.store_host = *format::parse_host("[fe80::2]:10911");
  std::string out(format::record_bytes(record), '\0');
  format::encode_record(record, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(Salvage, UndoesOneFlippedBitWhereItHoldsTheRecordTogether) {
  const PhysicalOffset at(4096);
  const std::string whole = some_record(at);
  const auto any = [](const format::Record&, std::size_t) { return true; };
  std::size_t saved = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto record = format::decode_record(as_bytes(bytes), format::CheckBody::kCrc);
    if (record && record->physical_offset == at) continue;  // nothing vouches for that bit
    const Salvaged salvaged = salvage_record(as_bytes(bytes), at, any);
    if (salvaged.bytes.empty()) continue;
    // The two hosts may change places: both bits of sysFlag give the same length.
    if (salvaged.bytes != whole) {
      EXPECT_EQ(salvaged.byte, 39U);
    }
    ++saved;
  }
  EXPECT_GT(saved, 150U);
  EXPECT_TRUE(salvage_record(as_bytes(whole), PhysicalOffset(8192), any).bytes.empty());
  std::string noise = whole;
  noise[1] = noise[2] = noise[5] = 'x';
  EXPECT_TRUE(salvage_record(as_bytes(noise), at, any).bytes.empty());
}

TEST(Salvage, MovesARecordToWhereItBelongs) {
  const std::string whole = some_record(PhysicalOffset(0));
  const auto record = format::decode_record(as_bytes(whole), format::CheckBody::kCrc);
  ASSERT_TRUE(record);
  EXPECT_EQ(bits_off(*record, "orders", 3, 41), 0);
  EXPECT_EQ(bits_off(*record, "orderr", 3, 41), 1);
  EXPECT_EQ(bits_off(*record, "orders", 2, 43), 2);
  EXPECT_EQ(bits_off(*record, "order", 3, 41), 1000);
  const std::string moved = moved_record(as_bytes(whole), *record, "orderr", 2, 43);
  const auto after = format::decode_record(as_bytes(moved), format::CheckBody::kCrc);
  ASSERT_TRUE(after) << after.error();
  EXPECT_EQ(after->topic, "orderr");
  EXPECT_EQ(after->queue_id, 2);
  EXPECT_EQ(after->queue_offset.value(), 43);
  const auto timed = retimed_record(as_bytes(whole), *record, 5);
  EXPECT_EQ(format::decode_record(as_bytes(timed), format::CheckBody::kCrc)->store_timestamp_ms, 5);
}

// --- times

std::string odd_times(const std::vector<std::int64_t>& times,
                      std::int64_t now = 2'000'000'000'000) {
  TimeOrder order;
  std::string out;
  const auto tell = [&](const std::optional<TimeOrder::Odd>& odd) {
    if (odd) out += std::to_string(odd->at.value()) + ":" + std::to_string(odd->better_ms) + " ";
  };
  for (std::size_t i = 0; i < times.size(); ++i)
    tell(order.take(PhysicalOffset(static_cast<std::int64_t>(i)), times[i]));
  tell(order.finish(now));
  return out;
}

TEST(TimeOrder, ATimeThatStandsOutAloneByOneBitIsDamaged) {
  constexpr std::int64_t t = 1'700'000'000'000;
  EXPECT_EQ(odd_times({t, t + 5, t + 9}), "");
  EXPECT_EQ(odd_times({t, (t + 5) ^ (1LL << 50), t + 9}), "1:1700000000005 ");
  EXPECT_EQ(odd_times({t, (t + 5) ^ (1LL << 63), t + 9}), "1:1700000000005 ");
  EXPECT_EQ(odd_times({t, t + 5, (t + 9) ^ (1LL << 50)}), "2:1700000000009 ");
  EXPECT_EQ(odd_times({t ^ (1LL << 45), t + 5, t + 9}), "0:1700000000000 ");
}

TEST(TimeOrder, AClockThatIsSetBackOrStandsStillIsNone) {
  constexpr std::int64_t t = 1'700'000'000'000;
  EXPECT_EQ(odd_times({t, t, t}), "");
  EXPECT_EQ(odd_times({t, t + 600'000, t + 10'000, t + 11'000}), "");
  EXPECT_EQ(odd_times({t, t + 100'000, t + 40'000, t + 41'000, t + 42'000}), "");
  EXPECT_EQ(odd_times({t, t + 90LL * 86'400'000, t + 91LL * 86'400'000}), "");
}

// --- dispatch rules

Dispatched dispatched(std::string_view topic, const std::string& properties,
                      std::int32_t flags = 0) {
  static std::string kept;
  kept = properties;
  format::Record record;
  record.topic = topic;
  record.properties = kept;
  record.sys_flag = flags;
  record.store_timestamp_ms = 1'000'000;
  return DispatchRules().of(record);
}
std::string pair(std::string_view name, std::string_view value) {
  std::string out;
  format::append_property(out, name, value);
  return out;
}

TEST(DispatchRules, TagCodeIsTheHashOrTheTimeWhenADelayedMessageIsDue) {
  EXPECT_EQ(dispatched("T", pair("TAGS", "TagA")).tag_code, 2598919);
  EXPECT_EQ(dispatched("T", "").tag_code, 0);
  EXPECT_EQ(dispatched("SCHEDULE_TOPIC_XXXX", pair("TAGS", "TagA") + pair("DELAY", "3")).tag_code,
            1'000'000 + 10'000);
  EXPECT_EQ(dispatched("SCHEDULE_TOPIC_XXXX", pair("DELAY", "99")).tag_code, 1'000'000 + 7'200'000);
  EXPECT_EQ(dispatched("SCHEDULE_TOPIC_XXXX", pair("TAGS", "TagA") + pair("DELAY", "0")).tag_code,
            2598919);
  EXPECT_EQ(dispatched("T", pair("TAGS", "TagA") + pair("DELAY", "3")).tag_code, 2598919);
}

TEST(DispatchRules, TransactionTypesDecideAboutQueueAndIndex) {
  EXPECT_TRUE(dispatched("T", "", format::kTransactionNone).has_entry);
  EXPECT_TRUE(dispatched("T", "", format::kTransactionCommit).has_entry);
  EXPECT_FALSE(dispatched("T", "", format::kTransactionPrepared).has_entry);
  EXPECT_FALSE(dispatched("T", "", format::kTransactionRollback).has_entry);
  EXPECT_TRUE(dispatched("T", "", format::kTransactionPrepared).has_keys);
  EXPECT_FALSE(dispatched("T", "", format::kTransactionRollback).has_keys);
}

TEST(DispatchRules, NumbersThatTheReferenceCannotParseMakeARecordADamagedOne) {
  EXPECT_TRUE(dispatched("SCHEDULE_TOPIC_XXXX", pair("DELAY", "s")).is_refused);
  EXPECT_TRUE(dispatched("SCHEDULE_TOPIC_XXXX", pair("DELAY", "99999999999")).is_refused);
  EXPECT_FALSE(dispatched("T", pair("DELAY", "s")).is_refused);
  EXPECT_TRUE(dispatched("T", pair("INNER_NUM", "x") + pair("INNER_BASE", "1")).is_refused);
  EXPECT_FALSE(dispatched("T", pair("INNER_NUM", "x")).is_refused);
  EXPECT_EQ(dispatched("T", pair("INNER_NUM", "4") + pair("INNER_BASE", "9")).batch_base, 9);
}

TEST(DispatchRules, FurtherQueuesAreThoseWithANumber) {
  const auto d = dispatched("T", pair("INNER_MULTI_DISPATCH", "%LMQ%a,%LMQ%b/c,x,%LMQ%d") +
                                     pair("INNER_MULTI_QUEUE_OFFSET", "5,6,,7"));
  std::vector<std::pair<std::string, std::int64_t>> queues;
  format::for_each_light_queue(
      d.light_queues, d.light_offsets,
      [&](std::string_view name, std::int64_t number) { queues.emplace_back(name, number); });
  EXPECT_THAT(queues, testing::ElementsAre(std::pair("%LMQ%a", 5), std::pair("%LMQ%d", 7)));
}

}  // namespace
}  // namespace mq::inspect
