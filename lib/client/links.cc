#include "client/links.h"

#include <algorithm>

namespace mq::client {

Result<void> Links::connect() {
  std::string reasons;
  bool up = false;
  for (auto& [name, link] : by_name) {
    if (auto done = link->connect(); done) {
      up = true;
    } else {
      reasons += (reasons.empty() ? "" : "; ") + done.error().text();
    }
  }
  if (!up) return Error{Errc::kUnavailable, "no broker can be reached: " + reasons};
  return {};
}

void Links::poll_once(std::int64_t timeout_ms, std::span<pollfd> extra) {
  polled_.clear();
  std::vector<Link*> links;
  for (auto& [name, link] : by_name) {
    link->serve();  // what was asked since
    polled_.push_back({.fd = link->descriptor(), .events = link->wanted_events(), .revents = 0});
    links.push_back(link.get());
  }
  polled_.insert(polled_.end(), extra.begin(), extra.end());
  if (poll(polled_.data(), polled_.size(), static_cast<int>(timeout_ms)) <= 0) {
    for (pollfd& fd : extra) fd.revents = 0;
    return;
  }
  std::copy(polled_.end() - static_cast<std::ptrdiff_t>(extra.size()), polled_.end(),
            extra.begin());
  for (std::size_t i = 0; i < links.size(); ++i)
    if (polled_[i].revents != 0) links[i]->serve();
}

}  // namespace mq::client
