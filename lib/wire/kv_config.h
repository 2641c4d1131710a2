// The name server's key/value table and what administrators do with brokers in it: R(100), R(101),
// R(102), R(219), R(205), R(327) (remoting.md 10.6, 10.7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/command.h"

namespace mq::wire {

// R(100) all, R(101) and R(102) without value, R(219) the namespace alone.
struct KvRequest {
  std::string_view name_space;
  std::string_view key{};
  std::string_view value{};
};
// Errors of all decoders: kInvalid naming the field.
Result<KvRequest> decode_kv_request(const Command& request);
void append_kv_request(std::string& out, const Header& header, const KvRequest& request);
// R(101).
Result<std::string_view> decode_kv_response(const Command& response);
void append_kv_response(std::string& out, const Header& header, std::string_view value);

// R(205), R(327): the broker, and of how many topics the permission was changed.
Result<std::string_view> decode_write_perm_request(const Command& request);
void append_write_perm_request(std::string& out, const Header& header, std::string_view broker);
void append_write_perm_response(std::string& out, const Header& header, bool wipe,
                                std::int32_t topics);
Result<std::int32_t> decode_write_perm_response(const Command& response);

}  // namespace mq::wire
