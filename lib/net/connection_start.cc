// What a connection can be besides plain frames: one that a proxy announces, one that is encrypted.
#include <algorithm>

#include "net/connection.h"
#include "net/proxy_header.h"

namespace mq::net {
namespace {

constexpr std::byte kTlsHandshake{0x16};
constexpr std::size_t kTlsRecordBytes = 16 << 10;
constexpr std::size_t kSealAtOnceBytes = 64 << 10;

}  // namespace

// The first bytes of a connection, and all of an encrypted one.
void ConnectionImpl::take_unusual(std::size_t bytes) {
  if (secured_) return unseal(fetch_head(bytes));
  if (buffer_.empty()) {
    buffer_.append(fetch_head(bytes));
  } else {
    buffer_.commit(bytes);
  }
  begin();
}

// No frame is longer than 16 MiB, so the first byte of one is zero: the first byte tells.
void ConnectionImpl::begin() {
  if (!proxied_ && may_start_proxy_header(buffer_.filled()[0]) && !take_proxy_header()) return;
  if (buffer_.empty()) return;
  begun_ = true;
  const TlsContext* const tls = loop_.shared().options.tls.get();
  const TlsMode mode = tls == nullptr ? TlsMode::kDisabled : tls->mode();
  const bool is_handshake = buffer_.filled()[0] == kTlsHandshake;
  if (is_handshake && mode != TlsMode::kDisabled) return start_tls();
  if (!is_handshake && mode == TlsMode::kEnforcing)
    return refuse(Error{Errc::kProtocol, "not encrypted, and TLS is enforced"});
  handle_buffered();
}

// False while it is not whole, or when it is none.
bool ConnectionImpl::take_proxy_header() {
  auto header = parse_proxy_header(buffer_.filled());
  if (!header) {
    refuse(header.error());
    return false;
  }
  if (!*header) return false;
  if ((*header)->ip) peer_.name = {*(*header)->ip, (*header)->port};
  buffer_.consume((*header)->bytes);
  proxied_ = true;
  return true;
}

void ConnectionImpl::start_tls() {
  auto session = loop_.shared().options.tls->new_session();
  if (!session) return refuse(session.error());
  secured_ = std::make_unique<Secured>();
  secured_->session = *std::move(session);
  const std::vector<std::byte> hello(buffer_.filled().begin(), buffer_.filled().end());
  buffer_.consume(hello.size());
  unseal(hello);
}

void ConnectionImpl::unseal(Bytes sealed) {
  auto fed = secured_->session->feed(sealed);
  if (!fed) return refuse(fed.error());
  Result<std::size_t> got = std::size_t{0};
  do {
    // Doubled: a frame of many records is not copied once for each of them.
    const std::size_t filled = buffer_.filled().size();
    if (buffer_.room().size() < kTlsRecordBytes)
      buffer_.reserve(filled + std::max(filled, kTlsRecordBytes));
    got = secured_->session->read(buffer_.room());
    if (got) buffer_.commit(*got);
  } while (got && *got > 0);
  handle_buffered();
  if (got) return;
  if (got.error().code() != Errc::kClosed) return refuse(got.error());
  closing_ = true;
}

bool ConnectionImpl::flush_sealed() {
  if (writing_) return true;
  Outbox& sealed = secured_->sealed;
  for (;;) {
    secured_->session->take_sealed(sealed.text());
    if (sealed.unsent_bytes() > 0) {
      const auto sent = sealed.send_to(socket_.native_handle());
      if (!sent) return false;
      if (*sent > 0) touch();
      bump(loop_.counters.bytes_out, static_cast<std::int64_t>(*sent));
      if (sealed.unsent_bytes() > 0) {
        if (!finished_) start_write();
        return true;
      }
    }
    if (outbox_.unsent_bytes() == 0 || !secured_->session->is_ready()) return true;
    const MutableBytes plain = loop_.scratch().first(kSealAtOnceBytes);
    const std::size_t bytes = outbox_.pop(plain);
    if (!secured_->session->write(plain.first(bytes))) return false;
  }
}

}  // namespace mq::net
