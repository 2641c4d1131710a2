// Tells brokers that the smallest id of their name has changed, R(905), from a thread of its own:
// a broker that does not answer costs nobody anything.
#pragma once

#include <deque>
#include <thread>

#include "base/mutex.h"
#include "route/registry.h"

namespace mq::server {

class MinIdNotifier {
 public:
  ~MinIdNotifier();
  // Any thread; does not wait. The first call starts the thread.
  void tell(route::Registry::MinIdNotice notice);
  void stop();  // what is not yet told is dropped

 private:
  void run();

  Mutex mu_;
  CondVar wake_;
  std::deque<route::Registry::MinIdNotice> waiting_ MQ_GUARDED_BY(mu_);
  bool stopping_ MQ_GUARDED_BY(mu_) = false;
  std::jthread thread_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::server
