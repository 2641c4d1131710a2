// Goal: what is built from the log alone is what the reference built while it wrote the log.
// Method: every golden store; queues byte for byte, the index by the answers in the manifest.
//
// Where the two differ, and why that is right: (1) entries of records that retention has taken from
// the log are fillers in a rebuilt queue, and files with nothing else are not there; (2) after a
// crash the reference's queues end before the log, and the rebuilt ones do not.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "format/names.h"
#include "inspect/rebuild.h"
#include "inspect/store_files.h"
#include "support/golden_store.h"

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;
using mq::test::GoldenStore;
using mq::test::TempDir;

constexpr std::int64_t kNowMs = 1'900'000'000'000;
constexpr std::size_t kEntryBytes = ConsumeQueueEntry::kEncodedBytes;

class RebuildGolden : public testing::TestWithParam<const char*> {
 protected:
  RebuildGolden() : store_(GoldenStore::unpack(GetParam())) {}

  RebuildReport build(RebuildOptions options = {}) {
    const auto shape = find_shape(fs::posix(), store_.path());
    EXPECT_TRUE(shape) << shape.error();
    EXPECT_TRUE(shape->assumed.empty());
    options.shape = *shape;
    options.now_ms = kNowMs;
    auto report = rebuild(fs::posix(), store_.path(), out(), options);
    EXPECT_TRUE(report) << report.error();
    return *report;
  }
  [[nodiscard]] std::string out() const { return dir_.path() + "/out"; }

  GoldenStore store_;
  TempDir dir_;
};

// One queue's files put behind each other, each at its place.
std::map<std::int64_t, std::string> entries_of(const QueueDirectory& queue) {
  std::map<std::int64_t, std::string> out;
  for (const QueueFile& file : queue.files) {
    const std::string bytes = mq::test::read_file(file.path);
    for (std::size_t at = 0; at + kEntryBytes <= bytes.size(); at += kEntryBytes) {
      out[(file.start + static_cast<std::int64_t>(at)) / static_cast<std::int64_t>(kEntryBytes)] =
          bytes.substr(at, kEntryBytes);
    }
  }
  return out;
}

TEST_P(RebuildGolden, QueuesAreThoseOfTheReferenceByteForByte) {
  const RebuildReport report = build({.index = false});
  EXPECT_TRUE(report.damage.empty());
  EXPECT_TRUE(report.odd.empty()) << report.odd[0];
  const bool crashed = std::string_view(GetParam()) == "crash";
  const auto theirs = list_queues(fs::posix(), store_.path());
  const auto ours = list_queues(fs::posix(), out());
  ASSERT_TRUE(theirs && ours);
  ASSERT_EQ(theirs->size(), ours->size());
  std::int64_t fillers = 0;
  std::int64_t ahead = 0;
  for (std::size_t q = 0; q < ours->size(); ++q) {
    const QueueDirectory& want = (*theirs)[q];
    const QueueDirectory& got = (*ours)[q];
    SCOPED_TRACE(want.topic + "/" + std::to_string(want.queue));
    ASSERT_EQ(want.topic, got.topic);
    ASSERT_EQ(want.queue, got.queue);
    EXPECT_EQ(want.files.back().start, got.files.back().start);
    EXPECT_EQ(want.files.back().bytes, got.files.back().bytes);
    const auto reference = entries_of(want);
    for (const auto& [number, bytes] : entries_of(got)) {
      const auto found = reference.find(number);
      ASSERT_NE(found, reference.end()) << number;
      if (found->second == bytes) continue;
      const auto mine = format::decode_consume_queue_entry(as_bytes(bytes));
      const auto other = format::decode_consume_queue_entry(as_bytes(found->second));
      if (mine && mine->is_filler() && other && other->commitlog_offset < report.begin) {
        ++fillers;
      } else if (crashed && mine && !other && other.error().code() == Errc::kNotFound) {
        ++ahead;
      } else {
        ADD_FAILURE() << "entry " << number;
      }
    }
  }
  EXPECT_EQ(ahead, crashed ? 180 : 0);
  EXPECT_EQ(fillers > 0, std::string_view(GetParam()) == "rolled");
  const auto range = [&](const json::value& q) {
    return std::find_if(report.queues.begin(), report.queues.end(), [&](const auto& r) {
      return r.queue == QueueKey{string_or(member(q, "topic"), ""),
                                 static_cast<QueueId>(int_or(member(q, "queueId"), -1))};
    });
  };
  for (const json::value& q : store_.list("queues")) {
    const auto found = range(q);
    if (found == report.queues.end()) continue;
    EXPECT_EQ(found->first, int_or(member(q, "minOffset"), -1));
    EXPECT_EQ(found->end, int_or(member(q, "maxOffset"), -1));
  }
}

TEST_P(RebuildGolden, OneTopicIsBuiltAlone) {
  const QueueDirectory first = list_queues(fs::posix(), store_.path())->at(0);
  build({.index = false, .topic = first.topic});
  const auto ours = list_queues(fs::posix(), out());
  ASSERT_TRUE(ours);
  ASSERT_FALSE(ours->empty());
  for (const QueueDirectory& queue : *ours) EXPECT_EQ(queue.topic, first.topic);
  EXPECT_FALSE(fs::posix().exists(out() + "/index"));
}

