// What waits to be sent on one connection: text appended by the handler, and pinned spans in
// between, gathered into as few writes as the system allows. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/server.h"

namespace mq::net {

class Outbox {
 public:
  // Whoever appends here appends behind all that is queued already.
  [[nodiscard]] std::string& text() noexcept { return text_; }
  void add_pinned(std::vector<PinnedBytes> spans);

  [[nodiscard]] std::size_t unsent_bytes() const noexcept {
    return text_.size() - text_sent_ + pinned_unsent_;
  }
  // Writes until nothing is left or the socket takes no more. Returns the bytes written. Errors:
  // kIo, kClosed.
  Result<std::size_t> send_to(int fd);
  // Moves bytes from the front to `out`, for whoever sends them in another form; returns how many.
  std::size_t pop(MutableBytes out) noexcept;
  // Gives back memory that a busy time has left behind; only when nothing is unsent.
  void shrink() noexcept;

 private:
  struct Span {
    std::size_t text_before;  // how much of text_ leaves before it
    PinnedBytes pinned;
  };
  struct Gathered;
  void gather(Gathered& out) const noexcept;
  void advance(std::size_t bytes) noexcept;
  void drop_sent_text() noexcept;

  std::string text_;
  std::vector<Span> spans_;
  std::size_t text_sent_ = 0;
  std::size_t spans_sent_ = 0;  // of spans_, whole
  std::size_t front_sent_ = 0;  // bytes of the first span that is not sent whole
  std::size_t pinned_unsent_ = 0;
};

}  // namespace mq::net
