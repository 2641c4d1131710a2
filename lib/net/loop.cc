#include "net/loop.h"

#include "net/connection.h"

namespace mq::net {
namespace {

// How often the loop looks for silent peers: often enough for the timeout, never a burden.
std::int64_t sweep_interval_ms(std::int64_t idle_timeout_ms) noexcept {
  return idle_timeout_ms <= 0 ? 1000 : std::clamp<std::int64_t>(idle_timeout_ms / 8, 10, 1000);
}

}  // namespace

Loop::Loop(Shared& shared)
    : shared_(shared), tick_ms_(sweep_interval_ms(shared.options.idle_timeout_ms)) {}

void Loop::start_sweeping() {
  timer_.expires_after(std::chrono::milliseconds(tick_ms_));
  timer_.async_wait([this](AsioError error) {
    if (error) return;
    sweep();
    start_sweeping();
  });
}

void Loop::sweep() {
  ++tick_;
  // From the back, as a connection that closes is replaced by the last one.
  for (std::size_t i = connections_.size(); i-- > 0;)
    if (i < connections_.size()) std::shared_ptr(connections_[i])->on_tick();
}

void Loop::add(std::shared_ptr<ConnectionImpl> connection) {
  connection->index = connections_.size();
  connections_.push_back(std::move(connection));
}

void Loop::remove(ConnectionImpl& connection) {
  const std::size_t index = connection.index;
  connections_.back()->index = index;
  std::swap(connections_[index], connections_.back());
  connections_.pop_back();
  shared_.forget_one();
}

void Loop::drain_all() {
  for (std::size_t i = connections_.size(); i-- > 0;)
    if (i < connections_.size()) std::shared_ptr(connections_[i])->drain();
}

void Loop::close_all() {
  while (!connections_.empty()) std::shared_ptr(connections_.back())->finish();
}

MutableBytes Loop::scratch() {
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<std::byte[]>(kScratchBytes);
  return {scratch_.get(), kScratchBytes};
}

}  // namespace mq::net
