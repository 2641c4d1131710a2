#include "server/min_id_notifier.h"

#include "base/log.h"
#include "base/thread.h"
#include "client/rpc.h"
#include "wire/register.h"

namespace mq::server {
namespace {

constexpr std::int64_t kPatienceMs = 300;

Result<void> tell_one(const std::string& broker, const route::Registry::MinIdNotice& notice) {
  MQ_TRY(const net::Address address, net::parse_address(broker));
  MQ_TRY(client::Rpc rpc, client::Rpc::connect(address, {.connect_timeout_ms = kPatienceMs,
                                                         .timeout_ms = kPatienceMs}));
  return rpc.tell(
      wire::kNotifyMinBrokerIdChange, [&](std::string& out, const wire::Header& header) {
        wire::append_min_broker_id_change(out, header,
                                          {.broker_name = notice.broker,
                                           .min_broker_id = notice.min_id,
                                           .min_broker_addr = notice.min_address,
                                           .offline_broker_addr = notice.offline_address,
                                           .ha_broker_addr = notice.ha_address});
      });
}

}  // namespace

MinIdNotifier::~MinIdNotifier() { stop(); }

void MinIdNotifier::tell(route::Registry::MinIdNotice notice) {
  const MutexLock lock(mu_);
  if (stopping_) return;
  waiting_.push_back(std::move(notice));
  if (!thread_.joinable())
    thread_ = start_thread("min-id", [this](const std::stop_token&) { run(); });
  wake_.notify_all();
}

void MinIdNotifier::stop() {
  std::jthread thread;
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    wake_.notify_all();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void MinIdNotifier::run() {
  for (;;) {
    route::Registry::MinIdNotice notice;
    {
      const MutexLock lock(mu_);
      while (waiting_.empty() && !stopping_) wake_.wait(mu_);
      if (stopping_) return;
      notice = std::move(waiting_.front());
      waiting_.pop_front();
    }
    for (const std::string& broker : notice.tell)
      if (auto done = tell_one(broker, notice); !done)
        log::warn("broker {} not told of the new smallest id {} of {}: {}", broker, notice.min_id,
                  notice.broker, done.error().text());
  }
}

}  // namespace mq::server
