#include "store/reader.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include "format/properties.h"
#include "format/record.h"

namespace mq::store {
namespace {

using format::ConsumeQueueEntry;

constexpr std::size_t kEntryBytes = ConsumeQueueEntry::kEncodedBytes;
constexpr std::size_t kEntriesPerRead = 800;  // 16,000 bytes: what one pull of the reference scans
constexpr std::int32_t kQueryMax = 64;

// Is it the record of that position, whole?
Result<format::Record> record_in(Bytes bytes, PhysicalOffset at) {
  MQ_TRY(format::Record record, format::decode_record(bytes, format::CheckBody::kNo));
  if (record.physical_offset != at) return Error{Errc::kCorrupt};
  return record;
}

bool has_key(const format::Record& record, std::string_view key) {
  if (format::find_property(record.properties, format::kUniqKey) == key) return true;
  std::string_view keys = format::find_property(record.properties, format::kKeys).value_or("");
  while (!keys.empty()) {
    const std::size_t end = keys.find(' ');
    if (keys.substr(0, end) == key) return true;
    keys = end == std::string_view::npos ? std::string_view() : keys.substr(end + 1);
  }
  return false;
}

}  // namespace

// Collects the records of one get: neighbours in the log become one span.
class Reader::Scan {
 public:
  Scan(const Reader& reader, const GetRequest& request, GetResult& out)
      : r_(reader), request_(request), out_(out) {}

  // False when the answer is full and the entry is not in it. `messages`: in its record.
  bool take(const ConsumeQueueEntry& e, std::int32_t messages = 1) {
    if (is_full(e, messages)) return false;
    if (request_.record_filter != nullptr && !is_wanted(e)) return true;
    if (add(e)) {
      out_.count += messages;
    } else {
      removed_ = true;
    }
    return true;
  }
  [[nodiscard]] bool saw_removed() const noexcept { return removed_; }
  [[nodiscard]] PhysicalOffset last() const noexcept { return last_; }

 private:
  [[nodiscard]] bool is_full(const ConsumeQueueEntry& e, std::int32_t messages) const {
    if (out_.count == 0) return false;  // the first record always fits
    if (out_.count + messages > request_.count_max ||
        out_.bytes + e.record_bytes > request_.bytes_max)
      return true;
    if (request_.ignore_transfer_limits) return false;
    const Options& o = r_.options_;
    const bool near = r_.is_near(e.commitlog_offset);
    const std::int64_t bytes_max = near ? o.transfer_bytes_memory_max : o.transfer_bytes_disk_max;
    const std::int32_t count_max = near ? o.transfer_count_memory_max : o.transfer_count_disk_max;
    return out_.bytes + e.record_bytes > bytes_max || out_.count + messages > count_max;
  }

  // Asks the record itself; one that cannot be read is not wanted.
  bool is_wanted(const ConsumeQueueEntry& e) {
    const auto size = static_cast<std::size_t>(e.record_bytes);
    const std::int64_t skip = e.commitlog_offset - looked_at_;
    // Taking a view counts references, and most records lie behind their neighbour.
    if (skip < 0 || static_cast<std::size_t>(skip) + size > look_.bytes.size()) {
      look_ = r_.log_.view_from(e.commitlog_offset);
      looked_at_ = e.commitlog_offset;
      if (look_.bytes.size() < size) {
        removed_ = true;
        return false;
      }
    }
    const Bytes bytes =
        look_.bytes.subspan(static_cast<std::size_t>(e.commitlog_offset - looked_at_), size);
    const auto record = record_in(bytes, e.commitlog_offset);
    return record && request_.record_filter->wants(record->properties);
  }

