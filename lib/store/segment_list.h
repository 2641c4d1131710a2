// The segments of a log in order of position. Looking up copies one pointer under a lock that
// nobody holds for longer; files are made, deleted and synced outside of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "base/result.h"
#include "fs/fs.h"
#include "store/segment.h"

namespace mq::store {

using SegmentPtr = std::shared_ptr<Segment>;

class SegmentList {
 public:
  // The one that holds `at`; null when none does (deleted, a hole, not made yet).
  [[nodiscard]] SegmentPtr find(PhysicalOffset at) const MQ_EXCLUDES(mu_);
  // The first that starts at or behind `at`; null at the end.
  [[nodiscard]] SegmentPtr next_from(PhysicalOffset at) const MQ_EXCLUDES(mu_);
  [[nodiscard]] SegmentPtr front() const MQ_EXCLUDES(mu_);
  [[nodiscard]] SegmentPtr back() const MQ_EXCLUDES(mu_);
  [[nodiscard]] std::vector<SegmentPtr> all() const MQ_EXCLUDES(mu_);
  // Those with a byte in [from, to), oldest first.
  [[nodiscard]] std::vector<SegmentPtr> overlapping(PhysicalOffset from, PhysicalOffset to) const
      MQ_EXCLUDES(mu_);
  [[nodiscard]] std::size_t size() const MQ_EXCLUDES(mu_);

  void push_back(SegmentPtr segment) MQ_EXCLUDES(mu_);
  SegmentPtr pop_front() MQ_EXCLUDES(mu_);
  SegmentPtr pop_back() MQ_EXCLUDES(mu_);

 private:
  mutable Mutex mu_;
  std::vector<SegmentPtr> segments_ MQ_GUARDED_BY(mu_);
};

// Segments whose file is deleted while readers still look at them. Their space is not free before
// the last reader lets go, so after a while the file is cut to nothing: a reader that hangs then
// sees zeros, and the disk has its space back.
class SegmentGraveyard {
 public:
  void bury(SegmentPtr segment, std::int64_t now_us) MQ_EXCLUDES(mu_);
  // Forgets those that nobody reads any more and cuts those buried longer than `after_us`; returns
  // how many are still read.
  std::size_t sweep(std::int64_t now_us, std::int64_t after_us) MQ_EXCLUDES(mu_);

 private:
  struct Grave {
    SegmentPtr segment;
    std::int64_t since_us;
    bool cut = false;
  };
  Mutex mu_;
  std::vector<Grave> graves_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::store
