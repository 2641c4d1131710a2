// What is configured about who may ask for what: the keys of the reference's AuthConfig that act
// here (remoting.md 15.3).
#pragma once

#include <cstdint>
#include <vector>

#include "wire/access.h"
#include "wire/signature.h"

namespace mq::broker {

struct ConfigKey;

struct AccessConfig {
  bool authentication = false;                 // authenticationEnabled
  bool authorization = false;                  // authorizationEnabled
  bool user_store = false;                     // authenticationMetadataProvider
  bool policy_store = false;                   // authorizationMetadataProvider
  wire::UserInfo init_user{};                  // initAuthenticationUser; no name: none
  wire::Credentials inner{};                   // innerClientAuthenticationCredentials
  std::vector<std::int32_t> unsigned_codes{};  // authenticationWhitelist, sorted
  std::vector<std::int32_t> free_codes{};      // authorizationWhitelist, sorted

  // Are there users and policies at all? The only store of both is ours, so that wanting them is
  // enough to have it.
  [[nodiscard]] bool is_configured() const noexcept {
    return authentication || user_store || policy_store;
  }
};

// All but the two that turn it on.
void add_access_keys(std::vector<ConfigKey>& keys);

}  // namespace mq::broker