  // False: the record is not in the log (any more).
  bool add(const ConsumeQueueEntry& e) {
    const auto size = static_cast<std::size_t>(e.record_bytes);
    if (!out_.spans.empty() && e.commitlog_offset == end_ && end_ < view_end_) {
      Bytes& bytes = out_.spans.back().bytes;
      if (static_cast<std::int64_t>(size) > view_end_ - end_) return false;
      bytes = Bytes(bytes.data(), bytes.size() + size);
    } else {
      SegmentView view = r_.log_.view_from(e.commitlog_offset);
      if (view.bytes.size() < size) return false;
      view_end_ = e.commitlog_offset + static_cast<std::int64_t>(view.bytes.size());
      view.bytes = view.bytes.first(size);
      out_.spans.push_back(std::move(view));
    }
    end_ = e.commitlog_offset + e.record_bytes;
    last_ = e.commitlog_offset;
    out_.bytes += e.record_bytes;
    return true;
  }

  const Reader& r_;
  const GetRequest& request_;
  GetResult& out_;
  PhysicalOffset end_{-1};
  PhysicalOffset view_end_{-1};
  PhysicalOffset last_{-1};
  SegmentView look_;  // from looked_at_ on
  PhysicalOffset looked_at_{0};
  bool removed_ = false;
};

GetResult Reader::get(const GetRequest& request) {
  GetResult out;
  gets_.fetch_add(1, std::memory_order_relaxed);
  const auto answer = [&](GetStatus status, QueueOffset next) {
    out.status = status;
    out.next = next;
    if (status != GetStatus::kFound) {
      misses_.fetch_add(1, std::memory_order_relaxed);
    } else {
      messages_.fetch_add(out.count, std::memory_order_relaxed);
      bytes_.fetch_add(out.bytes, std::memory_order_relaxed);
    }
    return std::move(out);
  };
  ConsumeQueue* queue = queues_.find(request.topic, request.queue_id);
  if (queue == nullptr) return answer(GetStatus::kNoMatchedLogicQueue, QueueOffset(0));
  out.min = queue->min_offset();
  out.max = queue->max_offset();
  if (out.max.value() == 0) return answer(GetStatus::kNoMessageInQueue, QueueOffset(0));
  if (request.offset < out.min) return answer(GetStatus::kOffsetTooSmall, out.min);
  if (request.offset == out.max) return answer(GetStatus::kOffsetOverflowOne, request.offset);
  if (request.offset > out.max) return answer(GetStatus::kOffsetOverflowBadly, out.max);

  Scan scan(*this, request, out);
  if (queue->topic().batch.load(std::memory_order_acquire)) {
    const QueueOffset next = scan_batches(*queue, request, scan);
    return answer(status_of(scan, out, next > request.offset), next);
  }
  const bool all = request.filter.all && request.record_filter == nullptr;
  QueueOffset at = request.offset;
  const std::int64_t scan_max = std::max<std::int64_t>(
      {options_.filter_bytes_max / static_cast<std::int64_t>(kEntryBytes), request.count_max, 1});
  std::array<std::byte, kEntriesPerRead * kEntryBytes> raw;  // NOLINT: filled by read
  bool full = false;
  while (!full && at < out.max && at - request.offset < scan_max) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(
        {static_cast<std::int64_t>(kEntriesPerRead), out.max - at, scan_max - (at - request.offset),
         // One entry more than asked for tells nothing new.
         all ? std::max<std::int64_t>(1, request.count_max - out.count) : scan_max}));
    auto got = queues_.read(*queue, at, MutableBytes(raw).first(want * kEntryBytes));
    if (!got || *got == 0) {
      if (out.count > 0 || at > request.offset) break;
      // Deleted under our hands, or unreadable: on to where there is something.
      return answer(GetStatus::kOffsetFoundNull, std::max(queue->min_offset(), request.offset + 1));
    }
    for (std::size_t i = 0; i < *got; ++i) {
      const auto e =
          format::decode_consume_queue_entry(Bytes(raw).subspan(i * kEntryBytes, kEntryBytes));
      if (e && !e->is_filler() && request.filter.matches(e->tag_code) && !scan.take(*e)) {
        full = true;
        break;
      }
      at += 1;
    }
    if (all && out.count >= request.count_max) break;
  }
  return answer(status_of(scan, out, true), at);
}

