// An index file, cut at a place in the log.
#include <algorithm>

#include "inspect/copy_files.h"
#include "inspect/log_reader.h"
#include "inspect/page_cache.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

using format::IndexEntry;
constexpr std::size_t kEntryBytes = IndexEntry::kEncodedBytes;

// The slots of the entries that stay: the newest of each.
class Slots {
 public:
  explicit Slots(const format::IndexShape& shape)
      : raw_(static_cast<std::size_t>(shape.slots) * 4), count_(shape.slots) {}
  void put(const IndexEntry& entry, std::int32_t number) {
    std::byte* at = raw_.data() + static_cast<std::size_t>(entry.key_hash % count_) * 4;
    if (load_be<std::int32_t>(at) == 0) ++used_;
    store_be(at, number);
  }
  [[nodiscard]] Bytes bytes() const { return raw_; }
  [[nodiscard]] std::int32_t used() const { return used_; }

 private:
  std::vector<std::byte> raw_;
  std::int32_t count_;
  std::int32_t used_ = 0;
};

struct Kept {
  std::int32_t count = 1;  // next free entry number
  PhysicalOffset last{};
};

// Copies the entries before `end` and notes their slots. Entries come in order of the log.
Result<Kept> copy_entries(CopyRun& run, fs::File& in, fs::File& out, const IndexInfo& index,
                          PhysicalOffset end, Slots& slots) {
  Kept kept;
  const std::int32_t behind = std::min(index.header.index_count, index.shape.entries);
  std::vector<std::byte> block(kEntryBytes * 3200);
  while (kept.count < behind) {
    MQ_CHECK(run.check());
    const std::int64_t at = index.shape.entry_at(kept.count);
    const auto want =
        std::min(block.size(), static_cast<std::size_t>(behind - kept.count) * kEntryBytes);
    MQ_TRY(const std::size_t got, in.read_at(at, MutableBytes(block).first(want)));
    std::size_t i = 0;
    for (; i + kEntryBytes <= got; i += kEntryBytes) {
      const auto entry = format::decode_index_entry(Bytes(block).subspan(i, kEntryBytes));
      if (!entry || entry->commitlog_offset >= end) break;
      slots.put(*entry, kept.count++);
      kept.last = entry->commitlog_offset;
    }
    MQ_CHECK(run.write_sparse(out, at, Bytes(block).first(i)));
    const bool at_end = i + kEntryBytes <= got || got < want;
    if (at_end) break;
  }
  return kept;
}

}  // namespace

Result<void> copy_index(CopyRun& run, const std::string& store, const std::string& from,
                        const std::string& to, PhysicalOffset end) {
  const auto stat = run.fs.stat(from);
  if (!stat) return {};  // deleted as too old
  MQ_TRY(const IndexInfo index, read_index(run.fs, from));
  if (!index.damage.empty()) {
    run.note(index.damage + "; left out, a broker can do without");
    return {};
  }
  MQ_TRY(const auto in, run.fs.open(from, fs::OpenMode::kRead));
  const PageCacheGuard guard(*in);
  if (index.header.index_count <= 1) return {};
  MQ_TRY(const auto out, run.fs.open(to, fs::OpenMode::kCreateExclusive));
  Slots slots(index.shape);
  MQ_TRY(const Kept kept, copy_entries(run, *in, *out, index, end, slots));
  if (kept.count <= 1) return run.fs.remove(to);
  format::IndexHeader header = index.header;
  if (kept.count != header.index_count || header.end_offset != kept.last) {
    MQ_TRY(const auto log, LogReader::open(run.fs, store));
    const auto record = log->record_at(kept.last);
    header.end_offset = kept.last;
    if (record) header.end_timestamp_ms = record->store_timestamp_ms;
  }
  header.index_count = kept.count;
  header.slot_count = slots.used();
  std::array<std::byte, format::IndexHeader::kEncodedBytes> raw{};
  format::encode(header, raw);
  MQ_CHECK(out->write_at(0, raw));
  MQ_CHECK(run.write_sparse(*out, index.shape.slot_at(0), slots.bytes()));
  return run.close(*out, to, index.bytes, stat->mtime_ms);
}

}  // namespace mq::inspect
