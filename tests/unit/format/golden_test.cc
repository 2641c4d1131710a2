// Stores that the reference wrote: every record, queue entry and index entry in them is decoded,
// encoded to the same bytes, and compared with what the reference serves.
#include <filesystem>
#include <fstream>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "format/checkpoint.h"
#include "format/consume_queue_entry.h"
#include "format/index_file.h"
#include "format/message_id.h"
#include "format/names.h"
#include "format/properties.h"
#include "format/record.h"
#include "support/golden_store.h"
#include "support/hex.h"

namespace mq::format {
namespace {

using mq::test::files_below;
using mq::test::GoldenStore;

class Golden : public testing::TestWithParam<const char*> {
 protected:
  Golden() : store_(GoldenStore::unpack(GetParam())) {
    for (const json::value& message : store_.list("messages"))
      messages_[int_or(member(message, "physicalOffset"), -1)] = &message;
    read_log();
  }

  // The valid bytes of the log by file start; the rest of the newest file is left on disk.
  void read_log() {
    const std::int64_t end = store_.total("commitLogEnd");
    for (const std::string& path : files_below(store_.path() + "/commitlog")) {
      const auto start = parse_stream_file_name(std::string_view(path).substr(path.size() - 20));
      ASSERT_TRUE(start) << path;
      const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path));
      std::string& bytes = log_[*start];
      bytes.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(end - *start, 0, size)));
      std::ifstream(path, std::ios::binary)
          .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
  }

  [[nodiscard]] Bytes log_at(PhysicalOffset offset) const {
    auto file = log_.upper_bound(offset.value());
    if (file == log_.begin()) return {};
    --file;
    const auto at = static_cast<std::size_t>(offset.value() - file->first);
    return at < file->second.size() ? as_bytes(file->second).subspan(at) : Bytes{};
  }

  // Calls visit(position, record) for each record of the log.
  template <typename Visit>
  void for_each_record(Visit&& visit) const {
    for (const auto& [start, text] : log_) {
      const Bytes file = as_bytes(text);
      for (std::size_t at = 0; at < file.size();) {
        if (record_kind(file.subspan(at)) == RecordKind::kBlank) break;
        const auto record = decode_record(file.subspan(at), CheckBody::kCrc);
        ASSERT_TRUE(record) << start + static_cast<std::int64_t>(at) << ": " << record.error();
        visit(PhysicalOffset(start + static_cast<std::int64_t>(at)), *record);
        at += static_cast<std::size_t>(record->total_bytes);
      }
    }
  }

  GoldenStore store_;
  std::map<std::int64_t, const json::value*> messages_;
  std::map<std::int64_t, std::string> log_;
};

void expect_equal(const Record& record, const json::value& message) {
  const auto number = [&](std::string_view name) { return int_or(member(message, name), -12345); };
  const auto text = [&](std::string_view name) { return string_or(member(message, name), ""); };
  EXPECT_EQ(record.topic, text("topic"));
  EXPECT_EQ(record.queue_id, number("queueId"));
  EXPECT_EQ(record.queue_offset.value(), number("queueOffset"));
  EXPECT_EQ(record.total_bytes, number("storeSize"));
  EXPECT_EQ(record.born_timestamp_ms, number("bornTimestamp"));
  EXPECT_EQ(record.store_timestamp_ms, number("storeTimestamp"));
  EXPECT_EQ(record.sys_flag, number("sysFlag"));
  EXPECT_EQ(record.flag, number("flag"));
  EXPECT_EQ(record.body_crc, number("bodyCRC"));
  EXPECT_EQ(record.reconsume_times, number("reconsumeTimes"));
  EXPECT_EQ(record.prepared_transaction_offset.value(), number("preparedTransactionOffset"));
  EXPECT_EQ(static_cast<std::int64_t>(record.body.size()), number("storedBodyLength"));
  EXPECT_EQ(offset_message_id(record.store_host, record.physical_offset), text("offsetMsgId"));
  EXPECT_EQ(record.born_host, *parse_host(text("bornHost")));
  EXPECT_EQ(record.store_host, *parse_host(text("storeHost")));
  EXPECT_EQ(find_property(record.properties, kTags).value_or(""), text("tags"));
  EXPECT_EQ(find_property(record.properties, kKeys).value_or(""), text("keys"));
  json::object properties;
  for (const Property& p : parse_properties(record.properties))
    properties[json::string_view(p.name.data(), p.name.size())] =
        json::string_view(p.value.data(), p.value.size());
  EXPECT_EQ(properties, *member(message, "properties"));
}

TEST_P(Golden, EveryRecordIsWhatTheReferenceServesAndIsEncodedTheSame) {
  std::size_t served = 0;
  for_each_record([&](PhysicalOffset at, const Record& record) {
    SCOPED_TRACE(at.value());
    EXPECT_EQ(record.physical_offset, at);
    const Bytes raw = log_at(at).first(static_cast<std::size_t>(record.total_bytes));
    std::vector<std::byte> again(record_bytes(record));
    ASSERT_TRUE(check_encodable(record));
    encode_record(record, again);
    EXPECT_TRUE(std::ranges::equal(again, raw));
    EXPECT_EQ(*peek_store_timestamp(raw), record.store_timestamp_ms);
    const auto message = messages_.find(at.value());
    if (message == messages_.end()) return;
    ++served;
    EXPECT_EQ(mq::test::sha256_hex(raw), string_or(member(*message->second, "recordSha256"), ""));
    EXPECT_EQ(mq::test::sha256_hex(record.body),
              string_or(member(*message->second, "storedBodySha256"), ""));
    expect_equal(record, *message->second);
  });
  EXPECT_EQ(served, messages_.size());
}

