// Listeners and their connections: moves whole frames between sockets and one handler, on a few I/O
// threads (Asio, which no other room sees). A connection stays on one thread for life, and so do
// its buffers and all calls for it.
//
// Reading: as much as is there, then every whole frame of it goes to the handler in order, then
// everything that was answered meanwhile leaves in one gathered write. A peer that does not read
// stops being read from once more than Options::unsent_bytes_max wait for it. A frame that breaks
// the protocol, or a peer that is silent longer than idle_timeout_ms, costs that connection alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "net/address.h"

namespace mq::net {

// Bytes that live elsewhere (a mapped segment) and what keeps them there until they are sent.
struct PinnedBytes {
  Bytes bytes;
  std::shared_ptr<const void> hold;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  virtual ~Connection() = default;
  [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;  // never reused within a process
  // As seen by the socket, or announced by a PROXY header. Unix sockets: 127.0.0.1 and port 0.
  [[nodiscard]] virtual const std::string& peer_ip() const noexcept = 0;
  [[nodiscard]] virtual std::uint16_t peer_port() const noexcept = 0;
  [[nodiscard]] virtual bool is_unix() const noexcept = 0;
  // Does root or this process's own user speak, over a Unix socket and for itself (no PROXY
  // header)?
  [[nodiscard]] virtual bool is_trusted() const noexcept { return false; }

  // On the connection's thread only. What is appended to out() leaves, in order with send_pinned,
  // when the handler returns (or, from a posted function, when that returns).
  [[nodiscard]] virtual std::string& out() noexcept = 0;
  virtual void send_pinned(std::vector<PinnedBytes> spans) = 0;
  // What waits for the peer to read it: whoever sends without being asked looks here first.
  [[nodiscard]] virtual std::size_t unsent_bytes() const noexcept { return 0; }
  virtual void close() = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;

  // Any thread: runs `task` on the connection's thread, in order of posting; dropped if the
  // connection is gone by then.
  virtual void post(std::function<void(Connection&)> task) = 0;
  // On the connection's thread: runs `task` there after `ms`, unless the connection closes first.
  virtual void post_after(std::int64_t ms, std::function<void(Connection&)> task) = 0;

  // For the handler: whatever it wants to keep with a connection.
  std::shared_ptr<void> context;
};

// Called on the connection's thread. Must not block.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_open(Connection&) {}
  // What has arrived and is looked at now, before the frames in it; valid until the last of them.
  virtual void on_input(Connection&, Bytes) {}
  // One whole frame (length field included); valid during the call alone.
  virtual void on_frame(Connection& connection, Bytes frame) = 0;
  virtual void on_close(Connection&) {}
};

class TlsContext;

class Server {
 public:
  struct Options {
    int threads = 1;
    std::int64_t idle_timeout_ms = 120'000;
    std::size_t unsent_bytes_max = 8 << 20;
    std::shared_ptr<TlsContext> tls{};     // none: a TLS handshake breaks the protocol
    std::size_t connections_max = 20'000;  // one more is accepted and closed with a line in the log
  };
  struct Stats {
    std::int64_t connections = 0, accepted_total = 0, protocol_errors_total = 0;
    std::int64_t bytes_in_total = 0, bytes_out_total = 0;
  };
  static Result<std::unique_ptr<Server>> create(const Options& options, Handler& handler);
  virtual ~Server() = default;  // stops

  // Binds and starts to listen; port 0 picks a free one. Returns the address really bound. A stale
  // Unix socket file (nobody listens) is replaced, a live one is kBusy. `unix_mode`: permissions of
  // the socket file.
  virtual Result<Address> listen(const Address& address, unsigned unix_mode = 0660) = 0;
  // Takes over a listening descriptor (socket activation).
  virtual Result<Address> adopt(int descriptor) = 0;
  virtual void start() = 0;
  // Stops accepting, lets what is queued leave for at most `drain_ms`, closes all, joins the
  // threads. Idempotent.
  virtual void stop(std::int64_t drain_ms) = 0;
  virtual Stats stats() = 0;
  // Runs `task` every `interval_ms` on the first I/O thread until stop(). Before start() only.
  virtual void every(std::int64_t interval_ms, std::function<void()> task) = 0;
};

}  // namespace mq::net
