// TLS on the server's side, on the same ports as plain connections: a connection whose first byte
// starts a handshake is encrypted (remoting.md 1.2). OpenSSL in memory: sockets stay where they
// are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace mq::net {

enum class TlsMode : std::uint8_t {
  kDisabled,    // a handshake closes the connection
  kPermissive,  // both
  kEnforcing,   // what is not a handshake closes the connection
};

struct TlsOptions {
  TlsMode mode = TlsMode::kPermissive;
  // PEM files. Without both, a key and a certificate that nobody has signed are made when the first
  // handshake comes, unless `self_signed` is off.
  std::string key_path{};
  std::string key_password{};
  std::string certificate_path{};
  bool self_signed = true;
  // Of clients.
  enum class ClientAuth : std::uint8_t { kNone, kOptional, kRequire };
  ClientAuth client_auth = ClientAuth::kNone;
  bool check_clients = false;  // who signed what they show
  std::string trusted_path{};  // PEM file of those who may
  std::string ciphers{};       // as OpenSSL names them, ':' between; empty: its own choice
  std::string protocols{};     // "TLSv1.2,TLSv1.3"; empty: both
};

class TlsSession;

// Any thread.
class TlsContext {
 public:
  // Reads the files. Errors: kInvalid naming the file or the option.
  static Result<std::shared_ptr<TlsContext>> create(const TlsOptions& options);

  [[nodiscard]] TlsMode mode() const noexcept { return options_.mode; }
  // Errors: kUnavailable (no key and none may be made, or OpenSSL fails).
  Result<std::unique_ptr<TlsSession>> new_session();

 private:
  explicit TlsContext(TlsOptions options) : options_(std::move(options)) {}
  using Context = std::shared_ptr<ssl_ctx_st>;
  static Result<Context> make(const TlsOptions& options);

  const TlsOptions options_;
  Mutex mu_;
  Context context_ MQ_GUARDED_BY(mu_);  // made at once from files, or at the first handshake
};

// One connection's end of the talk. One thread.
class TlsSession {
 public:
  explicit TlsSession(ssl_st* ssl) noexcept;  // takes it over
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Takes bytes from the socket, all of them. Errors: kProtocol; what is to be sent (an alert) is
  // in sealed() all the same.
  Result<void> feed(Bytes sealed);
  // Plain bytes that have arrived, as many as fit; 0: no more for now. Errors: kClosed (the peer
  // said so), kProtocol (no handshake, a certificate that is missing or not trusted, noise).
  Result<std::size_t> read(MutableBytes plain);
  // Encrypts all of it. Before the handshake is through it must not be called.
  Result<void> write(Bytes plain);
  [[nodiscard]] bool is_ready() const noexcept;  // the handshake is through
  // Appends what waits to be sent to `out`.
  void take_sealed(std::string& out);
  // Says that no more will be written.
  void close() noexcept;

 private:
  ssl_st* ssl_;
};

}  // namespace mq::net
