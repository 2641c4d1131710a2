// Checks the CRC of bodies, on other threads when there are any, while the caller goes on.
#pragma once

#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mutex.h"

namespace mq::inspect {

class BodyChecker {
 public:
  struct Bad {
    PhysicalOffset at{};        // of the record
    PhysicalOffset end{};       // behind it
    std::int32_t expected = 0;  // as the record says
    std::int32_t found = 0;
  };
  // Bad ones beyond this number are not kept.
  static constexpr std::size_t kBadMax = 100'000;

  // `jobs` threads in all, the caller's included: it helps when the others cannot keep up.
  explicit BodyChecker(int jobs);
  ~BodyChecker();
  BodyChecker(const BodyChecker&) = delete;
  BodyChecker& operator=(const BodyChecker&) = delete;

  // Of the record in [at, end). The body must stay where it is until settle().
  void check(PhysicalOffset at, PhysicalOffset end, Bytes body, std::int32_t crc);
  // Waits for all that was given; returns what was bad, in order, and forgets it.
  std::vector<Bad> settle();

 private:
  struct Body {
    PhysicalOffset at{};
    PhysicalOffset end{};
    Bytes bytes;
    std::int32_t crc = 0;
  };
  using Batch = std::vector<Body>;
  static constexpr std::int64_t kBatchBytes = 1 << 20;
  static constexpr std::size_t kBatchBodies = 2048;
  static constexpr std::size_t kBatchesAhead = 16;

  static void check_one(const Body& body, std::vector<Bad>& bad);
  void hand_over();
  void run(const Batch& batch);
  void work();

  Batch filling_;
  std::int64_t filling_bytes_ = 0;
  std::vector<Bad> bad_here_;  // of the caller's thread, without others
  Mutex mu_;
  CondVar changed_;
  std::deque<Batch> waiting_ MQ_GUARDED_BY(mu_);
  std::size_t under_way_ MQ_GUARDED_BY(mu_) = 0;
  bool stopping_ MQ_GUARDED_BY(mu_) = false;
  std::vector<Bad> bad_ MQ_GUARDED_BY(mu_);
  std::vector<std::jthread> threads_;
};

}  // namespace mq::inspect
