// A device that fails under a mapped access raises SIGBUS. This turns it into a flag: the page is
// replaced by anonymous zeros, the mapping is marked, the access goes on. Private to fs.
#pragma once

#include <atomic>
#include <cstddef>

namespace mq::fs {

// One entry of the registry that the signal handler walks: never freed, only reused, so that the
// handler needs no lock.
struct MappedRange {
  std::atomic<std::byte*> begin{nullptr};  // null: free
  std::atomic<std::size_t> bytes{0};
  std::atomic<bool> writable{false};
  std::atomic<bool> faulted{false};
  MappedRange* next = nullptr;  // set once, before the entry is published
};

// Installs the handler on the first call. The range stays registered until unregister_range.
MappedRange* register_range(std::byte* begin, std::size_t bytes, bool writable);
void unregister_range(MappedRange* range) noexcept;

}  // namespace mq::fs
