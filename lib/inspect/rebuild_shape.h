// The sizes that a store was written with. No file says them (store-format.md 1): what is not given
// is taken from the files that agree with each other, and assumed as the broker's default when none
// can tell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/index_file.h"
#include "fs/fs.h"

namespace mq::inspect {

struct StoreShape {
  static constexpr std::int64_t kLogFileBytes = 1 << 30;
  static constexpr std::int64_t kQueueFileBytes = 6'000'000;
  static constexpr std::int64_t kBatchQueueFileBytes = 13'800'000;
  // 0, and no slots: to be found out.
  std::int64_t log_file_bytes = 0;          // mappedFileSizeCommitLog
  std::int64_t queue_file_bytes = 0;        // mappedFileSizeConsumeQueue, a multiple of 20
  std::int64_t batch_queue_file_bytes = 0;  // mapperFileSizeBatchConsumeQueue, a multiple of 46
  format::IndexShape index{.slots = 0, .entries = 0};
  // "mappedFileSizeConsumeQueue=6000000": what no file could tell.
  std::vector<std::string> assumed{};
};

// `given` with the rest found out. Errors: kInvalid (a size that cannot be), kUnsupported (a
// RocksDB store), kIo.
Result<StoreShape> find_shape(fs::Fs& fs, const std::string& store, const StoreShape& given = {});

}  // namespace mq::inspect
