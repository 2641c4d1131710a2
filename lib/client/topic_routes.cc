#include "client/topic_routes.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "client/admin.h"

namespace mq::client {
namespace {

constexpr std::int64_t kIdleMs = 3'600'000;

std::int64_t now_ms() noexcept { return system_clock().monotonic_us() / 1000; }

}  // namespace

void TopicRoutes::start() {
  {
    const MutexLock lock(mu_);
    running_ = true;
  }
  thread_ = start_thread("routes", [this](const std::stop_token&) { run(); });
}

void TopicRoutes::stop() {
  {
    const MutexLock lock(mu_);
    running_ = false;
    if (rpc_) rpc_->interrupt();
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::vector<Use> waiting;
  {
    const MutexLock lock(mu_);
    for (auto& [name, known] : topics_)
      std::move(known.waiting.begin(), known.waiting.end(), std::back_inserter(waiting));
    topics_.clear();
  }
  for (const Use& use : waiting) use(nullptr);
}

void TopicRoutes::find(const std::string& topic, Use use) {
  Route route;
  {
    const MutexLock lock(mu_);
    if (running_) {
      Known& known = topics_[topic];
      known.wanted_ms = now_ms();
      route = known.route;
      if (route == nullptr) {
        known.waiting.push_back(std::move(use));
        wake_.notify_all();
        return;
      }
    }
  }
  use(route);
}

void TopicRoutes::run() {
  while (true) {
    const std::string topic = wait_for_work();
    if (topic.empty()) return;
    learn(topic, ask(topic));
  }
}

// The next topic to ask for; empty: stop.
std::string TopicRoutes::wait_for_work() {
  const MutexLock lock(mu_);
  while (running_) {
    const std::int64_t now = now_ms();
    std::erase_if(topics_, [&](const auto& entry) {
      return entry.second.waiting.empty() && now - entry.second.wanted_ms > options_.forget_ms;
    });
    std::int64_t next = now + kIdleMs;
    for (const auto& [name, known] : topics_) {
      if (!known.waiting.empty() || known.due_ms <= now) return name;
      next = std::min(next, known.due_ms);
    }
    (void)wake_.wait_for(mu_, std::chrono::milliseconds(next - now));
  }
  return {};
}

void TopicRoutes::learn(const std::string& topic, Result<wire::TopicRouteData> found) {
  const bool is_gone = !found && found.error().code() == Errc::kNotFound;
  std::vector<Use> waiting;
  Route route;
  {
    const MutexLock lock(mu_);
    const auto known = topics_.find(topic);
    if (known == topics_.end()) return;
    if (found)
      known->second.route = std::make_shared<const wire::TopicRouteData>(*std::move(found));
    waiting.swap(known->second.waiting);
    route = known->second.route;
    known->second.due_ms = now_ms() + options_.period_ms;
    if (is_gone) route = nullptr;
    if (route == nullptr) topics_.erase(known);  // asked for again when somebody wants it again
  }
  for (const Use& use : waiting) use(route);
}

Result<wire::TopicRouteData> TopicRoutes::ask(std::string_view topic) {
  Error last{Errc::kUnavailable, "no name server"};
  for (std::size_t i = 0; i < options_.servers.size(); ++i) {
    const std::size_t at = (server_ + i) % options_.servers.size();
    auto found = ask(at, topic);
    if (found || found.error().code() == Errc::kNotFound) {
      if (!std::exchange(trouble_, {}).empty())
        log::info("name server {}: answers again", net::to_string(options_.servers[at]));
      return found;
    }
    last = std::move(found).error();
    const MutexLock lock(mu_);
    rpc_.reset();
    if (!running_) return last;
  }
  if (std::exchange(trouble_, last.text()) != last.text())
    log::warn("where topics are: {}", last.text());
  return last;
}

Result<wire::TopicRouteData> TopicRoutes::ask(std::size_t server, std::string_view topic) {
  if (rpc_ == nullptr || server != server_ || rpc_->is_closed_by_peer()) {
    MQ_TRY(Rpc rpc,
           Rpc::connect(options_.servers[server], {.connect_timeout_ms = options_.timeout_ms,
                                                   .timeout_ms = options_.timeout_ms}));
    const MutexLock lock(mu_);
    rpc_ = std::make_unique<Rpc>(std::move(rpc));
    server_ = server;
    if (!running_) return Error{Errc::kClosed, "stopped"};
  }
  return topic_route(*rpc_, topic);
}

}  // namespace mq::client
