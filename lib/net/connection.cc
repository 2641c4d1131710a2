#include "net/connection.h"

#include <cerrno>

#include "base/log.h"
#include "wire/command.h"

namespace mq::net {
namespace {

constexpr std::size_t kBufferBytesMin = 16 << 10;
constexpr std::size_t kBufferBytesBusy = 256 << 10;

// How large the buffer for an unfinished frame is to be: with what has arrived, not with what a
// peer announces, up to the size of the frame or of a busy connection's reads.
std::size_t buffer_bytes_for(std::size_t arrived, std::size_t frame) noexcept {
  const std::size_t wanted = std::max(frame, kBufferBytesBusy);
  return std::clamp(4 * arrived, kBufferBytesMin, wanted);
}

}  // namespace

ConnectionImpl::ConnectionImpl(Loop& loop, Descriptor fd, Peer peer)
    : loop_(loop), peer_(std::move(peer)), socket_(loop.context()), last_tick_(loop.tick()) {
  AsioError error;
  const int descriptor = fd.release();
  socket_.assign(asio::generic::stream_protocol(peer_.family, 0), descriptor, error);
  if (error) {
    ::close(descriptor);
    closing_ = true;
  }
}

bool ConnectionImpl::is_unix() const noexcept { return peer_.family == AF_UNIX; }

std::shared_ptr<ConnectionImpl> ConnectionImpl::self() {
  return std::static_pointer_cast<ConnectionImpl>(shared_from_this());
}

bool ConnectionImpl::is_clogged() const noexcept {
  return unsent_bytes() > loop_.shared().options.unsent_bytes_max;
}

void ConnectionImpl::open() {
  loop_.add(self());
  loop_.shared().handler.on_open(*this);
  end_turn();
}

void ConnectionImpl::send_pinned(std::vector<PinnedBytes> spans) {
  outbox_.add_pinned(std::move(spans));
}

void ConnectionImpl::start_read() {
  if (reading_ || draining_ || is_clogged()) return;
  MutableBytes into = head_;
  in_buffer_ = !secured_ && (!buffer_.empty() || sends_large_);
  if (in_buffer_) {
    const Bytes part = buffer_.filled();
    buffer_.reserve(buffer_bytes_for(part.size(), wire::frame_bytes(part).value_or(0)));
    into = buffer_.room();
  }
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(into.data(), into.size()),
      [this, hold = self()](AsioError error, std::size_t bytes) { on_read(error, bytes); });
}

void ConnectionImpl::on_read(AsioError error, std::size_t bytes) {
  reading_ = false;
  if (finished_) return;
  if (error == asio::error::operation_aborted) {  // by on_tick, to have the buffer back
    buffer_.release();
    return end_turn();
  }
  if (error) return finish();
  touch();
  bump(loop_.counters.bytes_in, static_cast<std::int64_t>(bytes));
  if (draining_) return;
  if (!begun_ || secured_) [[unlikely]] {
    take_unusual(bytes);
  } else if (in_buffer_) {
    buffer_.commit(bytes);
    handle_buffered();
  } else {
    take_head(bytes);
  }
  end_turn();
}

// What arrived in the small buffer; when it is full, there is probably more, and a large read
// fetches it.
Bytes ConnectionImpl::fetch_head(std::size_t bytes) {
  if (bytes < head_.size()) return Bytes(head_).first(bytes);
  const MutableBytes scratch = loop_.scratch();
  std::memcpy(scratch.data(), head_.data(), bytes);
  const ssize_t more =
      ::recv(socket_.native_handle(), scratch.data() + bytes, scratch.size() - bytes, MSG_DONTWAIT);
  // An end or an error shows again at the next read.
  const std::size_t fetched = more > 0 ? static_cast<std::size_t>(more) : 0;
  bump(loop_.counters.bytes_in, static_cast<std::int64_t>(fetched));
  return scratch.first(bytes + fetched);
}

void ConnectionImpl::take_head(std::size_t bytes) {
  sends_large_ = bytes == head_.size();
  const Bytes arrived = fetch_head(bytes);
  const std::size_t taken = handle_frames(arrived);
  if (!closing_) buffer_.append(arrived.subspan(taken));
}

void ConnectionImpl::handle_buffered() {
  buffer_.consume(handle_frames(buffer_.filled()));
  if (buffer_.empty() && buffer_.capacity() > kBufferBytesBusy) buffer_.release();
}

