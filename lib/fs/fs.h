// The one door to the file system. The engine, the inspector and the state files go through it, so
// that a test can hand in a twin that lives in memory, fails the n-th call, fills up, or forgets
// what was never synced.
//
// Paths are as given to the system. All calls may be made from any thread; one File or Mapping
// object may be used by several threads as long as they touch different ranges. Errors carry the
// path and errno: kNotFound, kExists, kNoSpace, kBusy, kIo.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace mq::fs {

// Memory that shows a part of a file from its start. Unmapped by the destructor; the file may be
// closed or unlinked before.
class Mapping {
 public:
  virtual ~Mapping() = default;
  // Valid as long as this object. Writable only if mapped so. Writing where the file has no blocks
  // yet (a hole) may meet a full disk: allocate first. A device that fails under an access does not
  // kill the process: the page then reads as zeros, takes writes that go nowhere, and faulted()
  // turns true for good.
  [[nodiscard]] virtual MutableBytes bytes() noexcept = 0;
  [[nodiscard]] virtual bool faulted() const noexcept = 0;
  // Makes [offset, offset+bytes) present and writable without a fault on first touch. Best effort.
  // kSmall: in pages that are written one by one. Else the kernel may join neighbours, which makes
  // bulk cheaper, but a sync behind each small write then writes all that was joined: 25 times as
  // much with 8 KiB a sync, measured on ext4.
  enum class Pages { kAny, kSmall };
  virtual void prefault(std::int64_t offset, std::int64_t bytes, Pages pages) noexcept = 0;
  // Durable on return: what was written into the range, and the metadata needed to read it. Unlike
  // File::sync it leaves alone what lies outside, so that pages made present ahead of the writer
  // are not written out with every sync. Errors: as File::sync.
  virtual Result<void> sync(std::int64_t offset, std::int64_t bytes) = 0;
  // Lets the kernel take the pages' memory back (they stay in the page cache as it sees fit).
  virtual void release(std::int64_t offset, std::int64_t bytes) noexcept = 0;
  // One byte a page of the whole, its lowest bit set if the page is in memory now, whoever uses it.
  // Empty when the system does not tell.
  [[nodiscard]] virtual std::vector<unsigned char> resident() { return {}; }
  enum class Advice { kNormal, kSequential, kRandom, kWillNeed };
  virtual void advise(Advice advice) noexcept = 0;
  virtual Result<void>
  lock_memory() noexcept = 0;  // mlock of the whole; kNoSpace when RLIMIT_MEMLOCK forbids
  virtual void unlock_memory() noexcept = 0;
};

enum class MapMode { kRead, kReadWrite };

class File {
 public:
  virtual ~File() = default;
  // Reads until `out` is full or the file ends; returns how much. A hole reads as zeros.
  virtual Result<std::size_t> read_at(std::int64_t offset, MutableBytes out) = 0;
  // All of it or an error (a short write is continued).
  virtual Result<void> write_at(std::int64_t offset, Bytes bytes) = 0;
  virtual Result<std::int64_t> size() = 0;
  virtual Result<void> truncate(std::int64_t bytes) = 0;  // grows with a hole, too
  // Reserves blocks for [offset, offset+bytes) and extends the size to cover them; contents stay,
  // new bytes are zeros. Writes zeros where the file system cannot reserve.
  virtual Result<void> allocate(std::int64_t offset, std::int64_t bytes) = 0;
  // Durable on return: contents (also those written through a Mapping) and the metadata needed to
  // read them. After an error the caller must take what was written since the last success as lost,
  // and must not retry.
  virtual Result<void> sync() = 0;
  // Starts write-out of the range without waiting. Best effort.
  virtual void start_writeback(std::int64_t offset, std::int64_t bytes) noexcept = 0;
  // Where the first byte at or behind `offset` that may not be in a hole stands; the file's end if
  // all the rest is one. What it skips reads as zeros. A file system that cannot tell says
  // `offset`.
  virtual Result<std::int64_t> next_data(std::int64_t offset) { return offset; }
  // Tells the page cache that the range will not be read again soon. Best effort.
  virtual void drop_cache(std::int64_t offset, std::int64_t bytes) noexcept = 0;
  // `bytes` may reach beyond the end of the file only as far as the last page.
  virtual Result<std::unique_ptr<Mapping>> map(std::int64_t bytes, MapMode mode) = 0;
  [[nodiscard]] virtual int descriptor() const noexcept {
    return -1;
  }  // -1: no such thing (in memory)
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;
};

