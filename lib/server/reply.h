// Replies to requests that a producer sent as messages (semantics.md 21). Private to server.
#pragma once

#include <string_view>

#include "server/call.h"
#include "store/types.h"
#include "wire/send.h"

namespace mq::server {

// Is it R(324) or R(325)?
[[nodiscard]] bool is_reply(std::int32_t code) noexcept;

// Hands a reply that has been stored to the client that asked, by R(326), and answers the sender
// when that client has answered: with an error when it is not there or does not take it.
// `properties`: as stored. Nothing that is handed in is kept.
void push_reply(const Call& call, const wire::SendRequest& send, const store::PutCommon& common,
                std::string_view properties, std::string_view msg_id,
                const store::PutResult& stored);

}  // namespace mq::server
