// Reads a commit log with the codecs alone: a store's directory, its commitlog directory, or one
// copied file. Never writes, believes no length before checking it, goes on behind damage. One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "format/record.h"
#include "fs/fs.h"
#include "inspect/cache_keeper.h"

namespace mq::inspect {

struct LogFile {
  std::string path;
  PhysicalOffset start{};
  std::int64_t bytes = 0;
};

enum class FindingKind : std::uint8_t {
  kDamage,   // bytes that are no record, in the middle of the log
  kTail,     // bytes that are no record, and nothing in the log behind them: what a crash leaves
  kMissing,  // a file, or its end
  kBlank,    // the rest of a full file
  kEnd,      // zeros behind the last record
  kGone,     // a file that was deleted while we read
};
// What walking came across besides records.
struct Finding {
  PhysicalOffset at{};
  std::string what;
  bool damage = false;  // else: normal, as the unused rest of the newest file
  FindingKind kind = FindingKind::kDamage;
  std::int64_t bytes = 0;  // how much of the log it covers
};

class LogReader {
 public:
  // What becomes of file pages in the system's cache once a walk has passed them: a tool that reads
  // all of a large store once should not push everything else out of memory. kDrop leaves the cache
  // as it was found.
  enum class Cache { kKeep, kDrop };
  // Errors: kNotFound (no commit log there), kIo.
  static Result<std::unique_ptr<LogReader>> open(fs::Fs& fs, const std::string& path,
                                                 Cache cache = Cache::kKeep);

  [[nodiscard]] const std::vector<LogFile>& files() const noexcept { return files_; }
  // Whether another process had the store open when it was opened here. What stands behind its last
  // whole record is then no damage, but a record being written.
  [[nodiscard]] bool is_live() const noexcept { return live_; }
  // Looks again which files there are and how long they are; not from within a walk.
  Result<void> refresh();
  [[nodiscard]] PhysicalOffset begin() const noexcept;
  [[nodiscard]] PhysicalOffset end_of_files() const noexcept;
  // "commitlog/00000000000000000000 at 88", for messages.
  [[nodiscard]] std::string where(PhysicalOffset at) const;

  // Bytes from `at` to the end of its file; empty outside of all files. Valid until a position in
  // another file is asked for.
  Result<Bytes> bytes_from(PhysicalOffset at);
  // The first good record at or behind `at` in the same file; the file's end if there is none.
  // Errors: kNotFound (outside of all files), kIo.
  Result<PhysicalOffset> next_good(PhysicalOffset at);
  // Where the first byte at or behind `at` stands that may not be in a hole, in the same file; its
  // end if all the rest is one.
  Result<PhysicalOffset> next_data(PhysicalOffset at);
  // Could the device not give a page of the file that was read last? Then what was seen there are
  // zeros, and not to be believed.
  [[nodiscard]] bool faulted() const;
  // The record that starts there, body checked. Errors: kNotFound, kCorrupt.
  Result<format::Record> record_at(PhysicalOffset at);

  // Every good record in [from, to) in order until `visit` says false. A record is good when it
  // decodes, its stored offset is its position, and its body has its CRC. `from` may lie anywhere:
  // the walk begins at the first record at or behind it. `note` (may be empty) is told what is in
  // between. Returns where the last good record ended. Records are views for the time of the call;
  // a walk of any length keeps no more than kResidentBytes of a file in memory. Errors: kIo.
  using Visit = std::function<bool(const format::Record& record, Bytes bytes)>;
  using Note = std::function<void(const Finding&)>;
  Result<PhysicalOffset> walk(PhysicalOffset from, PhysicalOffset to, const Visit& visit,
                              const Note& note = {});
  static constexpr std::int64_t kResidentBytes = 16 << 20;

 private:
  struct Open {
    LogFile log;
    std::unique_ptr<fs::File> file;
    CacheKeeper cache;
    std::unique_ptr<fs::Mapping> mapping;
    std::size_t released = 0;  // of a walk: the bytes before are not in memory for us
    ~Open();
  };
  struct Pass {
    PhysicalOffset from{};
    PhysicalOffset to{};
    const Visit& visit;
    const Note& note;
    PhysicalOffset last{};
    void tell(const Finding& finding) const {
      if (note) note(finding);
    }
  };

  LogReader(fs::Fs& fs, Cache cache, std::string path)
      : fs_(fs), cache_(cache), path_(std::move(path)) {}
  Result<void> list(const std::string& directory);
  Result<void> add_single(const std::string& path);
  [[nodiscard]] const LogFile* file_of(PhysicalOffset at) const;
  Result<std::shared_ptr<Open>> open_file(const LogFile& file);
  // False when the walk is to end.
  Result<bool> walk_file(std::size_t number, Pass& pass);
  // What stands at `at` and is no record: tells, and returns where to go on.
  Result<std::size_t> pass_over(std::size_t number, Open& open, std::size_t at, const Pass& pass);
  static std::size_t pass_blank(const Open& open, std::size_t at, const Pass& pass);
  // Whether the log ends before that file: there is none, or it holds nothing yet.
  Result<bool> is_unused(std::size_t number);
  // First good record at or behind `from`; the file's size if none.
  std::size_t next_good(Open& open, std::size_t from) const;
  static void release(Open& open, std::size_t before);

  fs::Fs& fs_;
  Cache cache_;
  std::string path_;
  bool live_ = false;
  std::vector<LogFile> files_;
  std::shared_ptr<Open> open_;
};

// Whether another process holds that lock file.
[[nodiscard]] bool is_held(fs::Fs& fs, const std::string& lock);

// The good record at the start of `in`, which stands at `at`. Errors: as decode_record, kCorrupt
// for another's position.
Result<format::Record> good_record(Bytes in, PhysicalOffset at);

}  // namespace mq::inspect
