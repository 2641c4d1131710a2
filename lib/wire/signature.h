// How a request says who asks and proves it (remoting.md 15.1, 15.2): the field Signature is the
// Base64 of HMAC-SHA1, by the user's secret, over the values of all other fields in the order of
// their names and the body. Any thread; allocates nothing once a thread is warm.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

inline constexpr std::string_view kAccessKeyField = "AccessKey";  // the name of the user
inline constexpr std::string_view kSignatureField = "Signature";
inline constexpr std::string_view kSecurityTokenField = "SecurityToken";

// Who the request says it is from; "" when it does not (C++ clients without credentials send the
// field empty).
[[nodiscard]] std::string_view access_key_of(const Command& request) noexcept;
// Appends what the request's signature with this secret is. What old clients leave out of theirs
// (_UNIQUE_KEY_QUERY, up to version 399) is left out. Errors: kUnavailable (OpenSSL has no
// HMAC-SHA1).
Result<void> append_signature(std::string& out, const Command& request, std::string_view secret);
// Is it signed with this secret? Compared in constant time.
[[nodiscard]] bool is_signed_with(const Command& request, std::string_view secret);

struct Credentials {
  std::string access_key{};  // empty: nothing is signed
  std::string secret{};
};
// Appends the frame anew with AccessKey and Signature; an answer as it is. Errors: kProtocol (no
// request's frame), kUnavailable.
Result<void> append_signed_frame(std::string& out, Bytes frame, const Credentials& credentials);

}  // namespace mq::wire
