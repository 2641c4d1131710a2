// The answer to a request whose handler has returned: what it takes of the request is kept, and the
// answer goes out on the connection's thread, from whatever thread it is given. Nothing happens if
// the asker is gone by then. At most one answer may be given.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/call.h"

namespace mq::server {

class LaterReply {
 public:
  explicit LaterReply(const Call& call)
      : connection_(call.connection.weak_from_this()),
        serialize_(call.request.serialize),
        opaque_(call.request.opaque),
        wanted_(call.wants_answer()) {}

  void reply(std::int32_t code, std::string_view remark = {}, std::span<const wire::Field> ext = {},
             std::string_view body = {}) const {
    reply_with(code, remark, [&](std::string& out, const wire::Header& header) {
      wire::append_frame(out, header, ext, as_bytes(body));
    });
  }
  // `append` writes the answer's frame with the header that it is given.
  template <typename Append>
  void reply_with(std::int32_t code, std::string_view remark, const Append& append) const {
    const auto target = wanted_ ? connection_.lock() : nullptr;
    if (target == nullptr) return;
    std::string frame;
    append(frame, wire::Header{.serialize = serialize_,
                               .code = code,
                               .opaque = opaque_,
                               .flag = wire::kFlagResponse,
                               .remark = remark});
    target->post([frame = std::move(frame)](net::Connection& c) { c.out() += frame; });
  }

 private:
  std::weak_ptr<net::Connection> connection_;
  wire::Serialize serialize_;
  std::int32_t opaque_;
  bool wanted_;
};

}  // namespace mq::server
