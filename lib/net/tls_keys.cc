#include "net/tls_keys.h"

#include <fmt/format.h>

namespace mq::net {
namespace {

using Auth = TlsOptions::ClientAuth;

constexpr std::array<std::pair<std::string_view, TlsMode>, 3> kModes = {
    {{"disabled", TlsMode::kDisabled},
     {"permissive", TlsMode::kPermissive},
     {"enforcing", TlsMode::kEnforcing}}};
constexpr std::array<std::pair<std::string_view, Auth>, 3> kAuths = {
    {{"none", Auth::kNone}, {"optional", Auth::kOptional}, {"require", Auth::kRequire}}};

template <typename T, std::size_t N>
Result<void> set_named(T& to, std::string_view value,
                       const std::array<std::pair<std::string_view, T>, N>& names) {
  std::string all;
  for (const auto& [name, meaning] : names) {
    if (name == value) return to = meaning, Result<void>();
    fmt::format_to(std::back_inserter(all), "{}{}", all.empty() ? "" : ", ", name);
  }
  return Error{Errc::kInvalid, fmt::format("'{}' is none of {}", value, all)};
}
template <typename T, std::size_t N>
std::string name_in(const std::array<std::pair<std::string_view, T>, N>& names, T value) {
  for (const auto& [name, meaning] : names)
    if (meaning == value) return std::string(name);
  return {};
}

template <auto Member>
Result<void> set_text(TlsOptions& options, std::string_view value) {
  options.*Member = value;
  return {};
}
template <auto Member>
std::string get_text(const TlsOptions& options) {
  return options.*Member;
}
template <auto Member>
Result<void> set_bool(TlsOptions& options, std::string_view value) {
  if (value != "true" && value != "false")
    return Error{Errc::kInvalid, fmt::format("'{}' is neither true nor false", value)};
  options.*Member = value == "true";
  return {};
}
template <auto Member>
std::string get_bool(const TlsOptions& options) {
  return options.*Member ? "true" : "false";
}

}  // namespace

const std::array<TlsKey, kTlsKeyCount>& tls_keys() {
  using O = TlsOptions;
  static const std::array<TlsKey, kTlsKeyCount> keys = {
      TlsKey{"tls.server.mode", "disabled, permissive (plain and TLS on one port) or enforcing",
             [](O& o, std::string_view v) { return set_named(o.mode, v, kModes); },
             [](const O& o) { return name_in(kModes, o.mode); }},
      TlsKey{"tls.server.keyPath", "file of the private key, PEM", set_text<&O::key_path>,
             get_text<&O::key_path>},
      TlsKey{"tls.server.keyPassword", "password of the private key", set_text<&O::key_password>,
             [](const O& o) { return std::string(o.key_password.empty() ? "" : "(set)"); }},
      TlsKey{"tls.server.certPath", "file of the certificate and those that signed it, PEM",
             set_text<&O::certificate_path>, get_text<&O::certificate_path>},
      TlsKey{"tls.server.need.client.auth",
             "do clients show certificates: none, optional or require",
             [](O& o, std::string_view v) { return set_named(o.client_auth, v, kAuths); },
             [](const O& o) { return name_in(kAuths, o.client_auth); }},
      TlsKey{"tls.server.authClient", "check who signed them", set_bool<&O::check_clients>,
             get_bool<&O::check_clients>},
      TlsKey{"tls.server.trustCertPath", "file of those who may have signed them, PEM",
             set_text<&O::trusted_path>, get_text<&O::trusted_path>},
      TlsKey{"tls.test.mode.enable", "without key and certificate, make some that nobody signed",
             set_bool<&O::self_signed>, get_bool<&O::self_signed>},
      TlsKey{"tls.ciphers", "ciphers up to TLS 1.2, as OpenSSL names them, ':' between",
             set_text<&O::ciphers>, get_text<&O::ciphers>},
      TlsKey{"tls.protocols", "TLSv1.2, TLSv1.3 or both, ',' between", set_text<&O::protocols>,
             get_text<&O::protocols>},
  };
  return keys;
}

}  // namespace mq::net