GetStatus Reader::status_of(const Scan& scan, GetResult& out, bool has_entries) const {
  if (!has_entries) return GetStatus::kOffsetFoundNull;
  if (out.count == 0)
    return scan.saw_removed() ? GetStatus::kMessageWasRemoving : GetStatus::kNoMatchedMessage;
  out.suggest_slave = !is_near(scan.last());
  return GetStatus::kFound;
}

// Whole records: the first may begin before the offset asked for. Returns where to go on.
QueueOffset Reader::scan_batches(ConsumeQueue& queue, const GetRequest& request, Scan& scan) {
  std::array<format::BatchQueueEntry, 32> batches;
  QueueOffset at = request.offset;
  for (std::size_t seen = 0; at < queue.max_offset() && seen < kEntriesPerRead;) {
    const auto got = queues_.read(queue, at, batches);
    if (!got) break;
    seen += *got;
    for (const auto& e : std::span(batches).first(*got)) {
      const ConsumeQueueEntry entry{e.commitlog_offset, e.record_bytes, e.tag_code};
      if (request.filter.matches(e.tag_code) && !scan.take(entry, e.count)) return at;
      at = e.base + e.count;
    }
  }
  return at;
}

Result<std::size_t> Reader::entries(std::string_view topic, QueueId queue, QueueOffset from,
                                    std::span<ConsumeQueueEntry> out) {
  ConsumeQueue* found = queues_.find(topic, queue);
  if (found == nullptr || from < found->min_offset()) return Error{Errc::kNotFound};
  if (from >= found->max_offset()) return std::size_t{0};
  std::array<std::byte, kEntriesPerRead * kEntryBytes> raw;  // NOLINT: filled by read
  const std::size_t want =
      std::min({out.size(), kEntriesPerRead, static_cast<std::size_t>(found->max_offset() - from)});
  if (found->topic().batch.load(std::memory_order_acquire)) {
    for (std::size_t i = 0; i < want; ++i) {
      MQ_TRY(out[i], entry_at(*found, from + static_cast<std::int64_t>(i)));
    }
    return want;
  }
  MQ_TRY(const std::size_t got,
         queues_.read(*found, from, MutableBytes(raw).first(want * kEntryBytes)));
  for (std::size_t i = 0; i < got; ++i) {
    auto entry =
        format::decode_consume_queue_entry(Bytes(raw).subspan(i * kEntryBytes, kEntryBytes));
    out[i] = entry ? *entry : ConsumeQueueEntry::filler();
  }
  return got;
}

Result<SegmentView> Reader::get_record(PhysicalOffset at) const {
  if (at < log_.begin() || at >= log_.readable()) {
    return Error{Errc::kNotFound,
                 fmt::format("no record at {}: the commit log holds {} to {}", at.value(),
                             log_.begin().value(), log_.readable().value())};
  }
  return only_record(log_.view_from(at), at);
}

Result<SegmentView> only_record(SegmentView following, PhysicalOffset at) {
  const auto record = record_in(following.bytes, at);
  if (!record) return Error{Errc::kNotFound, fmt::format("no record starts at {}", at.value())};
  following.bytes = following.bytes.first(static_cast<std::size_t>(record->total_bytes));
  return following;
}

