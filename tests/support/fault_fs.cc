#include "support/fault_fs.h"

#include <algorithm>
#include <cerrno>

#include <sys/mman.h>

namespace mq::test {
namespace {

std::string clean(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out.empty() ? "." : out;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What is in a directory goes with it.
template <typename Names>
void move_below(Names& names, const std::string& from, const std::string& to) {
  Names moved;
  const std::string prefix = from + "/";
  for (auto at = names.lower_bound(prefix); at != names.end() && at->first.starts_with(prefix);) {
    moved[to + at->first.substr(from.size())] = at->second;
    at = names.erase(at);
  }
  names.merge(moved);
}

class FaultMapping final : public fs::Mapping {
 public:
  using Sync = std::function<Result<void>(std::int64_t offset, std::int64_t bytes)>;
  FaultMapping(std::shared_ptr<FaultInode> inode, MutableBytes view, Sync sync)
      : inode_(std::move(inode)), view_(view), sync_(std::move(sync)) {}
  ~FaultMapping() override { munmap(view_.data(), view_.size()); }
  FaultMapping(const FaultMapping&) = delete;
  FaultMapping& operator=(const FaultMapping&) = delete;
  [[nodiscard]] MutableBytes bytes() noexcept override { return view_; }
  [[nodiscard]] bool faulted() const noexcept override {
    return inode_->mappings_fail.load(std::memory_order_acquire);
  }
  // Nothing to win, and pages that were not touched stay holes.
  void prefault(std::int64_t, std::int64_t, Pages) noexcept override {}
  Result<void> sync(std::int64_t offset, std::int64_t bytes) override {
    return sync_(offset, bytes);
  }
  void release(std::int64_t, std::int64_t) noexcept override {}
  void advise(Advice) noexcept override {}
  Result<void> lock_memory() noexcept override { return {}; }
  void unlock_memory() noexcept override {}

 private:
  std::shared_ptr<FaultInode> inode_;
  MutableBytes view_;
  Sync sync_;
};

}  // namespace

class FaultFile final : public fs::File {
 public:
  FaultFile(FaultFs& owner, std::shared_ptr<FaultInode> inode, std::string path,
            std::uint64_t epoch)
      : fs_(owner), inode_(std::move(inode)), path_(std::move(path)), epoch_(epoch) {}

  Result<std::size_t> read_at(std::int64_t offset, MutableBytes out) override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(check());
    return inode_->read(offset, out);
  }

  Result<void> write_at(std::int64_t offset, Bytes bytes) override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(enter(FsOp::kWrite));
    MQ_CHECK(fs_.reserve(*inode_, offset, static_cast<std::int64_t>(bytes.size()), path_));
    inode_->write(offset, bytes);
    inode_->mtime_ms = fs_.now_ms();
    return {};
  }

  Result<std::int64_t> size() override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(check());
    return inode_->size();
  }

  Result<void> truncate(std::int64_t bytes) override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(enter(FsOp::kTruncate));
    inode_->resize(bytes);
    inode_->mtime_ms = fs_.now_ms();
    return {};
  }

  Result<void> allocate(std::int64_t offset, std::int64_t bytes) override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(enter(FsOp::kAllocate));
    MQ_CHECK(fs_.reserve(*inode_, offset, bytes, path_));
    if (offset + bytes > inode_->size()) inode_->resize(offset + bytes);
    return {};
  }

  Result<void> sync() override { return sync_range(fs_, *inode_, path_, epoch_, {}); }

  void start_writeback(std::int64_t, std::int64_t) noexcept override {}
  void drop_cache(std::int64_t, std::int64_t) noexcept override {}

  Result<std::unique_ptr<fs::Mapping>> map(std::int64_t bytes, fs::MapMode mode) override {
    const MutexLock lock(fs_.mu_);
    MQ_CHECK(check());
    if (bytes <= 0) return Error{Errc::kInvalid, path_ + ": nothing to map"};
    const int protection = PROT_READ | (mode == fs::MapMode::kReadWrite ? PROT_WRITE : 0);
    const auto length = static_cast<std::size_t>(bytes);
    void* at = mmap(nullptr, length, protection, MAP_SHARED | MAP_NORESERVE, inode_->memory(), 0);
    if (at == MAP_FAILED) return Error::from_errno(errno, path_ + ": mmap");
    return std::unique_ptr<fs::Mapping>(std::make_unique<FaultMapping>(
        inode_, MutableBytes(static_cast<std::byte*>(at), length),
        [&fs = fs_, inode = inode_, path = path_, epoch = epoch_](std::int64_t offset,
                                                                  std::int64_t count) {
          return sync_range(fs, *inode, path, epoch, {offset, offset + count});
        }));
  }

  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  static Result<void> check(FaultFs& fs, const std::string& path, std::uint64_t epoch)
      MQ_REQUIRES(fs.mu_) {
    if (epoch != fs.epoch_) return Error::from_errno(EIO, path + ": opened before the restart");
    return fs.check_power(path);
  }
  // A mapping outlives its file, so this takes no `this`.
  static Result<void> sync_range(FaultFs& fs, FaultInode& inode, const std::string& path,
                                 std::uint64_t epoch, const FaultInode::Range& range) {
    const MutexLock lock(fs.mu_);
    MQ_CHECK(check(fs, path, epoch));
    if (auto entered = fs.enter(FsOp::kSync, path); !entered) {
      if (!fs.cut_ && entered.error().code() == Errc::kIo) inode.fail_sync(range);
      return entered;
    }
    fs.sync_names_of(inode);
    fs.unreserved_ += inode.sync(range);
    return {};
  }
  Result<void> check() MQ_REQUIRES(fs_.mu_) { return check(fs_, path_, epoch_); }
  Result<void> enter(FsOp op) MQ_REQUIRES(fs_.mu_) {
    MQ_CHECK(check());
    return fs_.enter(op, path_);
  }

  FaultFs& fs_;
  std::shared_ptr<FaultInode> inode_;
  std::string path_;
  std::uint64_t epoch_;
};

