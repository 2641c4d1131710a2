// Turns a put into records that lack only what the append lock decides. Buffers are the thread's
// own and kept from put to put, so that a message costs no allocation.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/commit_log.h"
#include "store/consume_queue_set.h"
#include "store/types.h"

namespace mq::store {

struct EncodedPut {
  std::span<const EncodedRecord> records;  // valid until this thread's next encode_put
  std::int64_t bytes = 0;
  PutStatus status = PutStatus::kOk;  // kMessageIllegal, kPropertiesSizeExceeded
  std::string why;
};

struct PutLimits {
  std::int32_t message_bytes_max = 0;
  std::int64_t file_bytes = 0;
};

// Checks the limits of store-format.md 2.2, then encodes heads (body CRC included) and tails;
// bodies stay where they are. `light`: has the light queues that messages may list; null: what they
// list means nothing.
EncodedPut encode_put(const PutCommon& common, std::span<const PutMessage> messages,
                      const PutLimits& limits, ConsumeQueueSet* light);

}  // namespace mq::store