// Hands every whole frame to the handler; returns how many bytes they were.
std::size_t ConnectionImpl::handle_frames(Bytes in) {
  std::size_t at = 0;
  loop_.shared().handler.on_input(*this, in);
  while (!closing_ && at < in.size()) {
    const auto bytes = wire::frame_bytes(in.subspan(at));
    if (!bytes) {
      refuse(bytes.error());
      break;
    }
    if (*bytes == 0 || *bytes > in.size() - at) break;
    if (is_clogged() && (!flush() || is_clogged())) {
      stalled_ = true;
      break;
    }
    loop_.shared().handler.on_frame(*this, in.subspan(at, *bytes));
    at += *bytes;
  }
  return at;
}

void ConnectionImpl::post(std::function<void(Connection&)> task) {
  const MutexLock lock(mail_mu_);
  if (mail_closed_) return;
  const bool was_empty = mail_.empty();
  mail_.push_back(std::move(task));
  // Under the lock: once mail_closed_ is set, the loop may be gone.
  if (was_empty) asio::post(loop_.context(), [hold = self()] { hold->run_mail(); });
}

void ConnectionImpl::run_mail() {
  {
    const MutexLock lock(mail_mu_);
    running_.swap(mail_);
  }
  for (auto& task : running_) {
    if (closing_) break;
    task(*this);
  }
  running_.clear();
  end_turn();
}

void ConnectionImpl::post_after(std::int64_t ms, std::function<void(Connection&)> task) {
  if (closing_) return;
  auto timer = std::make_shared<asio::steady_timer>(loop_.context(), std::chrono::milliseconds(ms));
  timers_.push_back(timer);
  timer->async_wait([this, timer, hold = self(), task = std::move(task)](AsioError error) {
    if (error || closing_) return;
    std::erase(timers_, timer);
    task(*this);
    end_turn();
  });
}

// After the handler has had its say: everything that was answered leaves, and reading goes on if
// the peer keeps up.
void ConnectionImpl::end_turn() {
  while (!finished_) {
    if (!flush() || closing_) return finish();
    if (draining_ && unsent_bytes() == 0) return finish();
    if (!stalled_ || draining_ || is_clogged()) return start_read();
    stalled_ = false;
    handle_buffered();
  }
}

// False when the connection is beyond use.
bool ConnectionImpl::flush() {
  if (secured_) [[unlikely]]
    return flush_sealed();
  if (writing_ || outbox_.unsent_bytes() == 0) return true;
  const auto sent = outbox_.send_to(socket_.native_handle());
  if (!sent) return false;
  if (*sent > 0) touch();
  bump(loop_.counters.bytes_out, static_cast<std::int64_t>(*sent));
  if (outbox_.unsent_bytes() > 0) start_write();
  return true;
}

void ConnectionImpl::refuse(const Error& error) {
  bump(loop_.counters.protocol_errors, 1);
  log::debug("connection {} of {}: {}", id(), peer_ip(), error.text());
  closing_ = true;
}

void ConnectionImpl::start_write() {
  writing_ = true;
  socket_.async_wait(asio::socket_base::wait_write, [this, hold = self()](AsioError error) {
    writing_ = false;
    if (finished_) return;
    if (error) return finish();
    end_turn();
  });
}

void ConnectionImpl::on_tick() {
  constexpr std::uint32_t kIdleTicks = 2;
  const std::uint32_t silent = loop_.tick() - last_tick_;
  const std::int64_t timeout_ms = loop_.shared().options.idle_timeout_ms;
  // The tick that was running when the peer was last heard counts for nothing.
  if (timeout_ms > 0 && (std::int64_t{silent} - 1) * loop_.tick_ms() >= timeout_ms) return finish();
  if (silent != kIdleTicks) return;
  outbox_.shrink();
  if (secured_) secured_->sealed.shrink();
  if (!reading_) return;
  running_ = {};
  sends_large_ = false;
  // A read that waits in the empty buffer has to let go of it first.
  if (!in_buffer_) return buffer_.release();
  AsioError ignored;
  if (buffer_.empty() && !writing_) socket_.cancel(ignored);
}

void ConnectionImpl::drain() {
  draining_ = true;
  end_turn();
}

void ConnectionImpl::finish() {
  if (std::exchange(finished_, true)) return;
  const auto hold = self();
  closing_ = true;
  std::vector<std::function<void(Connection&)>> unread;
  {
    const MutexLock lock(mail_mu_);
    mail_closed_ = true;
    unread.swap(mail_);
  }
  for (const auto& timer : timers_) timer->cancel();
  timers_.clear();
  if (secured_ && secured_->session->is_ready() && !writing_) {
    secured_->session->close();
    (void)flush_sealed();
  }
  if (draining_ && socket_.is_open()) {
    // Closing over unread bytes would reset the connection and cost the peer its last answers.
    const MutableBytes scratch = loop_.scratch();
    (void)::recv(socket_.native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  }
  AsioError ignored;
  socket_.close(ignored);
  loop_.shared().handler.on_close(*this);
  loop_.remove(*this);
}

}  // namespace mq::net