// The query of store-format.md 5, over the rebuilt files.
class Query {
 public:
  explicit Query(const std::string& store) {
    const auto files = list_index(fs::posix(), store);
    EXPECT_TRUE(files) << files.error();
    for (const IndexInfo& file : *files) {
      EXPECT_EQ(file.damage, "");
      files_.push_back({file, mq::test::read_file(file.path)});
    }
  }
  [[nodiscard]] const std::vector<std::pair<IndexInfo, std::string>>& files() const {
    return files_;
  }
  std::vector<std::int64_t> ask(std::string_view topic, std::string_view key, std::size_t max,
                                std::int64_t begin, std::int64_t end) const {
    std::vector<std::int64_t> out;
    const std::int32_t hash = format::index_key_hash(topic, key);
    for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
      const format::IndexHeader& h = file->first.header;
      const format::IndexShape& shape = file->first.shape;
      const Bytes bytes = as_bytes(file->second);
      if (h.begin_timestamp_ms <= end && h.end_timestamp_ms >= begin) {
        auto number = load_be<std::int32_t>(bytes.data() + shape.slot_at(hash % shape.slots));
        while (number > 0 && number < h.index_count && out.size() < max) {
          const auto e = format::decode_index_entry(
              bytes.subspan(static_cast<std::size_t>(shape.entry_at(number)), 20));
          EXPECT_TRUE(e) << e.error();
          if (!e) break;
          const std::int64_t time = h.begin_timestamp_ms + 1000LL * e->seconds;
          if (e->key_hash == hash && time >= begin && time <= end)
            out.push_back(e->commitlog_offset.value());
          if (e->previous >= number || time < begin) break;
          number = e->previous;
        }
      }
      if (h.begin_timestamp_ms < begin || out.size() >= max) break;
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::vector<std::pair<IndexInfo, std::string>> files_;
};

TEST_P(RebuildGolden, TheIndexAnswersAsTheReferenceDoes) {
  const RebuildReport report = build({.queues = false});
  const Query query(out());
  EXPECT_EQ(static_cast<std::int64_t>(query.files().size()), report.index_files);
  std::string before;
  for (const auto& [info, bytes] : query.files()) {
    EXPECT_EQ(info.shape.slots, store_.conf("maxHashSlotNum", 5'000'000));
    const std::string name = info.path.substr(info.path.rfind('/') + 1);
    EXPECT_EQ(name.size(), 17U);
    EXPECT_GT(name, before);
    before = name;
  }
  std::size_t checked = 0;
  for (const json::value& look : store_.list("byKey")) {
    const std::string topic(string_or(member(look, "topic"), ""));
    const std::string key(string_or(member(look, "key"), ""));
    SCOPED_TRACE(topic + "#" + key);
    std::vector<std::int64_t> want;
    for (const json::value& offset : member(look, "physicalOffsets")->get_array())
      want.push_back(offset.to_number<std::int64_t>());
    std::sort(want.begin(), want.end());
    auto got = query.ask(topic, key, 64, int_or(member(look, "begin"), 0),
                         int_or(member(look, "end"), INT64_MAX));
    EXPECT_EQ(got, want);
    checked += want.size();
  }
  EXPECT_GT(checked, 50U);
}

TEST_P(RebuildGolden, EveryEntryHangsInTheChainOfItsHash) {
  build({.queues = false});
  const Query query(out());
  std::int64_t last_end = 0;
  for (const auto& [info, bytes] : query.files()) {
    const Bytes all = as_bytes(bytes);
    std::map<std::int32_t, std::int32_t> newest;
    for (std::int32_t i = 1; i < info.header.index_count; ++i) {
      const auto e = format::decode_index_entry(
          all.subspan(static_cast<std::size_t>(info.shape.entry_at(i)), 20));
      ASSERT_TRUE(e) << e.error();
      std::int32_t& slot = newest[e->key_hash % info.shape.slots];
      ASSERT_EQ(e->previous, slot);
      slot = i;
      if (i == 1) {
        EXPECT_EQ(e->commitlog_offset, info.header.begin_offset);
      }
      if (i + 1 == info.header.index_count) {
        EXPECT_EQ(e->commitlog_offset, info.header.end_offset);
      }
    }
    EXPECT_EQ(static_cast<std::int32_t>(newest.size()), info.header.slot_count);
    for (std::int32_t s = 0; s < info.shape.slots; ++s) {
      const auto on_disk = load_be<std::int32_t>(all.data() + info.shape.slot_at(s));
      const auto found = newest.find(s);
      ASSERT_EQ(on_disk, found == newest.end() ? 0 : found->second) << s;
    }
    EXPECT_GE(info.header.begin_offset.value(), last_end);
    last_end = info.header.end_offset.value();
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, RebuildGolden,
                         testing::Values("basic", "crash", "rolled", "features", "defaults"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace mq::inspect
