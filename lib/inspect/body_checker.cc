#include "inspect/body_checker.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/thread.h"

namespace mq::inspect {

BodyChecker::BodyChecker(int jobs) {
  for (int i = 1; i < jobs; ++i)
    threads_.push_back(start_thread("crc", [this](const std::stop_token&) { work(); }));
}

BodyChecker::~BodyChecker() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
}

void BodyChecker::check_one(const Body& body, std::vector<Bad>& bad) {
  const std::int32_t crc = crc32_masked(body.bytes);
  if (crc != body.crc && bad.size() < kBadMax) bad.push_back({body.at, body.end, body.crc, crc});
}

void BodyChecker::check(PhysicalOffset at, PhysicalOffset end, Bytes body, std::int32_t crc) {
  if (threads_.empty()) return check_one({at, end, body, crc}, bad_here_);
  filling_.push_back({at, end, body, crc});
  filling_bytes_ += static_cast<std::int64_t>(body.size());
  if (filling_bytes_ >= kBatchBytes || filling_.size() >= kBatchBodies) hand_over();
}

void BodyChecker::hand_over() {
  Batch batch = std::exchange(filling_, {});
  filling_bytes_ = 0;
  {
    const MutexLock lock(mu_);
    waiting_.push_back(std::move(batch));
    if (waiting_.size() <= kBatchesAhead) {
      batch.clear();
    } else {
      batch = std::move(waiting_.front());
      waiting_.pop_front();
    }
  }
  changed_.notify_all();
  if (!batch.empty()) run(batch);
}

void BodyChecker::run(const Batch& batch) {
  std::vector<Bad> bad;
  for (const Body& body : batch) check_one(body, bad);
  if (bad.empty()) return;
  const MutexLock lock(mu_);
  bad.resize(std::min(bad.size(), kBadMax - std::min(kBadMax, bad_.size())));
  bad_.insert(bad_.end(), bad.begin(), bad.end());
}

void BodyChecker::work() {
  for (;;) {
    Batch batch;
    {
      const MutexLock lock(mu_);
      while (!stopping_ && waiting_.empty()) changed_.wait(mu_);
      if (stopping_) return;
      batch = std::move(waiting_.front());
      waiting_.pop_front();
      ++under_way_;
    }
    run(batch);
    {
      const MutexLock lock(mu_);
      --under_way_;
    }
    changed_.notify_all();
  }
}

std::vector<BodyChecker::Bad> BodyChecker::settle() {
  if (threads_.empty()) return std::exchange(bad_here_, {});
  if (!filling_.empty()) hand_over();
  std::vector<Bad> out;
  {
    const MutexLock lock(mu_);
    while (!waiting_.empty() || under_way_ > 0) changed_.wait(mu_);
    out = std::exchange(bad_, {});
  }
  std::sort(out.begin(), out.end(), [](const Bad& a, const Bad& b) { return a.at < b.at; });
  return out;
}

}  // namespace mq::inspect
