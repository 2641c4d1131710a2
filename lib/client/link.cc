#include "client/link.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"

namespace mq::client {
namespace {

constexpr std::int64_t kConnectMs = 1000;
constexpr std::int64_t kFirstPauseUs = 100'000;
constexpr std::int64_t kLongestPauseUs = 5'000'000;

}  // namespace

Result<void> Link::connect() {
  if (channel_) return {};
  auto channel = Channel::connect(at_.address, kConnectMs);
  if (!channel) {
    pause_us_ = std::clamp(pause_us_ * 2, kFirstPauseUs, kLongestPauseUs);
    retry_us_ = system_clock().monotonic_us() + pause_us_;
    return std::move(channel).error().within(at_.name);
  }
  channel_.emplace(*std::move(channel));
  pause_us_ = 0;
  handlers_.connected(*this);
  return {};
}

void Link::call(wire::RequestCode code, const Encode& encode, std::int64_t timeout_ms,
                Answered answered) {
  const std::int32_t opaque = channel_->next_opaque();
  std::string frame;
  encode(frame, {.serialize = wire::Serialize::kBinary, .code = code, .opaque = opaque});
  channel_->post(std::move(frame));
  calls_[opaque] = {system_clock().monotonic_us() + timeout_ms * 1000, std::move(answered)};
}

void Link::tell(wire::RequestCode code, const Encode& encode) {
  std::string frame;
  encode(frame, {.serialize = wire::Serialize::kBinary,
                 .code = code,
                 .opaque = channel_->next_opaque(),
                 .flag = wire::kFlagOneway});
  channel_->post(std::move(frame));
}

void Link::answer(std::string frame) {
  if (channel_) channel_->post(std::move(frame));
}

void Link::serve() {
  if (!channel_) return;
  if (auto done = exchange(); !done) lose(done.error());
}

Result<void> Link::exchange() {
  MQ_CHECK(channel_->write());
  while (channel_) {
    MQ_TRY(const wire::Command* const command, channel_->next(0));
    if (command == nullptr) break;
    take(*command);
  }
  return channel_ ? channel_->write() : Result<void>();
}

void Link::take(const wire::Command& command) {
  if (!command.is_response()) return handlers_.request(*this, command);
  const auto found = calls_.find(command.opaque);
  if (found == calls_.end()) return;  // its time is over
  const Answered answered = std::move(found->second.answered);
  calls_.erase(found);
  answered(&command);
}

void Link::lose(const Error& error) {
  channel_.reset();
  retry_us_ = system_clock().monotonic_us() + kFirstPauseUs;
  for (auto& [opaque, call] : std::exchange(calls_, {})) call.answered(error);
  handlers_.lost(*this, error);
}

void Link::tick(std::int64_t now_us) {
  if (!channel_) {
    if (now_us >= retry_us_) (void)connect();
    return;
  }
  for (const auto& [opaque, call] : calls_) {
    if (call.deadline_us > now_us) continue;
    // A broker that does not answer in time is as good as gone; what it still says comes too late.
    return lose(Error{Errc::kTimeout, fmt::format("{}: no answer", at_.name)});
  }
}

}  // namespace mq::client
