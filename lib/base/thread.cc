#include "base/thread.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <pthread.h>

namespace mq {

std::jthread start_thread(const char* name, std::function<void(std::stop_token)> body) {
  // Block everything around the start so that the new thread inherits the mask; synchronous faults
  // stay deliverable.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fault);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  std::jthread thread([name, body = std::move(body)](std::stop_token stop) {
    pthread_setname_np(pthread_self(), name);
    try {
      body(std::move(stop));
    } catch (const std::exception& e) {
      std::fprintf(stderr, "thread %s died of an exception: %s\n", name, e.what());
      std::abort();
    }
  });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return thread;
}

}  // namespace mq
