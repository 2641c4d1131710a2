// One request being handled, as far as broker and name server have it in common: who asked what,
// and how to answer. Private to server.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/server.h"
#include "wire/codes.h"
#include "wire/command.h"

namespace mq::server {

class Answer {
 public:
  Answer(net::Connection& from, const wire::Command& asked) : connection(from), request(asked) {}

  [[nodiscard]] wire::Header header(std::int32_t code,
                                    std::string_view remark = {}) const noexcept {
    return wire::answer_to(request, code, remark);
  }
  // False for a oneway request: then nothing may be answered, whatever happened.
  [[nodiscard]] bool wants_answer() const noexcept { return !request.is_oneway(); }
  // A header alone.
  void reply(std::int32_t code, std::string_view remark = {},
             std::span<const wire::Field> ext = {}) const {
    if (wants_answer()) wire::append_frame(connection.out(), header(code, remark), ext, {});
  }
  void reply_body(std::string_view body, std::span<const wire::Field> ext = {}) const {
    if (wants_answer())
      wire::append_frame(connection.out(), header(wire::kSuccess), ext, as_bytes(body));
  }
  // kInvalid is what the peer said wrong (29), kNotFound a missing topic (17), kDenied (16),
  // kUnavailable (14), the rest our trouble (1).
  void reply_error(const Error& error) const;

  net::Connection& connection;
  const wire::Command& request;
};

}  // namespace mq::server
