#include "inspect/repair_compare.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "format/names.h"
#include "inspect/zeros.h"

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;

constexpr auto kEntryBytes = static_cast<std::int64_t>(ConsumeQueueEntry::kEncodedBytes);
constexpr std::size_t kBlockBytes = kEntryBytes * 3200;
constexpr std::size_t kOpenMax = 16;
constexpr std::int64_t kLookBackMax = 100'000;

}  // namespace

// --- queues that are there

Result<QueuesThere> QueuesThere::open(fs::Fs& fs, const std::string& store,
                                      std::int64_t file_bytes) {
  QueuesThere out(fs, file_bytes);
  MQ_TRY(auto queues, list_queues(fs, store));
  for (QueueDirectory& queue : queues) {
    const QueueKey key{queue.topic, queue.queue};
    out.queues_.emplace(key, std::move(queue));
  }
  return out;
}

const QueueDirectory* QueuesThere::find(const QueueKey& queue) const {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? nullptr : &found->second;
}

Result<fs::File*> QueuesThere::open_file(const std::string& path) {
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const Open& open) { return open.path == path; });
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
  } else {
    MQ_TRY(auto file, fs_->open(path, fs::OpenMode::kRead));
    open_.push_front({path, std::move(file)});
    if (open_.size() > kOpenMax) open_.pop_back();
  }
  return open_.front().file.get();
}

Result<std::size_t> QueuesThere::read(const QueueDirectory& queue, std::int64_t position,
                                      MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::int64_t at = position + static_cast<std::int64_t>(done);
    const auto file = std::find_if(queue.files.begin(), queue.files.end(), [&](const QueueFile& f) {
      return at >= f.start && at < f.start + std::min(f.bytes, file_bytes_);
    });
    if (file == queue.files.end()) break;
    const auto room =
        static_cast<std::size_t>(file->start + std::min(file->bytes, file_bytes_) - at);
    MQ_TRY(fs::File* const open, open_file(file->path));
    MQ_TRY(const std::size_t got,
           open->read_at(at - file->start, out.subspan(done, std::min(room, out.size() - done))));
    if (got == 0) break;
    done += got;
  }
  return done;
}

std::optional<ConsumeQueueEntry> QueuesThere::entry(const QueueKey& queue, std::int64_t number) {
  const QueueDirectory* const directory = find(queue);
  if (directory == nullptr || number < 0) return std::nullopt;
  std::array<std::byte, ConsumeQueueEntry::kEncodedBytes> raw{};
  const auto got = read(*directory, number * kEntryBytes, raw);
  if (!got || *got < raw.size()) return std::nullopt;
  const auto entry = format::decode_consume_queue_entry(raw);
  if (!entry || entry->is_filler()) return std::nullopt;
  return *entry;
}

Result<std::int64_t> QueuesThere::end(const QueueDirectory& queue) {
  std::int64_t end = queue.files.front().start / kEntryBytes;
  MQ_CHECK(walk_queue(*fs_, queue, [&](std::int64_t number, const ConsumeQueueEntry&) {
    end = number + 1;
    return true;
  }));
  return end;
}

std::optional<std::int64_t> QueuesThere::number_of(const QueueKey& queue, PhysicalOffset at) {
  const QueueDirectory* const directory = find(queue);
  if (directory == nullptr) return std::nullopt;
  const auto last = end(*directory);
  if (!last) return std::nullopt;
  const std::int64_t first =
      std::max(directory->files.front().start / kEntryBytes, *last - kLookBackMax);
  for (std::int64_t number = *last - 1; number >= first; --number) {
    const auto there = entry(queue, number);
    if (there && there->commitlog_offset == at) return number;
    if (there && there->commitlog_offset < at) break;
  }
  return std::nullopt;
}

// --- queues against the log

QueueCompare::QueueCompare(fs::Fs& fs, std::string store, QueuesThere& there,
                           std::int64_t file_bytes, PhysicalOffset log_begin)
    : fs_(fs),
      store_(std::move(store)),
      there_(there),
      file_bytes_(file_bytes),
      log_begin_(log_begin),
      block_(kBlockBytes) {}

void QueueCompare::differ(State& state, const QueueDirectory* queue, std::int64_t number,
                          const std::string& what) {
  if (!state.what.empty()) return;
  if (queue == nullptr || queue->files.empty()) {
    state.what = what;
    return;
  }
  const std::int64_t position = number * kEntryBytes;
  const QueueFile* file = &queue->files.front();
  for (const QueueFile& f : queue->files)
    if (f.start <= position) file = &f;
  state.what = fmt::format("{} at {}: {}", file->path, position - file->start, what);
}

void QueueCompare::check_files(State& state, const QueueKey& key) {
  const QueueDirectory* const queue = there_.find(key);
  if (queue == nullptr) return;
  std::int64_t expected = queue->files.front().start;
  for (const QueueFile& file : queue->files) {
    const std::int64_t number = file.start / kEntryBytes;
    if (file.bytes != file_bytes_) {
      differ(state, queue, number,
             fmt::format("a file of {} bytes, expected {}", file.bytes, file_bytes_));
    }
    if (file.start % file_bytes_ != 0) {
      differ(state, queue, number, "its name is no start of a file");
    } else if (file.start != expected) {
      differ(state, queue, number, "the file before it is missing");
    }
    expected = file.start + file_bytes_;
  }
}

