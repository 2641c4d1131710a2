// All index files of a store: index/<yyyyMMddHHmmssSSS> (store-format.md 5), where key look-ups
// find records. Entries go into a mapping; the slots of a file are reserved when it is made (with
// its first key), the entries in steps, so nothing is ever written into a hole.
//
// The index is derived from the log. Unlike the reference we keep the newest file after a crash:
// it is cut to what is valid and continued behind the last record it knows.
//
// Threads: put() is the dispatch thread's alone; everything else any thread, unless it says
// otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "format/index_file.h"
#include "fs/fs.h"
#include "store/log_source.h"

namespace mq::store {

class IndexFile;

// One key of one record, hashed.
struct IndexKey {
  std::int32_t hash = 0;  // |Java hash of topic#key| (format::index_key_hash)
  PhysicalOffset at{};
  std::int64_t store_timestamp_ms = 0;
};

class IndexSet {
 public:
  struct Options {
    std::string root;  // <store>/index
    format::IndexShape shape;
    fs::Fs* fs = nullptr;    // borrowed
    Clock* clock = nullptr;  // borrowed; names new files
  };
  explicit IndexSet(const Options& options);
  ~IndexSet();
  IndexSet(const IndexSet&) = delete;
  IndexSet& operator=(const IndexSet&) = delete;

  // --- opening: one thread, before anything else ---

  // Opens the files that are there. Foreign names are passed over, damage is remembered for
  // recover(). Errors: kIo.
  Result<void> load();
  struct Recovered {
    PhysicalOffset index_from{};  // records from here on are to be put again
    std::int64_t files_repaired = 0;
    std::vector<std::string> notes;
  };
  // With the log's valid range known. After a clean exit checks the ends of the files. After a
  // crash only what was put for records before `safe_from` is known to be on disk as written: the
  // file that reaches it is cut there and its slots and chains are built anew, later ones are
  // removed. What is damaged, and all behind it, is removed as well. Errors: kIo, kNoSpace.
  Result<Recovered> recover(const LogSource& log, bool clean_exit, PhysicalOffset safe_from);

  // --- dispatch ---

  // Adds the keys in order, all those of one record in one call. Returns how many it took: fewer
  // than all with kNoSpace or kIo in `why`; the caller comes again with the rest. Found by queries
  // on return.
  std::size_t put(std::span<const IndexKey> keys, Result<void>& why);

  // --- queries ---

  // Physical offsets of records that may have the key (equal hash), newest first, without
  // repetition; `accept` decides which count (it looks at the record) until `count_max` have been
  // accepted. Files wholly outside [begin_ms, end_ms] are passed over.
  void find(std::int32_t hash, std::int32_t count_max, std::int64_t begin_ms, std::int64_t end_ms,
            const std::function<bool(PhysicalOffset)>& accept) const;

  // --- files ---

  // Syncs what was put since the last time (the newest file only if `all`). Errors: kIo, final.
  Result<void> flush(bool all);
  // End time of the newest full file that is known to be on disk: checkpoint.indexMsgTimestamp.
  [[nodiscard]] std::int64_t sealed_timestamp_ms() const noexcept;
  // Deletes files of which every record lies before `log_begin`, never the newest.
  Result<std::int32_t> expire(PhysicalOffset log_begin);
  [[nodiscard]] std::int32_t count() const noexcept;

 private:
  using FilePtr = std::shared_ptr<IndexFile>;
  [[nodiscard]] std::vector<FilePtr> files() const MQ_EXCLUDES(mu_);
  Result<FilePtr> add_file();
  static Result<bool> settle(IndexFile& file, const LogSource& log, PhysicalOffset limit,
                             PhysicalOffset after, bool clean_exit, Recovered& out);

  const Options options_;
  mutable Mutex mu_;
  std::vector<FilePtr> files_ MQ_GUARDED_BY(mu_);  // oldest first
  std::atomic<std::int64_t> sealed_timestamp_ms_{0};
};

}  // namespace mq::store