enum class OpenMode {
  kRead,             // must exist
  kReadWrite,        // must exist
  kCreate,           // read-write, made if missing
  kCreateExclusive,  // read-write, kExists if there
  kCreatePrivate,    // as kCreate, and nobody but the owner may read or write it
};

struct Stat {
  std::int64_t bytes = 0;
  std::int64_t allocated_bytes = 0;  // blocks really used
  std::int64_t mtime_ms = 0;
  bool is_directory = false;
  bool is_private = false;  // nobody but the owner may read or write it
};

struct DiskUsage {
  std::int64_t total_bytes = 0;  // used + available to us
  std::int64_t used_bytes = 0;
  std::int64_t available_bytes = 0;  // to an unprivileged process
  // Rounded up to whole percent, as the reference does; -1 when unknown.
  [[nodiscard]] int used_percent() const noexcept {
    return total_bytes <= 0 ? -1
                            : static_cast<int>((used_bytes * 100 + total_bytes - 1) / total_bytes);
  }
};

// A held lock; released by the destructor.
class Lock {
 public:
  virtual ~Lock() = default;
};

class Fs {
 public:
  virtual ~Fs() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<void> make_directories(
      const std::string& path) = 0;  // like mkdir -p; syncs the parents it changed
  // One level; fine if it is there. Not yet durable: its parent is to be synced.
  virtual Result<void> make_directory(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(
      const std::string& path) = 0;  // names, sorted; not . and ..
  virtual Result<Stat> stat(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from,
                              const std::string& to) = 0;    // replaces; not yet durable
  virtual Result<void> remove(const std::string& path) = 0;  // file or empty directory
  virtual Result<void> sync_directory(
      const std::string& path) = 0;  // makes creations, renames, removals in it durable
  // Makes everything durable that was done so far on the file system which holds `path`: what a
  // sync of each of thousands of files and their directories would come to, at the price of a few.
  // Errors: as File::sync.
  virtual Result<void> sync_all(const std::string& path) = 0;
  virtual Result<void> set_mtime_ms(const std::string& path, std::int64_t mtime_ms) = 0;
  virtual Result<DiskUsage> disk_usage(const std::string& path) = 0;
  // POSIX record lock (fcntl) on bytes [0, 1) of `path`, made if missing: what the reference takes
  // on `lock` (store-format 6.2). kBusy names the process that holds it. The returned object owns
  // the only descriptor of the file in this process: nobody else may open and close `path` while it
  // is held, as that would drop the lock.
  virtual Result<std::unique_ptr<Lock>> lock_file(const std::string& path) = 0;
  // The process that holds that lock (0: one that cannot be named from here); nothing when nobody
  // does, or there is no such file. Changes nothing. Not for the process that holds it itself.
  virtual Result<std::optional<std::int64_t>> lock_holder(const std::string& /*path*/) {
    return std::optional<std::int64_t>();
  }

  [[nodiscard]] bool exists(const std::string& path) { return stat(path).has_value(); }
};

// The real one. Any thread; lives for the whole process. Installs a SIGBUS handler on the first
// mapping (see Mapping).
Fs& posix() noexcept;

// Built from the calls above; a power cut leaves the old content or the new, never a mix (temp
// file, sync, rename, sync of the directory). With `keep_backup` the old content is at `path`.bak
// afterwards, as the reference leaves it. kOwner: nobody else may read either of them.
enum class Readers { kAll, kOwner };
Result<void> write_file_atomically(Fs& fs, const std::string& path, std::string_view content,
                                   bool keep_backup, Readers readers = Readers::kAll);
// The whole file; kCorrupt beyond `max_bytes`.
Result<std::string> read_file(Fs& fs, const std::string& path, std::int64_t max_bytes = 256 << 20);
// Removes a directory with all in it; fine if it is not there.
Result<void> remove_tree(Fs& fs, const std::string& path);

}  // namespace mq::fs
