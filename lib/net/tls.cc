#include "net/tls.h"

#include <array>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/log.h"

namespace mq::net {
namespace {

std::string openssl_text() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) return "unknown reason";
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

Error invalid(std::string_view what, std::string_view value) {
  return Error{Errc::kInvalid, fmt::format("{} '{}': {}", what, value, openssl_text())};
}

// SSL_CTX's way to ask for the password of a key; `user` is ours.
int give_password(char* out, int size, int, void* user) {
  const auto& password = *static_cast<const std::string*>(user);
  if (password.size() > static_cast<std::size_t>(size)) return 0;
  std::copy(password.begin(), password.end(), out);
  return static_cast<int>(password.size());
}

Result<void> take_files(SSL_CTX* context, const TlsOptions& options) {
  std::string password = options.key_password;  // alive while the key is read
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_path.c_str()) != 1)
    return invalid("certificate", options.certificate_path);
  if (SSL_CTX_use_PrivateKey_file(context, options.key_path.c_str(), SSL_FILETYPE_PEM) != 1)
    return invalid("key", options.key_path);
  if (SSL_CTX_check_private_key(context) != 1)
    return invalid("the key does not fit the certificate", options.key_path);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  return {};
}

// A key on P-256 and a certificate that it signs itself, good for ten years.
Result<void> make_certificate(SSL_CTX* context) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  if (!key || !certificate) return Error{Errc::kUnavailable, openssl_text()};
  constexpr long kTenYears = 10L * 365 * 86'400;
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86'400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kTenYears);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  static constexpr std::string_view kName = "mqd self-signed";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(kName.data()),
                             static_cast<int>(kName.size()), -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0 ||
      SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return Error{Errc::kUnavailable, openssl_text()};
  return {};
}

Result<void> set_protocols(SSL_CTX* context, std::string_view protocols) {
  constexpr std::array<std::pair<std::string_view, int>, 2> kKnown = {
      {{"TLSv1.2", TLS1_2_VERSION}, {"TLSv1.3", TLS1_3_VERSION}}};
  int min = 0;
  int max = 0;
  for (std::string_view rest = protocols; !rest.empty();) {
    const std::size_t end = rest.find(',');
    const std::string_view name = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    int version = 0;
    for (const auto& [known, number] : kKnown)
      if (known == name) version = number;
    if (version == 0)
      return Error{Errc::kInvalid,
                   fmt::format("TLS protocol '{}' is neither TLSv1.2 nor TLSv1.3", name)};
    min = min == 0 ? version : std::min(min, version);
    max = std::max(max, version);
  }
  SSL_CTX_set_min_proto_version(context, min == 0 ? TLS1_2_VERSION : min);
  SSL_CTX_set_max_proto_version(context, max);  // 0: the newest
  return {};
}

int accept_anybody(int, X509_STORE_CTX*) { return 1; }

Result<void> set_client_auth(SSL_CTX* context, const TlsOptions& options) {
  using Auth = TlsOptions::ClientAuth;
  if (options.client_auth == Auth::kNone) return {};
  int how = SSL_VERIFY_PEER;
  if (options.client_auth == Auth::kRequire) how |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, how, options.check_clients ? nullptr : accept_anybody);
  if (!options.check_clients) return {};
  if (options.trusted_path.empty())
    return Error{Errc::kInvalid,
                 "clients are to be checked, but nobody is trusted: tls.server.trustCertPath"};
  if (SSL_CTX_load_verify_file(context, options.trusted_path.c_str()) != 1)
    return invalid("trusted certificates", options.trusted_path);
  return {};
}

}  // namespace

Result<TlsContext::Context> TlsContext::make(const TlsOptions& options) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Error{Errc::kUnavailable, openssl_text()};
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  MQ_CHECK(set_protocols(context.get(), options.protocols));
  if (!options.ciphers.empty() &&
      SSL_CTX_set_cipher_list(context.get(), options.ciphers.c_str()) != 1)
    return invalid("tls.ciphers", options.ciphers);
  MQ_CHECK(set_client_auth(context.get(), options));
  if (!options.key_path.empty() || !options.certificate_path.empty()) {
    MQ_CHECK(take_files(context.get(), options));
  } else {
    MQ_CHECK(make_certificate(context.get()));
  }
  return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::create(const TlsOptions& options) {
  std::shared_ptr<TlsContext> out(new TlsContext(options));
  const bool from_files = !options.key_path.empty() || !options.certificate_path.empty();
  const bool checked = options.client_auth != TlsOptions::ClientAuth::kNone ||
                       !options.ciphers.empty() || !options.protocols.empty();
  if (options.mode == TlsMode::kDisabled || (!from_files && !checked)) return out;
  const MutexLock lock(out->mu_);
  MQ_TRY(out->context_, make(options));
  return out;
}

Result<std::unique_ptr<TlsSession>> TlsContext::new_session() {
  Context context;
  {
    const MutexLock lock(mu_);
    if (!context_) {
      if (!options_.self_signed)
        return Error{Errc::kUnavailable, "no key and certificate are configured"};
      MQ_TRY(context_, make(options_));
      log::info("TLS: made a key and a certificate that nobody has signed");
    }
    context = context_;
  }
  SSL* const ssl = SSL_new(context.get());
  if (ssl == nullptr) return Error{Errc::kUnavailable, openssl_text()};
  return std::make_unique<TlsSession>(ssl);
}

TlsSession::TlsSession(ssl_st* ssl) noexcept : ssl_(ssl) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

Result<void> TlsSession::feed(Bytes sealed) {
  const int fed = BIO_write(SSL_get_rbio(ssl_), sealed.data(), static_cast<int>(sealed.size()));
  if (fed != static_cast<int>(sealed.size())) return Error{Errc::kUnavailable, "TLS: no memory"};
  return {};
}

Result<std::size_t> TlsSession::read(MutableBytes plain) {
  ERR_clear_error();
  const int got = SSL_read(ssl_, plain.data(), static_cast<int>(plain.size()));
  if (got > 0) return static_cast<std::size_t>(got);
  switch (SSL_get_error(ssl_, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return std::size_t{0};
    case SSL_ERROR_ZERO_RETURN:
      return Error{Errc::kClosed, "TLS: the peer closed the session"};
    default:
      return Error{Errc::kProtocol, "TLS: " + openssl_text()};
  }
}

Result<void> TlsSession::write(Bytes plain) {
  ERR_clear_error();
  while (!plain.empty()) {
    const int put = SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
    if (put <= 0) return Error{Errc::kProtocol, "TLS: " + openssl_text()};
    plain = plain.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

bool TlsSession::is_ready() const noexcept { return SSL_is_init_finished(ssl_) == 1; }

void TlsSession::take_sealed(std::string& out) {
  BIO* const bio = SSL_get_wbio(ssl_);
  const std::size_t waiting = BIO_ctrl_pending(bio);
  if (waiting == 0) return;
  const std::size_t before = out.size();
  out.resize(before + waiting);
  const int got = BIO_read(bio, out.data() + before, static_cast<int>(waiting));
  out.resize(before + static_cast<std::size_t>(std::max(got, 0)));
}

void TlsSession::close() noexcept { SSL_shutdown(ssl_); }

}  // namespace mq::net
