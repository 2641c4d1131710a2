#include "support/fault_inode.h"

#include <algorithm>
#include <cerrno>

#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"

namespace mq::test {

FaultInode::FaultInode() : fd_(memfd_create("mq-fault-fs", MFD_CLOEXEC)) { MQ_ASSERT(fd_ >= 0); }
FaultInode::~FaultInode() { ::close(fd_); }

std::int64_t FaultInode::missing_bytes(std::int64_t offset, std::int64_t bytes) const {
  std::int64_t missing = 0;
  for (std::int64_t n = offset / kPageBytes; n * kPageBytes < offset + bytes; ++n) {
    if (!reserved_.contains(n)) missing += kPageBytes;
  }
  return missing;
}

void FaultInode::reserve(std::int64_t offset, std::int64_t bytes) {
  for (std::int64_t n = offset / kPageBytes; n * kPageBytes < offset + bytes; ++n) {
    reserved_.insert(reserved_.end(), n);
  }
}

void FaultInode::resize(std::int64_t bytes) {
  if (bytes == size_) return;
  MQ_ASSERT(ftruncate(fd_, bytes) == 0);
  if (bytes < size_) {
    reserved_.erase(reserved_.lower_bound((bytes + kPageBytes - 1) / kPageBytes), reserved_.end());
  }
  size_ = bytes;
  sizes_.push_back(bytes);
}

std::size_t FaultInode::read(std::int64_t offset, MutableBytes out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        pread(fd_, out.data() + done, out.size() - done, offset + static_cast<std::int64_t>(done));
    MQ_ASSERT(n >= 0);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void FaultInode::write(std::int64_t offset, Bytes bytes) {
  const auto end = offset + static_cast<std::int64_t>(bytes.size());
  if (end > size_) resize(end);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = pwrite(fd_, bytes.data() + done, bytes.size() - done,
                             offset + static_cast<std::int64_t>(done));
    MQ_ASSERT(n > 0);
    done += static_cast<std::size_t>(n);
  }
}

const FaultInode::Page& FaultInode::page_of(const Pages& pages, std::int64_t number) {
  static const Page kZeros{};
  const auto found = pages.find(number);
  return found == pages.end() ? kZeros : found->second;
}

FaultInode::Pages FaultInode::live_pages() const {
  Pages out;
  off_t at = 0;
  while ((at = lseek(fd_, at, SEEK_DATA)) >= 0) {
    const off_t end = lseek(fd_, at, SEEK_HOLE);
    for (; at < end; at += kPageBytes) {
      Page page{};
      (void)read(at, page);
      if (page != Page{}) out.emplace_hint(out.end(), at / kPageBytes, page);
    }
  }
  return out;
}

std::vector<std::int64_t> FaultInode::dirty(const Pages& live, const Range& range) const {
  std::set<std::int64_t> numbers;
  for (const auto& [n, page] : live) numbers.insert(numbers.end(), n);
  for (const auto& [n, page] : durable_) numbers.insert(n);
  std::vector<std::int64_t> out;
  for (const std::int64_t n : numbers) {
    if ((n + 1) * kPageBytes <= range.begin || n * kPageBytes >= range.end) continue;
    const Page& now = page_of(live, n);
    if (now == page_of(durable_, n)) continue;
    if (const auto lost = lost_.find(n); lost != lost_.end() && lost->second == now) continue;
    out.push_back(n);
  }
  return out;
}

std::int64_t FaultInode::sync(const Range& range) {
  const Pages live = live_pages();
  std::int64_t unreserved = 0;
  for (const std::int64_t n : dirty(live, range)) {
    if (reserved_.insert(n).second && live.contains(n)) ++unreserved;
    durable_[n] = page_of(live, n);
    lost_.erase(n);
  }
  durable_size_ = size_;
  sizes_.clear();
  return unreserved;
}

void FaultInode::fail_sync(const Range& range) {
  const Pages live = live_pages();
  for (const std::int64_t n : dirty(live, range)) lost_[n] = page_of(live, n);
}

std::shared_ptr<FaultInode> FaultInode::after_power_cut(std::mt19937_64& random) const {
  const Pages live = live_pages();
  Pages pages = durable_;
  for (const std::int64_t n : dirty(live, {})) {
    Page& page = pages[n];
    const Page& now = page_of(live, n);
    const std::uint64_t fate = random() % 3;
    if (fate == 0) continue;
    // Whole, or sector by sector.
    for (std::int64_t at = 0; at < kPageBytes; at += kSectorBytes) {
      if (fate == 1 || random() % 2 == 0)
        std::copy_n(now.begin() + at, kSectorBytes, page.begin() + at);
    }
  }
  std::int64_t size = durable_size_;
  if (!sizes_.empty()) {
    const std::uint64_t pick = random() % (sizes_.size() + 1);
    if (pick > 0) size = sizes_[pick - 1];
  }
  auto out = std::make_shared<FaultInode>();
  out->resize(size);
  for (const auto& [n, page] : pages) {
    const std::int64_t at = n * kPageBytes;
    if (at >= size || page == Page{}) continue;
    const auto bytes = static_cast<std::size_t>(std::min(kPageBytes, size - at));
    out->reserve(at, kPageBytes);
    out->write(at, Bytes(page).first(bytes));
  }
  // Reservations are metadata; those of the last sync are not told apart from later ones.
  for (const std::int64_t n : reserved_) {
    if (n * kPageBytes < size) out->reserved_.insert(n);
  }
  out->mtime_ms = mtime_ms;
  (void)out->sync({});
  return out;
}

}  // namespace mq::test