class FaultLock final : public fs::Lock {
 public:
  FaultLock(FaultFs& owner, std::string path, std::uint64_t epoch)
      : fs_(owner), path_(std::move(path)), epoch_(epoch) {}
  ~FaultLock() override {
    const MutexLock lock(fs_.mu_);
    if (epoch_ == fs_.epoch_) fs_.locked_.erase(path_);
  }
  FaultLock(const FaultLock&) = delete;
  FaultLock& operator=(const FaultLock&) = delete;

 private:
  FaultFs& fs_;
  std::string path_;
  std::uint64_t epoch_;
};

FaultFs::FaultFs(const Options& options) : options_(options), random_(options.seed) {}

void FaultFs::power_cut() {
  const MutexLock lock(mu_);
  cut_ = true;
}
void FaultFs::power_cut_after(std::int64_t calls) {
  const MutexLock lock(mu_);
  cut_at_ = changing_calls_ + calls;
}
bool FaultFs::is_cut() const {
  const MutexLock lock(mu_);
  return cut_;
}

void FaultFs::restart() {
  const MutexLock lock(mu_);
  settle();
  // How many of the pending changes arrived: of all, or directory by directory.
  std::map<std::string, std::size_t> count;
  const auto key = [&](const NameChange& c) {
    return options_.ordered_names ? std::string() : parent_of(c.path);
  };
  for (const NameChange& c : pending_) ++count[key(c)];
  for (auto& [directory, n] : count) n = random_() % (n + 1);
  for (const NameChange& c : pending_) {
    std::size_t& left = count[key(c)];
    if (left > 0)
      --left;
    else if (!c.durable)
      continue;
    apply(durable_, c);
  }
  pending_.clear();
  std::map<InodePtr, InodePtr> replaced;
  for (auto& [path, inode] : durable_) {
    if (inode == nullptr) continue;
    InodePtr& after = replaced[inode];
    if (after == nullptr) after = inode->after_power_cut(random_);
    inode = after;
  }
  live_ = durable_;
  locked_.clear();
  cut_at_.reset();
  cut_ = false;
  ++epoch_;
}

void FaultFs::fail(const FsFault& fault) {
  const MutexLock lock(mu_);
  faults_.push_back(fault);
}
void FaultFs::clear_faults() {
  const MutexLock lock(mu_);
  faults_.clear();
}
void FaultFs::hold(FsOp op, const std::string& path_part) {
  const MutexLock lock(mu_);
  held_.emplace(op, path_part);
}
void FaultFs::let_go() {
  const MutexLock lock(mu_);
  held_.reset();
  let_go_.notify_all();
}
void FaultFs::set_capacity(std::int64_t bytes) {
  const MutexLock lock(mu_);
  options_.capacity_bytes = bytes;
}
void FaultFs::fail_mappings(const std::string& path_part) {
  const MutexLock lock(mu_);
  for (const auto& [path, inode] : live_) {
    if (inode != nullptr && path.find(path_part) != std::string::npos)
      inode->mappings_fail.store(true, std::memory_order_release);
  }
}

std::int64_t FaultFs::calls(FsOp op) const {
  const MutexLock lock(mu_);
  const auto found = calls_.find(op);
  return found == calls_.end() ? 0 : found->second;
}
std::int64_t FaultFs::changing_calls() const {
  const MutexLock lock(mu_);
  return changing_calls_;
}
std::int64_t FaultFs::used_bytes() const {
  const MutexLock lock(mu_);
  return used_locked();
}
std::int64_t FaultFs::unreserved_pages_written() const {
  const MutexLock lock(mu_);
  return unreserved_;
}

