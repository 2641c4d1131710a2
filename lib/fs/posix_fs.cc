#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fs/posix_internal.h"

namespace mq::fs {
namespace {

class PosixLock final : public Lock {
 public:
  explicit PosixLock(int descriptor) : fd_(descriptor) {}
  ~PosixLock() override { ::close(fd_); }  // drops the record lock with it
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;

 private:
  int fd_;
};

// The range that the reference locks.
struct flock lock_range() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = 0;
  range.l_len = 1;
  return range;
}

// To look at a file or a directory should leave no trace; only its owner may ask for that.
int open_without_trace(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_NOATIME);
  return fd < 0 && errno == EPERM ? ::open(path.c_str(), flags) : fd;
}

DIR* open_directory(const std::string& path) {
  const int fd = open_without_trace(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* const dir = fdopendir(fd);
  if (dir == nullptr) ::close(fd);
  return dir;
}

class PosixFs final : public Fs {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kReadWrite:
        flags |= O_RDWR;
        break;
      case OpenMode::kCreate:
      case OpenMode::kCreatePrivate:
        flags |= O_RDWR | O_CREAT;
        break;
      case OpenMode::kCreateExclusive:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
    }
    const bool is_private = mode == OpenMode::kCreatePrivate;
    const int fd = mode == OpenMode::kRead ? open_without_trace(path, flags)
                                           : ::open(path.c_str(), flags, is_private ? 0600 : 0644);
    if (fd < 0) return Error::from_errno(errno, path);
    if (is_private && ::fchmod(fd, 0600) != 0) {  // it may have been there
      const int error = errno;
      ::close(fd);
      return Error::from_errno(error, path);
    }
    return make_posix_file(fd, path);
  }

  Result<void> make_directories(const std::string& path) override {
    if (path.empty() || path == "/") return {};
    struct stat st {};
    if (::stat(path.c_str(), &st) == 0) {
      if (S_ISDIR(st.st_mode)) return {};
      return Error::from_errno(ENOTDIR, path);
    }
    const std::size_t slash = path.find_last_of('/');
    const std::string parent = slash == std::string::npos ? "."
                               : slash == 0               ? "/"
                                                          : path.substr(0, slash);
    MQ_CHECK(make_directories(parent));
    MQ_CHECK(make_directory(path));
    return sync_directory(parent);
  }

  Result<void> make_directory(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
    return Error::from_errno(errno, path + ": mkdir");
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* dir = open_directory(path);
    if (dir == nullptr) return Error::from_errno(errno, path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failed = errno;
    closedir(dir);
    if (failed != 0) return Error::from_errno(failed, path + ": readdir");
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<Stat> stat(const std::string& path) override {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return Error::from_errno(errno, path);
    return Stat{.bytes = st.st_size,
                .allocated_bytes = static_cast<std::int64_t>(st.st_blocks) * 512,
                .mtime_ms = st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1'000'000,
                .is_directory = S_ISDIR(st.st_mode),
                .is_private = (st.st_mode & (S_IRWXG | S_IRWXO)) == 0};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return Error::from_errno(errno, from + ": rename to " + to);
    return {};
  }
  Result<void> remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return Error::from_errno(errno, path + ": remove");
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Error::from_errno(errno, path);
    const int failed = fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    // Some file systems have no such thing as a directory to sync; then there is nothing to lose
    // either.
    if (failed != 0 && failed != EINVAL && failed != ENOTSUP)
      return Error::from_errno(failed, path + ": sync");
    return {};
  }
  Result<void> sync_all(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Error::from_errno(errno, path);
    const int rc = syncfs(fd);
    const int failed = errno;
    ::close(fd);
    if (rc != 0) return Error::from_errno(failed, path + ": syncfs");
    return {};
  }

  Result<void> set_mtime_ms(const std::string& path, std::int64_t mtime_ms) override {
    const std::array<timespec, 2> times{
        timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        timespec{.tv_sec = mtime_ms / 1000, .tv_nsec = mtime_ms % 1000 * 1'000'000}};
    if (utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0)
      return Error::from_errno(errno, path + ": utime");
    return {};
  }

  Result<DiskUsage> disk_usage(const std::string& path) override {
    struct statvfs st {};
    if (statvfs(path.c_str(), &st) != 0) return Error::from_errno(errno, path + ": statvfs");
    const auto block = static_cast<std::int64_t>(st.f_frsize);
    const std::int64_t used = static_cast<std::int64_t>(st.f_blocks - st.f_bfree) * block;
    const std::int64_t available = static_cast<std::int64_t>(st.f_bavail) * block;
    return DiskUsage{
        .total_bytes = used + available, .used_bytes = used, .available_bytes = available};
  }

  Result<std::optional<std::int64_t>> lock_holder(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return std::optional<std::int64_t>();
    if (fd < 0) return Error::from_errno(errno, path);
    struct flock holder = lock_range();
    const int failed = fcntl(fd, F_GETLK, &holder) == 0 ? 0 : errno;
    ::close(fd);
    if (failed != 0) return Error::from_errno(failed, path + ": lock");
    if (holder.l_type == F_UNLCK) return std::optional<std::int64_t>();
    return std::optional<std::int64_t>(std::max(0, holder.l_pid));
  }

  Result<std::unique_ptr<Lock>> lock_file(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Error::from_errno(errno, path);
    struct flock range = lock_range();
    if (fcntl(fd, F_SETLK, &range) != 0) {
      const int failed = errno;
      struct flock holder = range;
      const bool known = fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK;
      ::close(fd);
      if (failed != EAGAIN && failed != EACCES) return Error::from_errno(failed, path + ": lock");
      return Error{Errc::kBusy,
                   path + ": held by " +
                       (known ? "process " + std::to_string(holder.l_pid) : "another process")};
    }
    // What the reference writes; only its presence matters.
    if (pwrite(fd, "lock", 4, 0) != 4 || fdatasync(fd) != 0) {
      const int failed = errno;
      ::close(fd);
      return Error::from_errno(failed, path);
    }
    return std::unique_ptr<Lock>(std::make_unique<PosixLock>(fd));
  }
};

}  // namespace

Fs& posix() noexcept {
  static PosixFs instance;
  return instance;
}

}  // namespace mq::fs