TEST_P(Golden, EveryQueueEntryPointsAtItsRecord) {
  std::size_t checked = 0;
  for (const std::string& path : files_below(store_.path() + "/consumequeue")) {
    const std::string text = mq::test::read_file(path);
    const bool delayed = path.find("/SCHEDULE_TOPIC_XXXX/") != std::string::npos;
    for (std::size_t at = 0; at + 20 <= text.size(); at += 20) {
      const Bytes raw = as_bytes(text).subspan(at, 20);
      const auto entry = decode_consume_queue_entry(raw);
      if (!entry && entry.error().code() == Errc::kNotFound) break;
      ASSERT_TRUE(entry) << path << " at " << at << ": " << entry.error();
      std::array<std::byte, ConsumeQueueEntry::kEncodedBytes> again{};
      encode(*entry, again);
      EXPECT_TRUE(std::ranges::equal(again, raw));
      const Bytes record_at = log_at(entry->commitlog_offset);
      if (record_at.empty()) continue;  // its record was removed with an old file
      const auto record = decode_record(record_at, CheckBody::kNo);
      ASSERT_TRUE(record) << path << " at " << at << ": " << record.error();
      EXPECT_EQ(record->total_bytes, entry->record_bytes);
      if (delayed) {
        EXPECT_GT(entry->tag_code, record->store_timestamp_ms);
      } else {
        EXPECT_EQ(tag_code(record->properties), entry->tag_code);
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 100U);
}

bool has_key(const Record& record, std::int32_t hash) {
  if (const auto unique = find_property(record.properties, kUniqKey);
      unique && index_key_hash(record.topic, *unique) == hash)
    return true;
  std::string_view keys = find_property(record.properties, kKeys).value_or("");
  while (!keys.empty()) {
    const std::size_t end = std::min(keys.find(' '), keys.size());
    if (index_key_hash(record.topic, keys.substr(0, end)) == hash) return true;
    keys.remove_prefix(std::min(end + 1, keys.size()));
  }
  return false;
}

TEST_P(Golden, EveryIndexEntryIsAKeyOfItsRecord) {
  const IndexShape shape{static_cast<std::int32_t>(store_.conf("maxHashSlotNum", 5'000'000)),
                         static_cast<std::int32_t>(store_.conf("maxIndexNum", 20'000'000))};
  std::size_t checked = 0;
  for (const std::string& path : files_below(store_.path() + "/index")) {
    EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(path)), shape.file_bytes());
    std::ifstream file(path, std::ios::binary);
    std::array<std::byte, IndexHeader::kEncodedBytes> raw_header{};
    file.read(reinterpret_cast<char*>(raw_header.data()), raw_header.size());
    const auto header = decode_index_header(raw_header);
    ASSERT_TRUE(header) << header.error();
    std::array<std::byte, IndexHeader::kEncodedBytes> header_again{};
    encode(*header, header_again);
    EXPECT_EQ(header_again, raw_header);
    file.seekg(shape.entry_at(1));
    for (std::int32_t i = 1; i < header->index_count; ++i) {
      std::array<std::byte, IndexEntry::kEncodedBytes> raw{};
      file.read(reinterpret_cast<char*>(raw.data()), raw.size());
      const auto entry = decode_index_entry(raw);
      ASSERT_TRUE(entry) << path << ' ' << i << ": " << entry.error();
      std::array<std::byte, IndexEntry::kEncodedBytes> again{};
      encode(*entry, again);
      EXPECT_EQ(again, raw);
      EXPECT_LT(entry->previous, i);
      const Bytes record_at = log_at(entry->commitlog_offset);
      if (record_at.empty()) continue;
      const auto record = decode_record(record_at, CheckBody::kNo);
      ASSERT_TRUE(record) << record.error();
      EXPECT_TRUE(has_key(*record, entry->key_hash)) << path << ' ' << i;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100U);
}

TEST_P(Golden, TheCheckpointDecodesAndIsEncodedTheSame) {
  const std::string raw = mq::test::read_file(store_.path() + "/checkpoint");
  const auto checkpoint = decode_checkpoint(as_bytes(raw));
  ASSERT_TRUE(checkpoint) << checkpoint.error();
  std::array<std::byte, Checkpoint::kEncodedBytes> again{};
  encode(*checkpoint, again);
  EXPECT_EQ(as_text(again), raw);
}

INSTANTIATE_TEST_SUITE_P(Stores, Golden,
                         testing::Values("basic", "crash", "rolled", "features", "defaults"),
                         [](const auto& name) { return std::string(name.param); });

TEST(GoldenStore, DamagedStoresAreMadeAndRemoved) {
  std::string path;
  {
    const GoldenStore torn = GoldenStore::unpack_torn("last-page");
    path = torn.path();
    EXPECT_TRUE(std::filesystem::exists(path + "/commitlog"));
    EXPECT_EQ(torn.conf("mappedFileSizeCommitLog", 0), 262144);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace mq::format