Result<std::vector<SegmentView>> Reader::query(std::string_view topic, std::string_view key,
                                               std::int32_t count_max, std::int64_t begin_ms,
                                               std::int64_t end_ms) {
  std::vector<std::pair<PhysicalOffset, SegmentView>> found;
  if (index_ == nullptr)
    return Error{Errc::kUnavailable, "there is no index: messageIndexEnable=false"};
  const auto accept = [&](PhysicalOffset at) {
    auto view = get_record(at);
    if (!view) return false;
    const auto record = format::decode_record(view->bytes, format::CheckBody::kNo);
    if (!record || record->topic != topic || !has_key(*record, key) ||
        record->store_timestamp_ms < begin_ms || record->store_timestamp_ms > end_ms) {
      return false;
    }
    found.emplace_back(at, std::move(*view));
    return true;
  };
  index_->find(format::index_key_hash(topic, key), std::clamp(count_max, 0, kQueryMax), begin_ms,
               end_ms, accept);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<SegmentView> out;
  out.reserve(found.size());
  for (auto& [at, view] : found) out.push_back(std::move(view));
  return out;
}

QueueOffset Reader::min_offset(std::string_view topic, QueueId queue) const {
  const ConsumeQueue* found = queues_.find(topic, queue);
  return found == nullptr ? QueueOffset(0) : found->min_offset();
}
QueueOffset Reader::max_offset(std::string_view topic, QueueId queue) const {
  const ConsumeQueue* found = queues_.find(topic, queue);
  return found == nullptr ? QueueOffset(0) : found->max_offset();
}

// Of a queue of batches: that of the record with the message.
Result<ConsumeQueueEntry> Reader::entry_at(ConsumeQueue& queue, QueueOffset at) {
  if (queue.topic().batch.load(std::memory_order_acquire)) {
    format::BatchQueueEntry e;
    MQ_CHECK(queues_.read(queue, at, std::span(&e, 1)));
    return ConsumeQueueEntry{e.commitlog_offset, e.record_bytes, e.tag_code};
  }
  std::array<std::byte, kEntryBytes> raw{};
  MQ_TRY(const std::size_t got, queues_.read(queue, at, raw));
  if (got == 0) return Error{Errc::kNotFound};
  return format::decode_consume_queue_entry(raw);
}

std::int64_t Reader::time_at(ConsumeQueue& queue, QueueOffset at) {
  const auto e = entry_at(queue, at);
  if (!e || e->is_filler()) return -1;
  const SegmentView view = log_.view_from(e->commitlog_offset);
  const auto time = format::peek_store_timestamp(view.bytes);
  return time ? *time : -1;
}

std::int64_t Reader::store_time(std::string_view topic, QueueId queue, QueueOffset offset) {
  ConsumeQueue* found = queues_.find(topic, queue);
  if (found == nullptr || offset < found->min_offset() || offset >= found->max_offset()) return -1;
  return time_at(*found, offset);
}

// Store times never fall along the log, so halving works; a record that cannot be read counts as
// old.
QueueOffset Reader::offset_by_time(std::string_view topic, QueueId queue, std::int64_t timestamp_ms,
                                   Boundary boundary) {
  ConsumeQueue* found = queues_.find(topic, queue);
  if (found == nullptr) return QueueOffset(0);
  const QueueOffset min = found->min_offset();
  const QueueOffset max = found->max_offset();
  std::int64_t low = min.value();
  std::int64_t high = max.value();
  // First entry that is too late: at or after the time (lower), after it (upper).
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const std::int64_t time = time_at(*found, QueueOffset(middle));
    const bool before = boundary == Boundary::kLower ? time < timestamp_ms : time <= timestamp_ms;
    if (before) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (boundary == Boundary::kLower) return QueueOffset(low);
  return QueueOffset(std::max(min.value(), low - 1));
}

bool Reader::is_in_memory(std::string_view topic, QueueId queue, QueueOffset offset) {
  ConsumeQueue* found = queues_.find(topic, queue);
  if (found == nullptr) return false;
  const auto e = entry_at(*found, offset);
  return e && !e->is_filler() && is_near(e->commitlog_offset);
}

Reader::Stats Reader::stats() const noexcept {
  return {gets_.load(), messages_.load(), bytes_.load(), misses_.load(), damaged_.load()};
}

std::int64_t memory_bytes(std::int32_t percent) {
  return sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 100 * percent;
}

}  // namespace mq::store