std::int64_t FaultFs::now_ms() const {
  return (options_.clock == nullptr ? system_clock() : *options_.clock).now_ms();
}

// A removed file gives its blocks back at once, open or not.
std::int64_t FaultFs::used_locked() const {
  std::int64_t used = 0;
  for (const auto& [path, inode] : live_) used += inode == nullptr ? 0 : inode->reserved_bytes();
  return used;
}

Result<void> FaultFs::check_power(const std::string& path) const {
  if (cut_) return Error::from_errno(EIO, path + ": the power is off");
  return {};
}

Result<void> FaultFs::enter(FsOp op, const std::string& path) {
  while (held_ && held_->first == op && path.find(held_->second) != std::string::npos)
    let_go_.wait(mu_);
  MQ_CHECK(check_power(path));
  ++calls_[op];
  if (op != FsOp::kOpen) {
    if (cut_at_ && changing_calls_ >= *cut_at_) cut_ = true;
    ++changing_calls_;
    MQ_CHECK(check_power(path));
  }
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (fault->op != op || path.find(fault->path_part) == std::string::npos) continue;
    if (fault->after-- > 0) continue;
    const int failed = fault->sys_errno;
    if (!fault->forever) faults_.erase(fault);
    return Error::from_errno(failed, path + ": fault on order");
  }
  return {};
}

Result<void> FaultFs::reserve(FaultInode& inode, std::int64_t offset, std::int64_t bytes,
                              const std::string& path) {
  if (used_locked() + inode.missing_bytes(offset, bytes) > options_.capacity_bytes)
    return Error::from_errno(ENOSPC, path);
  inode.reserve(offset, bytes);
  return {};
}

bool FaultFs::is_directory(const std::string& path) const {
  if (path == "." || path == "/") return true;
  const auto found = live_.find(path);
  return found != live_.end() && found->second == nullptr;
}
bool FaultFs::has_children(const std::string& path) const {
  return std::ranges::any_of(live_, [&](const auto& e) { return parent_of(e.first) == path; });
}

void FaultFs::change(NameChange change) {
  apply(live_, change);
  pending_.push_back(std::move(change));
}

void FaultFs::apply(Names& names, const NameChange& change) {
  switch (change.kind) {
    case NameChange::Kind::kAdd: {
      const std::string parent = parent_of(change.path);
      if (parent != "." && parent != "/" && !names.contains(parent)) return;
      names[change.path] = change.inode;
      return;
    }
    case NameChange::Kind::kRename: {
      if (change.inode == nullptr) move_below(names, change.from, change.path);
      names.erase(change.from);
      names[change.path] = change.inode;
      return;
    }
    case NameChange::Kind::kRemove:
      names.erase(change.path);
      return;
  }
}

void FaultFs::sync_names_of(const FaultInode& inode) {
  if (!options_.ordered_names) return;
  bool metadata = inode.has_new_size();
  for (const NameChange& c : pending_) metadata = metadata || c.inode.get() == &inode;
  if (!metadata) return;
  for (NameChange& c : pending_) c.durable = true;
  settle();
}

void FaultFs::settle() {
  std::size_t done = 0;
  while (done < pending_.size() && pending_[done].durable) apply(durable_, pending_[done++]);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
}

Result<std::unique_ptr<fs::File>> FaultFs::open(const std::string& path, fs::OpenMode mode) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(enter(FsOp::kOpen, name));
  const auto found = live_.find(name);
  InodePtr inode;
  if (found != live_.end()) {
    if (found->second == nullptr) return Error::from_errno(EISDIR, name);
    if (mode == fs::OpenMode::kCreateExclusive) return Error::from_errno(EEXIST, name);
    inode = found->second;
  } else {
    if (mode == fs::OpenMode::kRead || mode == fs::OpenMode::kReadWrite ||
        !is_directory(parent_of(name)))
      return Error::from_errno(ENOENT, name);
    inode = std::make_shared<FaultInode>();
    inode->mtime_ms = now_ms();
    change({.kind = NameChange::Kind::kAdd, .path = name, .from = {}, .inode = inode});
  }
  return std::unique_ptr<fs::File>(std::make_unique<FaultFile>(*this, inode, name, epoch_));
}

Result<void> FaultFs::make_directories(const std::string& path) {
  const std::string name = clean(path);
  {
    const MutexLock lock(mu_);
    MQ_CHECK(check_power(name));
    if (is_directory(name)) return {};
    if (live_.contains(name)) return Error::from_errno(ENOTDIR, name);
  }
  MQ_CHECK(make_directories(parent_of(name)));
  MQ_CHECK(make_directory(name));
  return sync_directory(parent_of(name));
}

