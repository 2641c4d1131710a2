// A file system in memory that forgets, fails and fills up on order: the twin of fs::posix() for
// tests of what survives.
//
// Files live in memfds, so that a mapping shares memory with its file and a hole costs nothing.
// Besides what programs see (live), each file has what is on the device (durable): the pages of 4
// KiB and the size as of the last sync, and for each directory the names as of the last sync of it.
//
// Life: use it, power_cut() (or power_cut_after()), let the program under test go away, restart(),
// use it again. Deterministic for a seed and a sequence of calls; any thread; all calls go under
// one lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "fs/fs.h"
#include "support/fault_inode.h"

namespace mq::test {

enum class FsOp : std::uint8_t {
  kOpen,
  kWrite,
  kSync,
  kSyncDirectory,
  kAllocate,
  kTruncate,
  kRename,
  kRemove,
};

// The `after`-th call from now (0: the next) of that kind, on a path that contains `path_part`,
// fails with `sys_errno`; with `forever` all later ones too. A sync that fails with EIO leaves the
// pages clean and unwritten, as Linux does; with EBUSY they stay dirty.
struct FsFault {
  FsOp op = FsOp::kSync;
  int sys_errno = 5;  // EIO
  std::int64_t after = 0;
  bool forever = false;
  std::string path_part = {};
};

class FaultFs final : public fs::Fs {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t capacity_bytes = 1LL << 40;
    // As ext4: changes of names reach the device in order, and the sync of a file that was made,
    // renamed or resized takes all of them along. Without it, each directory keeps its own order
    // and only sync_directory() makes names durable.
    bool ordered_names = true;
    Clock* clock = nullptr;  // for mtimes; borrowed; the system's if null
  };
  explicit FaultFs(const Options& options);
  explicit FaultFs(std::uint64_t seed) : FaultFs(Options{.seed = seed}) {}

  // --- what goes wrong
  // From here on every call fails with EIO, until restart(). Writes through mappings go on and
  // reach nothing.
  void power_cut();
  // The power goes in the middle of the `calls`-th changing call from now (0: the next), which
  // fails without an effect that a later restart() would have to keep.
  void power_cut_after(std::int64_t calls);
  [[nodiscard]] bool is_cut() const;
  // The device after a power cut: each page that was not synced is as of the last sync, as written,
  // or a mix of the two at 512-byte borders; of unsynced sizes one; of unsynced changes of names
  // some first ones. Handles from before are dead.
  void restart();

  void fail(const FsFault& fault);
  void clear_faults();
  // From now on calls of that kind wait, on a path that contains `path_part`, until let_go().
  void hold(FsOp op, const std::string& path_part);
  void let_go();
  void set_capacity(std::int64_t bytes);
  // Every mapping of a file whose path contains `path_part` reports faulted() from now on.
  void fail_mappings(const std::string& path_part);

  // --- what happened
  [[nodiscard]] std::int64_t calls(FsOp op) const;
  [[nodiscard]] std::int64_t changing_calls() const;
  [[nodiscard]] std::int64_t used_bytes() const;
  // Pages that a mapping wrote to although nobody had reserved them: on a full disk, each would
  // have been a SIGBUS. As of the syncs so far.
  [[nodiscard]] std::int64_t unreserved_pages_written() const;

  // --- fs::Fs
  Result<std::unique_ptr<fs::File>> open(const std::string& path, fs::OpenMode mode) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<fs::Stat> stat(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<void> sync_all(const std::string& path) override;
  Result<void> set_mtime_ms(const std::string& path, std::int64_t mtime_ms) override;
  Result<fs::DiskUsage> disk_usage(const std::string& path) override;
  Result<std::unique_ptr<fs::Lock>> lock_file(const std::string& path) override;

 private:
  friend class FaultFile;
  friend class FaultLock;
  using InodePtr = std::shared_ptr<FaultInode>;
  using Names = std::map<std::string, InodePtr>;  // a directory is a null pointer

  // One change of names that may not be on the device yet.
  struct NameChange {
    enum class Kind : std::uint8_t { kAdd, kRename, kRemove };
    Kind kind = Kind::kAdd;
    std::string path;  // rename: the new name
    std::string from;
    InodePtr inode;
    bool durable = false;
  };

  // Counts the call and says whether and how it fails.
  Result<void> enter(FsOp op, const std::string& path) MQ_REQUIRES(mu_);
  Result<void> check_power(const std::string& path) const MQ_REQUIRES(mu_);
  Result<void> reserve(FaultInode& inode, std::int64_t offset, std::int64_t bytes,
                       const std::string& path) MQ_REQUIRES(mu_);
  [[nodiscard]] bool is_directory(const std::string& path) const MQ_REQUIRES(mu_);
  [[nodiscard]] bool has_children(const std::string& path) const MQ_REQUIRES(mu_);
  [[nodiscard]] std::int64_t now_ms() const;
  void change(NameChange change) MQ_REQUIRES(mu_);
  void sync_names_of(const FaultInode& inode) MQ_REQUIRES(mu_);
  static void apply(Names& names, const NameChange& change);
  // Moves the changes that are on the device from pending_ to durable_.
  void settle() MQ_REQUIRES(mu_);
  [[nodiscard]] std::int64_t used_locked() const MQ_REQUIRES(mu_);

  Options options_;
  mutable Mutex mu_;
  std::mt19937_64 random_ MQ_GUARDED_BY(mu_);
  Names live_ MQ_GUARDED_BY(mu_);
  Names durable_ MQ_GUARDED_BY(mu_);
  std::vector<NameChange> pending_ MQ_GUARDED_BY(mu_);
  std::set<std::string> locked_ MQ_GUARDED_BY(mu_);
  std::vector<FsFault> faults_ MQ_GUARDED_BY(mu_);
  std::optional<std::pair<FsOp, std::string>> held_ MQ_GUARDED_BY(mu_);
  CondVar let_go_;
  std::map<FsOp, std::int64_t> calls_ MQ_GUARDED_BY(mu_);
  std::int64_t changing_calls_ MQ_GUARDED_BY(mu_) = 0;
  std::optional<std::int64_t> cut_at_ MQ_GUARDED_BY(mu_);
  std::int64_t unreserved_ MQ_GUARDED_BY(mu_) = 0;
  std::uint64_t epoch_ MQ_GUARDED_BY(mu_) = 0;  // restarts so far; handles of an older one are dead
  bool cut_ MQ_GUARDED_BY(mu_) = false;
};

}  // namespace mq::test
