// What a terminal gets that a pipe does not.
#pragma once

#include <string>
#include <string_view>

namespace mq::mqdump {

// Standard output is a terminal that may have colours (NO_COLOR is not set, TERM is not dumb).
[[nodiscard]] bool wants_colour();
// It is a terminal of UTF-8.
[[nodiscard]] bool wants_blocks();
// Its width in columns; `otherwise` when it is none.
[[nodiscard]] int terminal_columns(int otherwise);
// Bytes that a terminal could take for a command become \xNN, if standard output is one.
[[nodiscard]] std::string safe(std::string_view text);

}  // namespace mq::mqdump
