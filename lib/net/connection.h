// One connection on its loop. Reads go through a small buffer of its own, then the loop's large
// one, so that a silent connection keeps about 1 KiB and a busy one reads 256 KiB at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "net/asio.h"
#include "net/descriptor.h"
#include "net/loop.h"
#include "net/outbox.h"
#include "net/read_buffer.h"
#include "net/server.h"
#include "net/sockets.h"
#include "net/tls.h"

namespace mq::net {

class ConnectionImpl final : public Connection {
 public:
  struct Peer {
    std::uint64_t id = 0;
    PeerName name;
    int family = 0;
    bool is_trusted = false;
  };
  ConnectionImpl(Loop& loop, Descriptor fd, Peer peer);

  [[nodiscard]] std::uint64_t id() const noexcept override { return peer_.id; }
  [[nodiscard]] const std::string& peer_ip() const noexcept override { return peer_.name.ip; }
  [[nodiscard]] std::uint16_t peer_port() const noexcept override { return peer_.name.port; }
  [[nodiscard]] bool is_unix() const noexcept override;
  [[nodiscard]] bool is_trusted() const noexcept override { return peer_.is_trusted && !proxied_; }
  [[nodiscard]] std::string& out() noexcept override { return outbox_.text(); }
  void send_pinned(std::vector<PinnedBytes> spans) override;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override {
    return outbox_.unsent_bytes() + (secured_ ? secured_->sealed.unsent_bytes() : 0);
  }
  void close() override { closing_ = true; }  // carried out at the end of the turn
  [[nodiscard]] bool is_open() const noexcept override { return !closing_; }
  void post(std::function<void(Connection&)> task) override;
  void post_after(std::int64_t ms, std::function<void(Connection&)> task) override;

  // On the loop's thread.
  void open();     // the first turn
  void on_tick();  // closes when silent for too long, gives memory back when idle
  void drain();    // reads no more, closes once everything is sent
  void finish();   // closes now

  std::size_t index = 0;  // the loop's

 private:
  static constexpr std::size_t kHeadBytes = 1024;

  [[nodiscard]] std::shared_ptr<ConnectionImpl> self();
  [[nodiscard]] bool is_clogged() const noexcept;
  void touch() noexcept { last_tick_ = loop_.tick(); }

  // An encrypted connection's session, and its bytes on their way out.
  struct Secured {
    std::unique_ptr<TlsSession> session;
    Outbox sealed;
  };
  void start_read();
  void on_read(AsioError error, std::size_t bytes);
  [[nodiscard]] Bytes fetch_head(std::size_t bytes);
  void take_head(std::size_t bytes);
  void take_unusual(std::size_t bytes);
  void begin();
  bool take_proxy_header();
  void start_tls();
  void unseal(Bytes sealed);
  void refuse(const Error& error);
  std::size_t handle_frames(Bytes in);
  void handle_buffered();
  void run_mail();
  void end_turn();
  bool flush();
  bool flush_sealed();
  void start_write();

  Loop& loop_;
  Peer peer_;
  asio::generic::stream_protocol::socket socket_;
  Outbox outbox_;
  ReadBuffer buffer_;
  std::vector<std::shared_ptr<asio::steady_timer>> timers_;
  std::vector<std::function<void(Connection&)>> running_;
  std::unique_ptr<Secured> secured_;
  std::uint32_t last_tick_;
  bool begun_ = false;    // the first bytes have shown what it is
  bool proxied_ = false;  // they started with a PROXY header
  bool reading_ = false;
  bool in_buffer_ = false;  // where the read goes: to buffer_, or else to head_
  // More than head_ came at once: the next read goes to buffer_, where it takes one call.
  bool sends_large_ = false;
  bool writing_ = false;
  bool stalled_ = false;  // buffer_ may hold whole frames that wait until the peer reads
  bool draining_ = false;
  bool closing_ = false;
  bool finished_ = false;

  Mutex mail_mu_;
  std::vector<std::function<void(Connection&)>> mail_ MQ_GUARDED_BY(mail_mu_);
  bool mail_closed_ MQ_GUARDED_BY(mail_mu_) = false;

  std::array<std::byte, kHeadBytes> head_;
};

}  // namespace mq::net
