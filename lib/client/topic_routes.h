// Where topics are, as name servers tell it, for whoever asks often and must not wait: one thread
// asks, and asks again every `period_ms` about each topic that somebody still wants to know of.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/thread.h"
#include "client/rpc.h"
#include "net/address.h"
#include "wire/route.h"

namespace mq::client {

class TopicRoutes {
 public:
  struct Options {
    std::vector<net::Address> servers;  // the first that answers is asked until it does not
    std::int64_t period_ms = 30'000;
    std::int64_t forget_ms = 600'000;  // a topic that nobody has asked for that long
    std::int64_t timeout_ms = 3000;    // of one question
  };
  // Null: no name server knows the topic, or none answered and none has before.
  using Route = std::shared_ptr<const wire::TopicRouteData>;
  using Use = std::function<void(const Route&)>;

  explicit TopicRoutes(Options options) : options_(std::move(options)) {}
  ~TopicRoutes() { stop(); }
  TopicRoutes(const TopicRoutes&) = delete;
  TopicRoutes& operator=(const TopicRoutes&) = delete;

  void start();
  // Whoever waits is given null. Idempotent.
  void stop();

  // Any thread; never waits. Calls `use` at once with what is known, or later on the thread that
  // asks. What was known stays known while no name server answers.
  void find(const std::string& topic, Use use) MQ_EXCLUDES(mu_);

 private:
  struct Known {
    Route route;  // null: not answered yet
    std::int64_t due_ms = 0;
    std::int64_t wanted_ms = 0;
    std::vector<Use> waiting;
  };
  void run();
  std::string wait_for_work() MQ_EXCLUDES(mu_);
  void learn(const std::string& topic, Result<wire::TopicRouteData> found) MQ_EXCLUDES(mu_);
  Result<wire::TopicRouteData> ask(std::string_view topic);
  Result<wire::TopicRouteData> ask(std::size_t server, std::string_view topic);

  const Options options_;
  std::size_t server_ = 0;  // that answered last
  // Replaced by the thread alone, under the lock; interrupted by others under the lock.
  std::unique_ptr<Rpc> rpc_;
  std::string trouble_;

  Mutex mu_;
  CondVar wake_;
  std::map<std::string, Known, std::less<>> topics_ MQ_GUARDED_BY(mu_);
  bool running_ MQ_GUARDED_BY(mu_) = false;
  std::jthread thread_;
};

}  // namespace mq::client
