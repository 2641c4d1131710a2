// The settings of TLS by the reference's names, for the configuration of every daemon.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

namespace mq::net {

struct TlsKey {
  const char* name;
  const char* meaning;
  Result<void> (*set)(TlsOptions& options, std::string_view value);  // kInvalid
  std::string (*get)(const TlsOptions& options);  // a password is not shown, only that there is one
};
inline constexpr std::size_t kTlsKeyCount = 10;
[[nodiscard]] const std::array<TlsKey, kTlsKeyCount>& tls_keys();

}  // namespace mq::net