// Entries in front of what the log tells: of records that are deleted, or fillers.
Result<void> QueueCompare::check_before(State& state, const QueueDirectory& queue,
                                        std::int64_t number) {
  const std::int64_t end = number * kEntryBytes;
  PhysicalOffset last(-1);
  for (std::int64_t at = queue.files.front().start; at < end && state.what.empty();) {
    const auto want = static_cast<std::size_t>(
        std::min<std::int64_t>(end - at, static_cast<std::int64_t>(block_.size())));
    MQ_TRY(const std::size_t got, there_.read(queue, at, MutableBytes(block_).first(want)));
    for (std::size_t i = 0; i + kEntryBytes <= got && state.what.empty(); i += kEntryBytes) {
      const auto entry = format::decode_consume_queue_entry(Bytes(block_).subspan(i, kEntryBytes));
      const std::int64_t n = (at + static_cast<std::int64_t>(i)) / kEntryBytes;
      if (!entry) {
        differ(state, &queue, n, "no entry, and entries follow");
      } else if (!entry->is_filler() && entry->commitlog_offset >= log_begin_) {
        differ(state, &queue, n,
               fmt::format("entry {} of the record at {}, where there is none of that number", n,
                           entry->commitlog_offset.value()));
      } else if (!entry->is_filler()) {
        if (entry->commitlog_offset <= last) {
          differ(state, &queue, n,
                 fmt::format("entry {} of offset {}, the one before it of {}", n,
                             entry->commitlog_offset.value(), last.value()));
        }
        last = entry->commitlog_offset;
      }
    }
    if (got < want) {
      differ(state, &queue, (at + static_cast<std::int64_t>(got)) / kEntryBytes,
             "entries are missing, and others follow");
    }
    at += static_cast<std::int64_t>(want);
  }
  return {};
}

Result<void> QueueCompare::start(const QueueKey& key, std::int64_t number) {
  State& state = states_[key];
  state = State();
  state.end = number;
  const QueueDirectory* const queue = there_.find(key);
  if (queue == nullptr) {
    state.lag = number;
    return {};
  }
  check_files(state, key);
  return check_before(state, *queue, number);
}

Result<void> QueueCompare::write(const QueueKey& key, std::int64_t number, Bytes entries) {
  State& state = states_[key];
  state.end = number + static_cast<std::int64_t>(entries.size()) / kEntryBytes;
  if (state.lag >= 0 && state.lag_at.value() < 0)
    state.lag_at = PhysicalOffset(load_be<std::int64_t>(entries.data()));
  if (!state.what.empty() || state.lag >= 0) return {};
  const QueueDirectory& queue = *there_.find(key);
  while (!entries.empty()) {
    const Bytes want = entries.first(std::min(entries.size(), block_.size()));
    const MutableBytes block = MutableBytes(block_).first(want.size());
    MQ_TRY(const std::size_t got, there_.read(queue, number * kEntryBytes, block));
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(got), block.end(), std::byte{0});
    if (std::memcmp(block.data(), want.data(), want.size()) != 0) {
      const auto [mine, other] = std::mismatch(block.begin(), block.end(), want.begin());
      const auto i = (mine - block.begin()) / kEntryBytes;
      const Bytes there = block.subspan(static_cast<std::size_t>(i * kEntryBytes), kEntryBytes);
      if (is_zero(there)) {
        state.lag = number + i;
        state.lag_at = PhysicalOffset(load_be<std::int64_t>(want.data() + i * kEntryBytes));
        return {};
      }
      const auto right = format::decode_consume_queue_entry(
          want.subspan(static_cast<std::size_t>(i * kEntryBytes), kEntryBytes));
      const auto wrong = format::decode_consume_queue_entry(there);
      differ(state, &queue, number + i,
             fmt::format(
                 "entry {}: {}, expected offset {} size {} code {}", number + i,
                 wrong ? fmt::format("offset {} size {} code {}", wrong->commitlog_offset.value(),
                                     wrong->record_bytes, wrong->tag_code)
                       : wrong.error().text(),
                 right->commitlog_offset.value(), right->record_bytes, right->tag_code));
      return {};
    }
    number += static_cast<std::int64_t>(want.size()) / kEntryBytes;
    entries = entries.subspan(want.size());
  }
  return {};
}

// Nothing may stand behind the last entry, in its file or in another.
Result<void> QueueCompare::check_behind(State& state, const QueueDirectory& queue) {
  const std::int64_t end = (state.lag >= 0 ? state.lag : state.end) * kEntryBytes;
  const std::int64_t last_file = end == 0 ? 0 : (end - kEntryBytes) / file_bytes_ * file_bytes_;
  for (const QueueFile& file : queue.files) {
    if (file.start + file.bytes <= end) continue;
    if (file.start > last_file || (file.start == end && end == last_file)) {
      differ(state, &queue, file.start / kEntryBytes, "a file behind the queue's end");
      continue;
    }
    MQ_TRY(const auto open, fs_.open(file.path, fs::OpenMode::kRead));
    MQ_TRY(const std::int64_t set,
           first_byte_set(*open, std::max<std::int64_t>(0, end - file.start)));
    if (set >= 0)
      differ(state, &queue, end / kEntryBytes, "something stands behind the last entry");
  }
  return {};
}

Result<void> QueueCompare::finish() {
  for (auto& [key, state] : states_) {
    const QueueDirectory* const queue = there_.find(key);
    if (queue != nullptr && state.what.empty()) MQ_CHECK(check_behind(state, *queue));
    if (state.what.empty() && state.lag < 0) continue;
    const bool lags = state.what.empty();
    out_.push_back(
        {.queue = key,
         .what = lags ? fmt::format("{}/consumequeue/{}: {}", store_, to_string(key),
                                    queue == nullptr ? std::string("is missing")
                                                     : fmt::format("ends at {}, the log at {}",
                                                                   state.lag, state.end))
                      : state.what,
         .lags = lags,
         .missing = lags ? state.end - state.lag : 0,
         .is_there = queue != nullptr});
  }
  return {};
}

}  // namespace mq::inspect
