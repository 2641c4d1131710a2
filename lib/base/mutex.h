// std::mutex with clang's thread-safety annotations, which `make lint` checks; g++ sees plain
// locks. ThreadRole is a lock that costs nothing: it says "only this thread", and the compiler
// checks who takes it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define MQ_ATTRIBUTE(x) __attribute__((x))
#else
#define MQ_ATTRIBUTE(x)
#endif
#define MQ_CAPABILITY(name) MQ_ATTRIBUTE(capability(name))
#define MQ_SCOPED_CAPABILITY MQ_ATTRIBUTE(scoped_lockable)
#define MQ_GUARDED_BY(mu) MQ_ATTRIBUTE(guarded_by(mu))
#define MQ_PT_GUARDED_BY(mu) MQ_ATTRIBUTE(pt_guarded_by(mu))
#define MQ_REQUIRES(...) MQ_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define MQ_REQUIRES_SHARED(...) MQ_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define MQ_EXCLUDES(...) MQ_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define MQ_ACQUIRE(...) MQ_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define MQ_RELEASE(...) MQ_ATTRIBUTE(release_capability(__VA_ARGS__))
#define MQ_TRY_ACQUIRE(...) MQ_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define MQ_NO_THREAD_SAFETY_ANALYSIS MQ_ATTRIBUTE(no_thread_safety_analysis)

namespace mq {

class MQ_CAPABILITY("mutex") Mutex {
 public:
  void lock() MQ_ACQUIRE() { mu_.lock(); }
  void unlock() MQ_RELEASE() { mu_.unlock(); }
  bool try_lock() MQ_TRY_ACQUIRE(true) { return mu_.try_lock(); }
  std::mutex& native() noexcept { return mu_; }

 private:
  std::mutex mu_;
};

class MQ_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) MQ_ACQUIRE(mu) : mu_(mu) { mu_.lock(); }
  ~MutexLock() MQ_RELEASE() { mu_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// Waits release and retake `mu`, which the caller holds. Spurious wake-ups happen: wait in a loop
// over the condition.
class CondVar {
 public:
  void wait(Mutex& mu) MQ_REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.native(), std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when the time passed without a wake-up.
  template <typename Rep, typename Period>
  bool wait_for(Mutex& mu, std::chrono::duration<Rep, Period> time) MQ_REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.native(), std::adopt_lock);
    const auto status = cv_.wait_for(lock, time);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void notify_one() noexcept { cv_.notify_one(); }
  void notify_all() noexcept { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

class MQ_CAPABILITY("role") ThreadRole {
 public:
  void lock() MQ_ACQUIRE() {}
  void unlock() MQ_RELEASE() {}
};

}  // namespace mq
