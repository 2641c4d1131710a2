// The messages of a store in little memory: for each queue, a sum over each stretch of kBlock queue
// offsets. Two stores with the same messages have the same sums, in whatever order and files their
// logs hold them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "inspect/message_parts.h"
#include "inspect/parallel_walk.h"

namespace mq::inspect {

struct DigestOptions {
  PartSet parts = PartSet::meaning();
  std::set<std::string, std::less<>> topics{};  // none: all
  // The body as the producer had it: a view of the record's or of `buffer`.
  std::function<Bytes(const format::Record& record, std::string& buffer)> body{};
  int jobs = 1;
  std::atomic<std::int64_t>* bytes_done = nullptr;
  std::atomic<std::int64_t>* records_done = nullptr;
  std::function<bool()> goes_on{};  // asked now and then
  LogReader::Note note{};
};

inline constexpr std::int64_t kBlock = 4096;

struct BlockDigest {
  std::uint64_t sum = 0;
  std::int64_t count = 0;
  PhysicalOffset first{INT64_MAX};  // where in the log its records are
  PhysicalOffset behind{};
  // Of what they hold, not of where it lies.
  friend bool operator==(const BlockDigest& a, const BlockDigest& b) {
    return a.sum == b.sum && a.count == b.count;
  }
};
struct QueueDigest {
  std::int64_t min = INT64_MAX;
  std::int64_t max = 0;  // behind the last
  std::int64_t count = 0;
  std::map<std::int64_t, BlockDigest> blocks;  // by queue offset / kBlock
};
// Messages as consumers can get them: those of a transaction that is prepared or rolled back are
// left out.
using QueueKey = std::pair<std::string, std::int32_t>;
using StoreDigest = std::map<QueueKey, QueueDigest>;
Result<StoreDigest> digest_store(fs::Fs& fs, const std::string& store,
                                 const DigestOptions& options);

// The messages of some blocks, each by itself.
using BlockKey = std::pair<QueueKey, std::int64_t>;
using BlockMessages = std::map<QueueKey, std::map<std::int64_t, PartHashes>>;
Result<BlockMessages> read_blocks(fs::Fs& fs, const std::string& store, const StoreDigest& digest,
                                  const std::set<BlockKey>& blocks, const DigestOptions& options);

}  // namespace mq::inspect
