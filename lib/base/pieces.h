// Text that separators cut into pieces.
#pragma once

#include <string_view>

namespace mq {

// Calls visit(piece) for each, in order, empty ones too; behind a last separator there is none.
template <typename Visit>
void for_each_piece(std::string_view text, char separator, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace mq
