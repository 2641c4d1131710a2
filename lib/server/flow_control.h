// Sends that are refused before they are looked at, because the store takes no more just now
// (semantics.md 18). The reference keeps requests in the queues of thread pools and cleans those
// queues; here the thread that reads requests runs them, so what waits is
//
//   - what one read brought behind a send that is held up: the append lock, or a disk that gives
//     the log no room. Only that time counts, not how long a loaded machine took;
//   - acknowledgements that wait for a sync.
//
// Private to server. All calls on the connection's thread.
#pragma once

#include "base/bytes.h"
#include "server/call.h"

namespace mq::server {

// Frames have been read: nothing has held them up yet.
void begin_input(Bytes input) noexcept;
// One of them had to wait that long, and those behind it with it.
void held_up(std::int64_t waited_us) noexcept;

// handle_send and handle_send_back, unless the answer is SYSTEM_BUSY.
void handle_send_unless_busy(const Call& call);
void handle_send_back_unless_busy(const Call& call);

}  // namespace mq::server
