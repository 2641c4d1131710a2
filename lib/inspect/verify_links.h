// What a record has elsewhere in the store, as a broker's dispatch makes it (store-format.md 4.2,
// 4.8, 5, 8.2), handed to the parts that look for it.
#pragma once

#include <string_view>
#include <vector>

#include "format/record.h"
#include "inspect/verify_batch.h"
#include "inspect/verify_index.h"
#include "inspect/verify_queues.h"

namespace mq::inspect {

class VerifyLinks {
 public:
  // Borrows them.
  VerifyLinks(VerifyQueues& queues, VerifyBatch& batches, VerifyIndex& index)
      : queues_(queues), index_(index), batches_(batches) {}

  void record(const format::Record& record);

 private:
  struct Wanted {
    std::string_view tags, keys, unique_key, delay, light_queues, light_offsets;
    std::string_view inner_num, inner_base;
  };
  static Wanted pick(std::string_view properties);
  void to_queue(const format::Record& record, VerifyQueue& queue, const Wanted& wanted);
  void to_batch_queue(const format::Record& record, const Wanted& wanted);
  void to_light_queues(const format::Record& record, const Wanted& wanted);

  VerifyQueues& queues_;
  VerifyIndex& index_;
  VerifyBatch& batches_;
  std::vector<std::int32_t> hashes_;
};

}  // namespace mq::inspect
