// A look at a file that leaves the page cache as it was found, from here to the end of the block.
#pragma once

#include "inspect/cache_keeper.h"

namespace mq::inspect {

class PageCacheGuard {
 public:
  // `file` is borrowed, and not mapped any more when this goes.
  explicit PageCacheGuard(fs::File& file)
      : file_(file), keeper_(CacheKeeper::of(file, file.size().value_or(0))) {}
  // The kernel reads ahead: so it is the whole file that is looked at, not what was asked for.
  ~PageCacheGuard() { keeper_.drop(file_, 0, INT64_MAX); }
  PageCacheGuard(const PageCacheGuard&) = delete;
  PageCacheGuard& operator=(const PageCacheGuard&) = delete;

 private:
  fs::File& file_;
  CacheKeeper keeper_;
};

}  // namespace mq::inspect
