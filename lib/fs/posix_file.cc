#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/posix_internal.h"

namespace mq::fs {
namespace {

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : fd_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<std::size_t> read_at(std::int64_t offset, MutableBytes out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = pread(fd_, out.data() + done, out.size() - done,
                              offset + static_cast<std::int64_t>(done));
      if (n == 0) break;
      if (n < 0) {
        if (errno == EINTR) continue;
        return failed("read");
      }
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<void> write_at(std::int64_t offset, Bytes bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = pwrite(fd_, bytes.data() + done, bytes.size() - done,
                               offset + static_cast<std::int64_t>(done));
      if (n < 0) {
        if (errno == EINTR) continue;
        return failed("write");
      }
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Result<std::int64_t> size() override {
    struct stat st {};
    if (fstat(fd_, &st) != 0) return failed("stat");
    return static_cast<std::int64_t>(st.st_size);
  }

  Result<void> truncate(std::int64_t bytes) override {
    if (ftruncate(fd_, bytes) != 0) return failed("truncate");
    return {};
  }

  Result<void> allocate(std::int64_t offset, std::int64_t bytes) override {
    int rc = 0;
    do {
      rc = fallocate(fd_, 0, offset, bytes);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return failed("allocate");
    return write_zeros_into_holes(offset, bytes);
  }

  Result<void> sync() override {
    if (fdatasync(fd_) != 0) return failed("sync");
    return {};
  }
  Result<std::int64_t> next_data(std::int64_t offset) override {
    const off_t at = lseek(fd_, offset, SEEK_DATA);  // nobody uses the descriptor's position
    if (at >= 0) return static_cast<std::int64_t>(at);
    if (errno == ENXIO) return size();
    return offset;
  }
  void start_writeback(std::int64_t offset, std::int64_t bytes) noexcept override {
    sync_file_range(fd_, offset, bytes, SYNC_FILE_RANGE_WRITE);
  }
  void drop_cache(std::int64_t offset, std::int64_t bytes) noexcept override {
    posix_fadvise(fd_, offset, bytes, POSIX_FADV_DONTNEED);
  }
  Result<std::unique_ptr<Mapping>> map(std::int64_t bytes, MapMode mode) override {
    return map_posix(fd_, bytes, mode, path_);
  }
  [[nodiscard]] int descriptor() const noexcept override { return fd_; }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  [[nodiscard]] Error failed(const char* what) const {
    return Error::from_errno(errno, path_ + ": " + what);
  }

  // Contents stay: what is there is read and written back.
  Result<void> write_zeros_into_holes(std::int64_t offset, std::int64_t bytes) {
    std::array<std::byte, 65536> block{};
    for (std::int64_t done = 0; done < bytes;) {
      const auto part =
          static_cast<std::size_t>(std::min<std::int64_t>(bytes - done, block.size()));
      const MutableBytes out = MutableBytes(block).first(part);
      MQ_TRY(const std::size_t had, read_at(offset + done, out));
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(had), out.end(), std::byte{0});
      MQ_CHECK(write_at(offset + done, out));
      done += static_cast<std::int64_t>(part);
    }
    return {};
  }

  int fd_;
  std::string path_;
};

}  // namespace

std::unique_ptr<File> make_posix_file(int descriptor, std::string path) {
  return std::make_unique<PosixFile>(descriptor, std::move(path));
}

}  // namespace mq::fs
