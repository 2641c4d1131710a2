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

// How many entries, from the first, name records that the log still holds, in its order.
std::int32_t valid_entries(const IndexFile& file, const LogSource& log) {
  std::int64_t last = -1;
  std::int32_t i = 1;
  for (; i < file.count(); ++i) {
    const format::IndexEntry e = file.entry(i);
    const bool lost =
        e.key_hash == 0 && e.commitlog_offset.value() == 0 && e.seconds == 0 && e.previous == 0;
    if (lost || e.key_hash < 0 || e.seconds < 0 || e.commitlog_offset.value() < last ||
        e.commitlog_offset >= log.readable()) {
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

Result<IndexSet::Recovered> IndexSet::recover(const LogSource& log, bool clean_exit) {
  Recovered out{.index_from = log.begin(), .notes = {}};
  auto names = options_.fs->list(options_.root);
  if (!names) {
    if (names.error().code() == Errc::kNotFound) return out;
    return std::move(names).error();
  }
  std::vector<FilePtr> good;
  bool drop = false;  // from the first damaged file on: its range of the log is indexed again
  std::erase_if(*names, [](const std::string& name) { return !is_index_name(name); });
  for (std::size_t i = 0; i < names->size(); ++i) {
    const std::string& name = (*names)[i];
    const bool newest = i + 1 == names->size();
    if (!drop) {
      auto file = IndexFile::open(*options_.fs, options_.root, name, options_.shape);
      const bool order =
          file && (good.empty() || (*file)->begin_offset() >= good.back()->begin_offset());
      const bool within = file && ((*file)->is_empty() || (*file)->begin_offset() < log.readable());
      if (file && order && within) {
        const std::int32_t valid =
            newest && !clean_exit
                ? valid_entries(**file, log)
                : ((*file)->end_offset() < log.readable() || (*file)->is_empty() ? (*file)->count()
                                                                                 : 0);
        const bool whole = valid == (*file)->count() && (*file)->chains_hold(kEntriesChecked);
        if (!whole && newest) {
          const std::int32_t keep = valid > 0 ? valid : valid_entries(**file, log);
          std::int64_t end_ms = (*file)->begin_ms();
          if (keep > 1) {
            if (auto last = record_at(log, (*file)->entry(keep - 1).commitlog_offset))
              end_ms = last->store_timestamp_ms;
          }
          MQ_CHECK((*file)->rebuild(keep, end_ms));
          ++out.files_repaired;
          out.notes.push_back(
              fmt::format("index {}: kept {} of its entries, chains built anew", name, keep - 1));
        }
        if (whole || newest) {
          good.push_back(std::move(*file));
          continue;
        }
      }
      drop = true;
      out.notes.push_back(
          fmt::format("index {}: {}; built anew from the commit log", name,
                      file ? "its entries do not fit the commit log" : file.error().text()));
    }
    ++out.files_repaired;
    MQ_CHECK(options_.fs->remove(options_.root + "/" + name));
  }
  // Behind the last record that is known; after a crash that one once more, as it may have several
  // keys.
  while (!good.empty() && good.back()->is_empty() && good.size() > 1) {
    MQ_CHECK(options_.fs->remove(options_.root + "/" + good.back()->name()));
    good.pop_back();
  }
  if (!good.empty() && !good.back()->is_empty() && good.back()->end_offset() >= log.begin()) {
    out.index_from = good.back()->end_offset();
    if (clean_exit) {
      if (auto last = record_at(log, out.index_from)) out.index_from += last->total_bytes;
    }
  }
  const MutexLock lock(mu_);
  files_ = std::move(good);
  if (files_.size() > 1) sealed_timestamp_ms_.store(files_[files_.size() - 2]->end_ms());
  return out;
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
