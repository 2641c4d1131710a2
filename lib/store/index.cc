#include "store/index.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "format/properties.h"
#include "format/record.h"
#include "store/index_file.h"

namespace mq::store {
namespace {

constexpr std::int32_t kEntriesChecked = 50'000;  // of a file that was closed properly

bool is_index_name(const std::string& name) {
  return name.size() == 17 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<format::Record> record_at(const LogSource& log, PhysicalOffset at) {
  const SegmentView view = log.view_from(at);
  MQ_TRY(const format::Record record, format::decode_record(view.bytes, format::CheckBody::kNo));
  if (record.physical_offset != at) return Error{Errc::kCorrupt};
  return record;
}

// Number of the first entry that names no record before `limit`, or is out of order.
std::int32_t valid_entries(const IndexFile& file, PhysicalOffset limit) {
  std::int64_t last = -1;
  std::int32_t i = 1;
  for (; i < file.count(); ++i) {
    const format::IndexEntry e = file.entry(i);
    const bool lost =
        e.key_hash == 0 && e.commitlog_offset.value() == 0 && e.seconds == 0 && e.previous == 0;
    if (lost || e.key_hash < 0 || e.seconds < 0 || e.commitlog_offset.value() < last ||
        e.commitlog_offset >= limit) {
      break;
    }
    last = e.commitlog_offset.value();
  }
  return i;
}

}  // namespace

IndexSet::IndexSet(const Options& options) : options_(options) {}
IndexSet::~IndexSet() = default;

std::vector<IndexSet::FilePtr> IndexSet::files() const {
  const MutexLock lock(mu_);
  return files_;
}

Result<void> IndexSet::load() {
  return {};
}  // all that can be said without the log is in recover()

Result<IndexSet::Recovered> IndexSet::recover(const LogSource& log, bool clean_exit,
                                              PhysicalOffset safe_from) {
  Recovered out{.index_from = log.begin(), .notes = {}};
  auto names = options_.fs->list(options_.root);
  if (!names) {
    if (names.error().code() == Errc::kNotFound) return out;
    return std::move(names).error();
  }
  std::erase_if(*names, [](const std::string& name) { return !is_index_name(name); });
  const PhysicalOffset limit = clean_exit ? log.readable() : std::min(safe_from, log.readable());
  std::vector<FilePtr> good;
  bool is_end = false;  // from here on the log is indexed again
  bool has_removed = false;
  for (const std::string& name : *names) {
    if (!is_end) {
      auto file = IndexFile::open(*options_.fs, options_.root, name, options_.shape);
      if (!file) {
        out.notes.push_back(
            fmt::format("index {}: {}; built anew from the commit log", name, file.error().text()));
        is_end = true;
      } else {
        const PhysicalOffset after = good.empty() ? PhysicalOffset(0) : good.back()->end_offset();
        MQ_TRY(const bool whole, settle(**file, log, limit, after, clean_exit, out));
        is_end = !whole;
        if (whole || !(*file)->is_empty()) {
          good.push_back(std::move(*file));
          continue;
        }
      }
    }
    ++out.files_repaired;
    has_removed = true;
    MQ_CHECK(options_.fs->remove(options_.root + "/" + name));
  }
  while (good.size() > 1 && good.back()->is_empty()) {
    MQ_CHECK(options_.fs->remove(options_.root + "/" + good.back()->name()));
    has_removed = true;
    good.pop_back();
  }
  // Removed for good before others take their place.
  if (has_removed) MQ_CHECK(options_.fs->sync_directory(options_.root));
  // Behind the last record that is known; after a crash that one once more, as it may have several
  // keys.
  if (!good.empty() && !good.back()->is_empty() && good.back()->end_offset() >= log.begin()) {
    out.index_from = good.back()->end_offset();
    if (clean_exit && !is_end) {
      if (auto last = record_at(log, out.index_from)) out.index_from += last->total_bytes;
    }
  }
  const MutexLock lock(mu_);
  files_ = std::move(good);
  if (clean_exit && files_.size() > 1)
    sealed_timestamp_ms_.store(files_[files_.size() - 2]->end_ms());
  return out;
}

// Cuts the file behind its last entry before `limit`, if need be. False when it was not whole, and
// what comes behind it is therefore to be built anew.
Result<bool> IndexSet::settle(IndexFile& file, const LogSource& log, PhysicalOffset limit,
                              PhysicalOffset after, bool clean_exit, Recovered& out) {
  if (file.is_empty()) return clean_exit;
  const bool is_below = file.begin_offset() >= after && file.end_offset() < limit;
  if (is_below && file.chains_hold(kEntriesChecked)) return true;
  const std::int32_t keep = file.begin_offset() >= after ? valid_entries(file, limit) : 1;
  std::int64_t end_ms = file.begin_ms();
  if (keep > 1) {
    if (auto last = record_at(log, file.entry(keep - 1).commitlog_offset))
      end_ms = last->store_timestamp_ms;
  }
  MQ_CHECK(file.rebuild(keep, end_ms));
  ++out.files_repaired;
  out.notes.push_back(
      fmt::format("index {}: kept {} of its entries, chains built anew", file.name(), keep - 1));
  return false;
}

Result<IndexSet::FilePtr> IndexSet::add_file() {
  FilePtr before;
  {
    const MutexLock lock(mu_);
    if (!files_.empty()) before = files_.back();
  }
  const std::string name =
      format::index_file_name(options_.clock->now_ms(), before ? before->name() : "");
  MQ_TRY(FilePtr file,
         IndexFile::create(*options_.fs, options_.root, name, options_.shape, before.get()));
  const MutexLock lock(mu_);
  files_.push_back(file);
  return file;
}

std::size_t IndexSet::put(std::span<const IndexKey> keys, Result<void>& why) {
  FilePtr file;
  {
    const MutexLock lock(mu_);
    if (!files_.empty()) file = files_.back();
  }
  // The slots are all over 20 MB: asking for those of the whole batch at once hides most of the
  // wait.
  if (file) {
    for (const IndexKey& key : keys) file->prefetch(key.hash);
  }
  std::size_t done = 0;
  for (; done < keys.size(); ++done) {
    if (!file || file->is_full()) {
      if (file) file->write_header();
      auto added = add_file();
      if (!added) {
        why = std::move(added).error();
        return done;
      }
      file = std::move(*added);
    }
    if (auto room = file->reserve_one(); !room) {
      why = std::move(room).error();
      break;
    }
    file->put(keys[done].hash, keys[done].at, keys[done].store_timestamp_ms);
  }
  if (file) file->write_header();
  return done;
}

void IndexSet::find(std::int32_t hash, std::int32_t count_max, std::int64_t begin_ms,
                    std::int64_t end_ms, const std::function<bool(PhysicalOffset)>& accept) const {
  const std::vector<FilePtr> all = files();
  std::unordered_set<std::int64_t> seen;
  std::int32_t accepted = 0;
  for (auto file = all.rbegin(); file != all.rend() && accepted < count_max; ++file) {
    if ((*file)->is_empty() || (*file)->begin_ms() > end_ms || (*file)->end_ms() < begin_ms)
      continue;
    (*file)->find(hash, begin_ms, end_ms, [&](PhysicalOffset at) {
      if (seen.insert(at.value()).second && accept(at)) ++accepted;
      return accepted < count_max;
    });
  }
}

Result<void> IndexSet::flush(bool all) {
  const std::vector<FilePtr> now = files();
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool newest = i + 1 == now.size();
    if (newest && !all) break;
    MQ_CHECK(now[i]->sync());
    if (!newest) sealed_timestamp_ms_.store(now[i]->end_ms());
  }
  return {};
}

std::int64_t IndexSet::sealed_timestamp_ms() const noexcept { return sealed_timestamp_ms_.load(); }

Result<std::int32_t> IndexSet::expire(PhysicalOffset log_begin) {
  std::int32_t deleted = 0;
  while (true) {
    FilePtr oldest;
    {
      const MutexLock lock(mu_);
      if (files_.size() < 2 || files_.front()->end_offset() >= log_begin) return deleted;
      oldest = std::move(files_.front());
      files_.erase(files_.begin());
    }
    MQ_CHECK(options_.fs->remove(options_.root + "/" + oldest->name()));
    ++deleted;
  }
}

std::int32_t IndexSet::count() const noexcept {
  const MutexLock lock(mu_);
  return static_cast<std::int32_t>(files_.size());
}

}  // namespace mq::store
