#include "store/commit_log_source.h"

namespace mq::store {

PhysicalOffset CommitLogSource::next_good(PhysicalOffset at) const {
  return find_next_good(log_, at, log_.readable()).value_or(log_.readable());
}

std::vector<ExpirableLog::File> CommitLogSource::files() {
  std::vector<File> out;
  for (SegmentInfo& info : log_.segments())
    out.push_back({info.start, info.mtime_ms, std::move(info.path)});
  return out;
}

}  // namespace mq::store
