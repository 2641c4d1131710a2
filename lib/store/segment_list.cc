#include "store/segment_list.h"

#include <algorithm>

#include "base/log.h"

namespace mq::store {
namespace {

// The first segment that ends behind `at`.
auto first_ending_behind(const std::vector<SegmentPtr>& segments, PhysicalOffset at) {
  return std::ranges::upper_bound(segments, at, {},
                                  [](const SegmentPtr& segment) { return segment->end(); });
}

}  // namespace

SegmentPtr SegmentList::find(PhysicalOffset at) const {
  MutexLock lock(mu_);
  const auto found = first_ending_behind(segments_, at);
  return found != segments_.end() && (*found)->start() <= at ? *found : nullptr;
}

SegmentPtr SegmentList::next_from(PhysicalOffset at) const {
  MutexLock lock(mu_);
  const auto found = std::ranges::lower_bound(
      segments_, at, {}, [](const SegmentPtr& segment) { return segment->start(); });
  return found != segments_.end() ? *found : nullptr;
}

SegmentPtr SegmentList::front() const {
  MutexLock lock(mu_);
  return segments_.empty() ? nullptr : segments_.front();
}

SegmentPtr SegmentList::back() const {
  MutexLock lock(mu_);
  return segments_.empty() ? nullptr : segments_.back();
}

std::vector<SegmentPtr> SegmentList::all() const {
  MutexLock lock(mu_);
  return segments_;
}

std::vector<SegmentPtr> SegmentList::overlapping(PhysicalOffset from, PhysicalOffset to) const {
  MutexLock lock(mu_);
  std::vector<SegmentPtr> out;
  for (auto at = first_ending_behind(segments_, from); at != segments_.end() && (*at)->start() < to;
       ++at) {
    out.push_back(*at);
  }
  return out;
}

std::size_t SegmentList::size() const {
  MutexLock lock(mu_);
  return segments_.size();
}

void SegmentList::push_back(SegmentPtr segment) {
  MutexLock lock(mu_);
  segments_.push_back(std::move(segment));
}

SegmentPtr SegmentList::pop_front() {
  MutexLock lock(mu_);
  if (segments_.empty()) return nullptr;
  SegmentPtr out = std::move(segments_.front());
  segments_.erase(segments_.begin());
  return out;
}

SegmentPtr SegmentList::pop_back() {
  MutexLock lock(mu_);
  if (segments_.empty()) return nullptr;
  SegmentPtr out = std::move(segments_.back());
  segments_.pop_back();
  return out;
}

void SegmentGraveyard::bury(SegmentPtr segment, std::int64_t now_us) {
  MutexLock lock(mu_);
  graves_.push_back({std::move(segment), now_us});
}

std::size_t SegmentGraveyard::sweep(std::int64_t now_us, std::int64_t after_us) {
  std::vector<Grave> graves;  // unmapping and cutting happen outside of the lock
  {
    MutexLock lock(mu_);
    graves.swap(graves_);
  }
  std::erase_if(graves, [](const Grave& grave) { return grave.segment.use_count() == 1; });
  for (Grave& grave : graves) {
    if (grave.cut || now_us - grave.since_us < after_us) continue;
    grave.cut = true;
    log::warn("{}: deleted {} s ago and still being read: its space is taken back now",
              grave.segment->path(), (now_us - grave.since_us) / 1'000'000);
    if (auto cut = grave.segment->file().truncate(0); !cut) {
      log::warn("{}: {}", grave.segment->path(), cut.error().to_string());
    }
  }
  MutexLock lock(mu_);
  graves_.insert(graves_.end(), std::make_move_iterator(graves.begin()),
                 std::make_move_iterator(graves.end()));
  return graves_.size();
}

}  // namespace mq::store
