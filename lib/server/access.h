// Stands before the handlers when authentication is on: who asks, and may they? Private to server.
#pragma once

#include "server/call.h"

namespace mq::server {

// False when the request must not be carried out; it has then been answered C(16) in the
// reference's words, unless it wants no answer. Whoever root or the daemon's own user is on a Unix
// socket needs no signature.
[[nodiscard]] bool is_admitted(const Call& call);

// May whoever asks make and change super users? True when nobody signs here.
[[nodiscard]] bool is_asked_by_super_user(const Call& call);

}  // namespace mq::server
