// Who works on one queue of one group right now: a pop passes over a queue that is taken, an
// acknowledgement in order waits for it. Held for as long as it takes to read and note what was
// popped, never while somebody waits for a disk or for messages. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "base/ids.h"
#include "base/mutex.h"

namespace mq::broker {

class PopQueueLocks {
 public:
  // Holds nothing when it says so.
  class Guard {
   public:
    Guard() = default;
    Guard(Guard&& other) noexcept
        : locks_(std::exchange(other.locks_, nullptr)), key_(std::move(other.key_)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (locks_ != nullptr) locks_->release(key_);
    }
    [[nodiscard]] explicit operator bool() const noexcept { return locks_ != nullptr; }

   private:
    friend class PopQueueLocks;
    Guard(PopQueueLocks& locks, std::string key) : locks_(&locks), key_(std::move(key)) {}
    PopQueueLocks* locks_ = nullptr;
    std::string key_;
  };

  [[nodiscard]] Guard try_lock(std::string_view topic, std::string_view group, QueueId queue) {
    std::string key = key_of(topic, group, queue);
    const MutexLock lock(mu_);
    if (!taken_.insert(key).second) return {};
    return Guard(*this, std::move(key));
  }
  [[nodiscard]] Guard lock(std::string_view topic, std::string_view group, QueueId queue) {
    std::string key = key_of(topic, group, queue);
    const MutexLock lock(mu_);
    while (!taken_.insert(key).second) released_.wait(mu_);
    return Guard(*this, std::move(key));
  }

 private:
  [[nodiscard]] static std::string key_of(std::string_view topic, std::string_view group,
                                          QueueId queue) {
    return std::string(topic).append("@").append(group).append("@").append(std::to_string(queue));
  }
  void release(const std::string& key) {
    const MutexLock lock(mu_);
    taken_.erase(key);
    released_.notify_all();
  }

  Mutex mu_;
  CondVar released_;
  std::unordered_set<std::string> taken_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::broker
