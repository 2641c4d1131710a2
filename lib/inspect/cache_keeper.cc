#include "inspect/cache_keeper.h"

#include <algorithm>

namespace mq::inspect {
namespace {

constexpr std::int64_t kPageBytes = 4096;

}  // namespace

CacheKeeper CacheKeeper::of(fs::File& file, std::int64_t bytes) {
  CacheKeeper out;
  if (bytes <= 0) return out;
  const auto mapping = file.map(bytes, fs::MapMode::kRead);
  if (!mapping) return out;
  const std::vector<unsigned char> pages = (*mapping)->resident();
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if ((pages[i] & 1U) != 0) continue;
    const std::int64_t at = static_cast<std::int64_t>(i) * kPageBytes;
    if (out.absent_.empty() || out.absent_.back().second != at) out.absent_.push_back({at, at});
    out.absent_.back().second = at + kPageBytes;
  }
  return out;
}

void CacheKeeper::drop(fs::File& file, std::int64_t from, std::int64_t to) const {
  auto run = std::partition_point(absent_.begin(), absent_.end(),
                                  [from](const auto& r) { return r.second <= from; });
  for (; run != absent_.end() && run->first < to; ++run) {
    const std::int64_t begin = std::max(run->first, from);
    const std::int64_t end = std::min(run->second, to);
    if (begin < end) file.drop_cache(begin, end - begin);
  }
}

}  // namespace mq::inspect
