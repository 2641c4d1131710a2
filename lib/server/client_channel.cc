#include "server/client_channel.h"

#include <limits>

#include <fmt/format.h>

namespace mq::server {
namespace {

std::string frame_of(const ClientChannel::Request& request, std::int32_t opaque,
                     std::int32_t flag) {
  std::string frame;
  wire::append_frame(
      frame,
      {.serialize = wire::Serialize::kJson, .code = request.code, .opaque = opaque, .flag = flag},
      request.ext, request.body);
  return frame;
}

ClientChannel::Answer answer_of(const wire::Command& response) {
  ClientChannel::Answer answer{.code = response.code,
                               .remark = std::string(response.remark),
                               .ext = {},
                               .body = std::string(as_text(response.body))};
  for (const auto& [name, value] : response.ext) answer.ext.emplace_back(name, value);
  return answer;
}

}  // namespace

std::shared_ptr<net::Connection> ClientChannel::find(std::uint64_t connection) const {
  const MutexLock lock(mu_);
  const auto at = connections_.find(connection);
  return at == connections_.end() ? nullptr : at->second.lock();
}

std::int32_t ClientChannel::next_opaque() {
  const MutexLock lock(mu_);
  last_opaque_ = last_opaque_ == std::numeric_limits<std::int32_t>::max() ? 1 : last_opaque_ + 1;
  return last_opaque_;
}

bool ClientChannel::tell(std::uint64_t connection, const Request& request) {
  const auto target = find(connection);
  if (target == nullptr) return false;
  target->post([frame = frame_of(request, next_opaque(), wire::kFlagOneway)](net::Connection& c) {
    if (c.unsent_bytes() <= kUnsentBytesMax) c.out() += frame;
  });
  return true;
}

void ClientChannel::tell_now(net::Connection& connection, const Request& request) {
  if (connection.unsent_bytes() > kUnsentBytesMax) return;
  connection.out() += frame_of(request, next_opaque(), wire::kFlagOneway);
}

void ClientChannel::ask(std::uint64_t connection, const Request& request, Done done,
                        std::int64_t timeout_ms) {
  const Key key{connection, next_opaque()};
  std::shared_ptr<net::Connection> target;
  {
    // Found and noted under one lock: closed() either sees what is asked, or is seen here.
    const MutexLock lock(mu_);
    const auto at = connections_.find(connection);
    if (at != connections_.end()) target = at->second.lock();
    if (target != nullptr) {
      asked_[key] = {.deadline_us = clock_.monotonic_us() + timeout_ms * 1000,
                     .done = std::exchange(done, nullptr)};
    }
  }
  if (done != nullptr) return done(Error{Errc::kClosed, "the client is not connected"});
  target->post([this, key, frame = frame_of(request, key.second, 0)](net::Connection& c) {
    if (c.unsent_bytes() <= kUnsentBytesMax) {
      c.out() += frame;
    } else if (const Done busy = take(key)) {
      busy(Error{Errc::kBusy, "the client does not read what it is sent"});
    }
  });
}

void ClientChannel::close(std::uint64_t connection) {
  if (const auto target = find(connection)) target->post([](net::Connection& c) { c.close(); });
}

std::size_t ClientChannel::asked() const {
  const MutexLock lock(mu_);
  return asked_.size();
}

ClientChannel::Done ClientChannel::take(const Key& key) {
  const MutexLock lock(mu_);
  auto node = asked_.extract(key);
  return node.empty() ? Done() : std::move(node.mapped().done);
}

void ClientChannel::opened(net::Connection& connection) {
  const MutexLock lock(mu_);
  connections_[connection.id()] = connection.weak_from_this();
}

void ClientChannel::closed(const net::Connection& connection) {
  std::vector<Done> lost;
  {
    const MutexLock lock(mu_);
    connections_.erase(connection.id());
    const auto first = asked_.lower_bound({connection.id(), 0});
    auto last = first;
    for (; last != asked_.end() && last->first.first == connection.id(); ++last)
      lost.push_back(std::move(last->second.done));
    asked_.erase(first, last);
  }
  for (const Done& done : lost)
    done(Error{Errc::kClosed, "the client closed the connection without an answer"});
}

void ClientChannel::answered(const net::Connection& connection, const wire::Command& response) {
  if (const Done done = take({connection.id(), response.opaque})) done(answer_of(response));
}

void ClientChannel::expire() {
  const std::int64_t now_us = clock_.monotonic_us();
  std::vector<Done> late;
  {
    const MutexLock lock(mu_);
    for (auto at = asked_.begin(); at != asked_.end();) {
      if (at->second.deadline_us > now_us) {
        ++at;
        continue;
      }
      late.push_back(std::move(at->second.done));
      at = asked_.erase(at);
    }
  }
  for (const Done& done : late) done(Error{Errc::kTimeout, "the client did not answer in time"});
}

}  // namespace mq::server
