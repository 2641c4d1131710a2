// The next queue offset of one queue. Read and written under the append lock alone; recovery sets
// it to the queue's max offset before there are any puts.
#pragma once

#include <cstdint>

namespace mq::store {

struct QueueCounter {
  std::int64_t next = 0;
};

}  // namespace mq::store
