// Requests from the broker to its clients, over the connections that the clients opened
// (remoting.md section 9): one-way ones, and ones that are answered.
//
// Requests go out as JSON with numbers of our own; an answer counts only on the connection that was
// asked. Every `done` is called exactly once: with the answer, or kTimeout, or kClosed when the
// connection is not there or ends first, or kBusy when the client has stopped reading (then nothing
// is sent, so that such a client costs bounded memory).
//
// Any thread, but for opened(), closed() and answered(), which the server calls on the connection's
// thread. No lock is held while `done` runs; it runs on the connection's thread, on the caller's
// (nobody there), or on the thread that calls expire(), and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "net/server.h"
#include "wire/command.h"

namespace mq::server {

class ClientChannel {
 public:
  // Texts of its own, as it outlives the frame. A code other than 0 is an answer, too.
  struct Answer {
    std::int32_t code = 0;
    std::string remark;
    std::vector<std::pair<std::string, std::string>> ext;
    std::string body;
  };
  using Done = std::function<void(Result<Answer>)>;
  struct Request {
    std::int32_t code = 0;
    std::span<const wire::Field> ext{};
    Bytes body{};
  };
  static constexpr std::int64_t kTimeoutMs = 10'000;  // the reference's
  static constexpr std::size_t kUnsentBytesMax = 8 << 20;

  // `clock` is borrowed.
  explicit ClientChannel(Clock& clock) : clock_(clock) {}

  // Sends without an answer; false when the connection is not there. Never says whether it arrived.
  bool tell(std::uint64_t connection, const Request& request);
  // The same on the connection's own thread, ahead of what its handler answers after this.
  void tell_now(net::Connection& connection, const Request& request);
  void ask(std::uint64_t connection, const Request& request, Done done,
           std::int64_t timeout_ms = kTimeoutMs);
  // Ends the connection.
  void close(std::uint64_t connection);
  [[nodiscard]] std::size_t asked() const;  // that wait for an answer

  void opened(net::Connection& connection);
  void closed(const net::Connection& connection);
  // An answer that nobody waits for (any more) is dropped.
  void answered(const net::Connection& connection, const wire::Command& response);
  // About once a second: ends what has waited too long.
  void expire();

 private:
  struct Asked {
    std::int64_t deadline_us = 0;  // monotonic
    Done done;
  };
  using Key = std::pair<std::uint64_t, std::int32_t>;  // connection, opaque

  [[nodiscard]] std::shared_ptr<net::Connection> find(std::uint64_t connection) const;
  [[nodiscard]] std::int32_t next_opaque();
  [[nodiscard]] Done take(const Key& key);

  Clock& clock_;
  mutable Mutex mu_;
  std::int32_t last_opaque_ MQ_GUARDED_BY(mu_) = 0;
  std::map<std::uint64_t, std::weak_ptr<net::Connection>> connections_ MQ_GUARDED_BY(mu_);
  std::map<Key, Asked> asked_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::server
