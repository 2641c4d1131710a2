// Leaves the page cache as it was found: what reading a file brought into memory goes again, what
// was there before (a broker's working set) stays.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "fs/fs.h"

namespace mq::inspect {

class CacheKeeper {
 public:
  CacheKeeper() = default;  // drops nothing
  // Remembers what of the file, which has these bytes, is in memory now: so before it is read.
  static CacheKeeper of(fs::File& file, std::int64_t bytes);

  // Lets go of what lies in [from, to) and was not in memory before. Not while it is mapped and
  // touched: such pages stay. Best effort.
  void drop(fs::File& file, std::int64_t from, std::int64_t to) const;

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> absent_;  // in bytes, in order
};

}  // namespace mq::inspect
