#include "client/window.h"

#include <algorithm>

namespace mq::client {

void Window::take(std::int64_t offset) {
  in_flight_.insert(in_flight_.end(), offset);
  pass(offset + 1);
}
void Window::pass(std::int64_t next) { next_ = std::max(next_, next); }
bool Window::finish(std::int64_t offset) { return in_flight_.erase(offset) > 0; }

}  // namespace mq::client
