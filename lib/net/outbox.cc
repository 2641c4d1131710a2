#include "net/outbox.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace mq::net {

struct Outbox::Gathered {
  std::array<iovec, 128> vectors;
  std::size_t count = 0;
  std::size_t bytes = 0;
  [[nodiscard]] bool full() const noexcept { return count == vectors.size(); }
  void add(const void* data, std::size_t size) noexcept {
    if (size == 0 || full()) return;
    vectors[count++] = {const_cast<void*>(data), size};
    bytes += size;
  }
};

void Outbox::add_pinned(std::vector<PinnedBytes> spans) {
  for (auto& span : spans) {
    if (span.bytes.empty()) continue;
    pinned_unsent_ += span.bytes.size();
    spans_.push_back({text_.size(), std::move(span)});
  }
}

void Outbox::gather(Gathered& out) const noexcept {
  std::size_t text_at = text_sent_;
  std::size_t skip = front_sent_;
  for (std::size_t i = spans_sent_; i < spans_.size() && !out.full(); ++i) {
    const Span& span = spans_[i];
    out.add(text_.data() + text_at, span.text_before - text_at);
    text_at = span.text_before;
    out.add(span.pinned.bytes.data() + skip, span.pinned.bytes.size() - skip);
    skip = 0;
  }
  if (!out.full()) out.add(text_.data() + text_at, text_.size() - text_at);
}

void Outbox::advance(std::size_t bytes) noexcept {
  while (spans_sent_ < spans_.size()) {
    Span& span = spans_[spans_sent_];
    const std::size_t text = std::min(bytes, span.text_before - text_sent_);
    text_sent_ += text;
    bytes -= text;
    const std::size_t pinned = std::min(bytes, span.pinned.bytes.size() - front_sent_);
    front_sent_ += pinned;
    pinned_unsent_ -= pinned;
    bytes -= pinned;
    if (text_sent_ < span.text_before || front_sent_ < span.pinned.bytes.size()) return;
    span.pinned.hold.reset();
    front_sent_ = 0;
    ++spans_sent_;
  }
  text_sent_ += bytes;
}

void Outbox::drop_sent_text() noexcept {
  constexpr std::size_t kWorthMoving = 64 << 10;
  if (unsent_bytes() == 0) {
    text_.clear();
    spans_.clear();
    text_sent_ = spans_sent_ = 0;
  } else if (text_sent_ > kWorthMoving || spans_sent_ > 1024) {
    spans_.erase(spans_.begin(), spans_.begin() + static_cast<std::ptrdiff_t>(spans_sent_));
    for (Span& span : spans_) span.text_before -= text_sent_;
    text_.erase(0, text_sent_);
    text_sent_ = spans_sent_ = 0;
  }
}

Result<std::size_t> Outbox::send_to(int fd) {
  std::size_t total = 0;
  while (unsent_bytes() > 0) {
    Gathered out;
    gather(out);
    msghdr message{};
    message.msg_iov = out.vectors.data();
    message.msg_iovlen = out.count;
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) {
      const bool closed = errno == EPIPE || errno == ECONNRESET;
      return closed ? Error{Errc::kClosed} : Error::from_errno(errno, "send");
    }
    advance(static_cast<std::size_t>(sent));
    total += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < out.bytes) break;  // its buffer is full
  }
  drop_sent_text();
  return total;
}

std::size_t Outbox::pop(MutableBytes out) noexcept {
  std::size_t total = 0;
  while (total < out.size() && unsent_bytes() > 0) {
    Gathered front;
    gather(front);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < front.count && total + taken < out.size(); ++i) {
      const std::size_t n = std::min(front.vectors[i].iov_len, out.size() - total - taken);
      std::memcpy(out.data() + total + taken, front.vectors[i].iov_base, n);
      taken += n;
    }
    advance(taken);
    total += taken;
  }
  drop_sent_text();
  return total;
}

void Outbox::shrink() noexcept {
  if (unsent_bytes() > 0) return;
  text_ = std::string();
  spans_ = std::vector<Span>();
}

}  // namespace mq::net
