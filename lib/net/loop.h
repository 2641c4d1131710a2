// One I/O thread: its io_context, the connections that live on it, and what they share.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "net/asio.h"
#include "net/server.h"

namespace mq::net {

class ConnectionImpl;

// What all loops of a server share.
struct Shared {
  Shared(const Server::Options& given, Handler& to) : options(given), handler(to) {}

  const Server::Options options;
  Handler& handler;
  std::atomic<bool> stopping{false};
  std::atomic<std::int64_t> accepted_total{0};

  // Connections that are open or on their way to their loop.
  std::atomic<std::int64_t> open{0};
  Mutex mu;
  CondVar one_less;
  void forget_one() {
    if (open.fetch_sub(1) != 1 || !stopping) return;
    MutexLock lock(mu);
    one_less.notify_all();
  }
};

class Loop {
 public:
  static constexpr std::size_t kScratchBytes = 256 << 10;

  explicit Loop(Shared& shared);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Any thread.
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  // On the loop's thread, or before it runs.
  void start_sweeping();
  void add(std::shared_ptr<ConnectionImpl> connection);
  void remove(ConnectionImpl& connection);  // may destroy it
  void drain_all();
  void close_all();
  [[nodiscard]] MutableBytes scratch();
  [[nodiscard]] std::uint32_t tick() const noexcept { return tick_; }
  [[nodiscard]] std::int64_t tick_ms() const noexcept { return tick_ms_; }
  [[nodiscard]] Shared& shared() noexcept { return shared_; }

  // Written on the loop's thread alone.
  struct Counters {
    std::atomic<std::int64_t> bytes_in{0};
    std::atomic<std::int64_t> bytes_out{0};
    std::atomic<std::int64_t> protocol_errors{0};
  };
  Counters counters;

 private:
  void sweep();

  Shared& shared_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  asio::steady_timer timer_{context_};
  std::vector<std::shared_ptr<ConnectionImpl>> connections_;
  std::unique_ptr<std::byte[]> scratch_;
  std::int64_t tick_ms_;
  std::uint32_t tick_ = 0;
};

// Counters have one writer, so no locked instruction is needed.
inline void bump(std::atomic<std::int64_t>& counter, std::int64_t by) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace mq::net