Result<void> FaultFs::make_directory(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(check_power(name));
  if (is_directory(name)) return {};
  if (!is_directory(parent_of(name))) return Error::from_errno(ENOENT, name);
  change({.kind = NameChange::Kind::kAdd, .path = name, .from = {}, .inode = nullptr});
  return {};
}

Result<std::vector<std::string>> FaultFs::list(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(check_power(name));
  if (!is_directory(name)) return Error::from_errno(live_.contains(name) ? ENOTDIR : ENOENT, name);
  std::vector<std::string> out;
  for (const auto& [child, inode] : live_) {
    if (parent_of(child) == name) out.push_back(child.substr(child.find_last_of('/') + 1));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<fs::Stat> FaultFs::stat(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(check_power(name));
  if (is_directory(name)) return fs::Stat{.is_directory = true};
  const auto found = live_.find(name);
  if (found == live_.end()) return Error::from_errno(ENOENT, name);
  return fs::Stat{.bytes = found->second->size(),
                  .allocated_bytes = found->second->reserved_bytes(),
                  .mtime_ms = found->second->mtime_ms,
                  .is_directory = false};
}

Result<void> FaultFs::rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mu_);
  const std::string old_name = clean(from);
  const std::string new_name = clean(to);
  MQ_CHECK(enter(FsOp::kRename, old_name));
  const auto found = live_.find(old_name);
  if (found == live_.end() || !is_directory(parent_of(new_name)))
    return Error::from_errno(ENOENT, old_name);
  const auto there = live_.find(new_name);
  if (there != live_.end() && (there->second == nullptr) != (found->second == nullptr))
    return Error::from_errno(there->second == nullptr ? EISDIR : ENOTDIR, new_name);
  if (found->second == nullptr && has_children(new_name))
    return Error::from_errno(ENOTEMPTY, new_name);
  change({.kind = NameChange::Kind::kRename,
          .path = new_name,
          .from = old_name,
          .inode = found->second});
  return {};
}

Result<void> FaultFs::remove(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(enter(FsOp::kRemove, name));
  const auto found = live_.find(name);
  if (found == live_.end()) return Error::from_errno(ENOENT, name);
  if (has_children(name)) return Error::from_errno(ENOTEMPTY, name);
  change({.kind = NameChange::Kind::kRemove, .path = name, .from = {}, .inode = found->second});
  return {};
}

Result<void> FaultFs::sync_directory(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(enter(FsOp::kSyncDirectory, name));
  if (!is_directory(name)) return Error::from_errno(ENOENT, name);
  for (NameChange& c : pending_) {
    if (options_.ordered_names || parent_of(c.path) == name) c.durable = true;
  }
  settle();
  return {};
}

Result<void> FaultFs::sync_all(const std::string& path) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  if (auto entered = enter(FsOp::kSync, name); !entered) {
    for (const auto& [child, inode] : live_) {
      if (!cut_ && inode != nullptr && entered.error().code() == Errc::kIo) inode->fail_sync({});
    }
    return entered;
  }
  for (NameChange& c : pending_) c.durable = true;
  settle();
  for (const auto& [child, inode] : live_) {
    if (inode != nullptr) unreserved_ += inode->sync({});
  }
  return {};
}

Result<void> FaultFs::set_mtime_ms(const std::string& path, std::int64_t mtime_ms) {
  const MutexLock lock(mu_);
  const std::string name = clean(path);
  MQ_CHECK(check_power(name));
  const auto found = live_.find(name);
  if (found == live_.end()) return Error::from_errno(ENOENT, name);
  if (found->second != nullptr) found->second->mtime_ms = mtime_ms;
  return {};
}

Result<fs::DiskUsage> FaultFs::disk_usage(const std::string& path) {
  const MutexLock lock(mu_);
  MQ_CHECK(check_power(path));
  const std::int64_t used = used_locked();
  const std::int64_t available = std::max<std::int64_t>(0, options_.capacity_bytes - used);
  return fs::DiskUsage{
      .total_bytes = used + available, .used_bytes = used, .available_bytes = available};
}

Result<std::unique_ptr<fs::Lock>> FaultFs::lock_file(const std::string& path) {
  const std::string name = clean(path);
  MQ_TRY(auto file, open(name, fs::OpenMode::kCreate));
  {
    const MutexLock lock(mu_);
    if (!locked_.insert(name).second)
      return Error{Errc::kBusy, name + ": held by another store of this test"};
  }
  auto held = std::make_unique<FaultLock>(*this, name, [&] {
    const MutexLock lock(mu_);
    return epoch_;
  }());
  MQ_CHECK(file->write_at(0, as_bytes("lock")));
  MQ_CHECK(file->sync());
  return std::unique_ptr<fs::Lock>(std::move(held));
}

}  // namespace mq::test
