#include <cerrno>

#include <sys/mman.h>

#include "fs/posix_internal.h"
#include "fs/sigbus.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace mq::fs {
namespace {

constexpr std::int64_t kPageBytes = 4096;

class PosixMapping final : public Mapping {
 public:
  PosixMapping(std::byte* begin, std::size_t bytes, bool writable, std::string path)
      : view_(begin, bytes),
        writable_(writable),
        path_(std::move(path)),
        range_(register_range(begin, bytes, writable)) {}
  ~PosixMapping() override {
    unregister_range(range_);
    munmap(view_.data(), view_.size());
  }
  PosixMapping(const PosixMapping&) = delete;
  PosixMapping& operator=(const PosixMapping&) = delete;

  [[nodiscard]] MutableBytes bytes() noexcept override { return view_; }
  [[nodiscard]] bool faulted() const noexcept override {
    return range_->faulted.load(std::memory_order_acquire);
  }

  void prefault(std::int64_t offset, std::int64_t bytes, Pages grain) noexcept override {
    const MutableBytes part = pages(offset, bytes);
    if (part.empty()) return;
    // What is read without its neighbours is not joined with them.
    if (grain == Pages::kSmall) madvise(part.data(), part.size(), MADV_RANDOM);
    const int rc =
        madvise(part.data(), part.size(), writable_ ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
    if (grain == Pages::kSmall) madvise(part.data(), part.size(), MADV_NORMAL);
    if (rc == 0) return;
    // Kernels before 5.14: touch each page. A read and a write of the same byte would race with a
    // writer, so pages are only read in; the first write still faults, but finds the page in
    // memory.
    const volatile std::byte* data = part.data();
    for (std::size_t at = 0; at < part.size(); at += kPageBytes) (void)data[at];
  }
  Result<void> sync(std::int64_t offset, std::int64_t bytes) override {
    const MutableBytes part = pages(offset, bytes);
    if (part.empty() || msync(part.data(), part.size(), MS_SYNC) == 0) return {};
    return Error::from_errno(errno, path_ + ": sync");
  }
  void release(std::int64_t offset, std::int64_t bytes) noexcept override {
    const MutableBytes part = pages(offset, bytes);
    if (!part.empty()) madvise(part.data(), part.size(), MADV_DONTNEED);
  }
  std::vector<unsigned char> resident() override {
    std::vector<unsigned char> out((view_.size() + kPageBytes - 1) / kPageBytes);
    if (mincore(view_.data(), view_.size(), out.data()) != 0) out.clear();
    return out;
  }
  void advise(Advice advice) noexcept override {
    int value = MADV_NORMAL;
    if (advice == Advice::kSequential) value = MADV_SEQUENTIAL;
    if (advice == Advice::kRandom) value = MADV_RANDOM;
    if (advice == Advice::kWillNeed) value = MADV_WILLNEED;
    madvise(view_.data(), view_.size(), value);
  }
  Result<void> lock_memory() noexcept override {
    if (mlock(view_.data(), view_.size()) == 0) return {};
    if (errno == ENOMEM || errno == EPERM) {
      return Error{Errc::kNoSpace, "mlock: RLIMIT_MEMLOCK is smaller than the file"};
    }
    return Error::from_errno(errno, "mlock");
  }
  void unlock_memory() noexcept override { munlock(view_.data(), view_.size()); }

 private:
  // The whole pages that cover [offset, offset+bytes), within the mapping.
  [[nodiscard]] MutableBytes pages(std::int64_t offset, std::int64_t bytes) const noexcept {
    const auto size = static_cast<std::int64_t>(view_.size());
    const std::int64_t begin = std::max<std::int64_t>(0, offset) / kPageBytes * kPageBytes;
    const std::int64_t end = std::min(size, offset + bytes);
    if (begin >= end) return {};
    return view_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }

  MutableBytes view_;
  bool writable_;
  const std::string path_;
  MappedRange* range_;
};

}  // namespace

Result<std::unique_ptr<Mapping>> map_posix(int descriptor, std::int64_t bytes, MapMode mode,
                                           const std::string& path) {
  if (bytes <= 0) return Error{Errc::kInvalid, path + ": nothing to map"};
  const bool writable = mode == MapMode::kReadWrite;
  void* at = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | (writable ? PROT_WRITE : 0),
                  MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) return Error::from_errno(errno, path + ": mmap");
  return std::unique_ptr<Mapping>(std::make_unique<PosixMapping>(
      static_cast<std::byte*>(at), static_cast<std::size_t>(bytes), writable, path));
}

}  // namespace mq::fs
