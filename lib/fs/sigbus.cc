#include "fs/sigbus.h"

#include <csignal>
#include <cstdint>
#include <mutex>

#include <sys/mman.h>

namespace mq::fs {
namespace {

constexpr std::uintptr_t kPageBytes = 4096;

std::atomic<MappedRange*> head{nullptr};
struct sigaction previous;

MappedRange* find_range(const std::byte* address) noexcept {
  for (MappedRange* r = head.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    const std::byte* begin = r->begin.load(std::memory_order_acquire);
    if (begin != nullptr && address >= begin && address < begin + r->bytes.load()) return r;
  }
  return nullptr;
}

// Async-signal-safe: atomics and mmap alone.
void on_sigbus(int signal, siginfo_t* info, void* context) {
  auto* address = static_cast<std::byte*>(info->si_addr);
  if (MappedRange* range = find_range(address); range != nullptr) {
    range->faulted.store(true, std::memory_order_release);
    void* page =  // NOLINTNEXTLINE(performance-no-int-to-ptr): the page of an address
        reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(address) & ~(kPageBytes - 1));
    const int protection = PROT_READ | (range->writable.load() ? PROT_WRITE : 0);
    if (mmap(page, kPageBytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page)
      return;
  }
  // Not ours: as if we had never been here. Returning runs the access again.
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
    return;
  }
  struct sigaction fallback {};
  fallback.sa_handler = SIG_DFL;
  sigaction(SIGBUS, &fallback, nullptr);
}

void install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

std::mutex& registry_mutex() {
  static std::mutex mu;
  return mu;
}

}  // namespace

MappedRange* register_range(std::byte* begin, std::size_t bytes, bool writable) {
  static std::once_flag once;
  std::call_once(once, install_handler);
  const std::lock_guard lock(registry_mutex());
  MappedRange* range = head.load(std::memory_order_relaxed);
  while (range != nullptr && range->begin.load() != nullptr) range = range->next;
  const bool fresh = range == nullptr;
  if (fresh) {
    range = new MappedRange;  // lives as long as the process: the handler may be looking at it
    range->next = head.load(std::memory_order_relaxed);
  }
  range->bytes.store(bytes);
  range->writable.store(writable);
  range->faulted.store(false);
  range->begin.store(begin, std::memory_order_release);
  if (fresh) head.store(range, std::memory_order_release);
  return range;
}

void unregister_range(MappedRange* range) noexcept {
  range->begin.store(nullptr, std::memory_order_release);
}

}  // namespace mq::fs
