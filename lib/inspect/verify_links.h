// What a record has elsewhere in the store, as a broker's dispatch makes it (store-format.md 4.2,
// 4.8, 5, 8.2), handed to the parts that look for it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "format/record.h"
#include "inspect/verify_index.h"
#include "inspect/verify_queues.h"

namespace mq::inspect {

class VerifyLinks {
 public:
  // `batch_topics` have queues of batches, under batchconsumequeue/. Borrows the others.
  VerifyLinks(VerifyQueues& queues, VerifyIndex& index,
              std::set<std::string, std::less<>> batch_topics)
      : queues_(queues), index_(index), batch_topics_(std::move(batch_topics)) {}

  void record(const format::Record& record);

 private:
  struct Wanted {
    std::string_view tags, keys, unique_key, delay, multi_queues, multi_offsets;
  };
  static Wanted pick(std::string_view properties);
  void to_queue(const format::Record& record, VerifyQueue& queue, const Wanted& wanted);
  void to_multi_queues(const format::Record& record, const Wanted& wanted);

  VerifyQueues& queues_;
  VerifyIndex& index_;
  const std::set<std::string, std::less<>> batch_topics_;
  std::vector<std::int32_t> hashes_;
};

}  // namespace mq::inspect
