#include "inspect/store_digest.h"

#include <algorithm>

namespace mq::inspect {
namespace {

bool counts(const format::Record& record, const DigestOptions& options) {
  return format::has_queue_entry(record.transaction_type()) &&
         (options.topics.empty() || options.topics.contains(record.topic));
}

// One thread's part. Neighbours in the log are often of one queue.
class Digester {
 public:
  void add(const format::Record& record, const DigestOptions& options) {
    const Bytes body = options.body(record, buffer_);
    const std::int64_t offset = record.queue_offset.value();
    QueueDigest& queue = queue_of(record);
    queue.min = std::min(queue.min, offset);
    queue.max = std::max(queue.max, offset + 1);
    ++queue.count;
    BlockDigest& block = queue.blocks[offset / kBlock];
    block.sum += combine(hash_parts(record, body, options.parts), offset);
    ++block.count;
    block.first = std::min(block.first, record.physical_offset);
    block.behind = std::max(block.behind, record.physical_offset + record.total_bytes);
  }
  StoreDigest digest;

 private:
  QueueDigest& queue_of(const format::Record& record) {
    if (last_ == nullptr || topic_ != record.topic || queue_ != record.queue_id) {
      topic_ = record.topic;
      queue_ = record.queue_id;
      last_ = &digest[{topic_, queue_}];
    }
    return *last_;
  }
  std::string buffer_;
  std::string topic_;
  std::int32_t queue_ = 0;
  QueueDigest* last_ = nullptr;
};

void merge(StoreDigest& to, const StoreDigest& from) {
  for (const auto& [key, queue] : from) {
    QueueDigest& out = to[key];
    out.min = std::min(out.min, queue.min);
    out.max = std::max(out.max, queue.max);
    out.count += queue.count;
    for (const auto& [number, block] : queue.blocks) {
      BlockDigest& b = out.blocks[number];
      b.sum += block.sum;
      b.count += block.count;
      b.first = std::min(b.first, block.first);
      b.behind = std::max(b.behind, block.behind);
    }
  }
}

WalkOptions walk_options(const DigestOptions& options) {
  return {
      .jobs = options.jobs, .bytes_done = options.bytes_done, .records_done = options.records_done};
}

}  // namespace

Result<StoreDigest> digest_store(fs::Fs& fs, const std::string& store,
                                 const DigestOptions& options) {
  std::vector<Digester> digesters(static_cast<std::size_t>(std::max(1, options.jobs)));
  MQ_CHECK(walk_parallel(
      fs, store, walk_options(options),
      [&](std::size_t worker, const format::Record& record, Bytes) {
        if (counts(record, options)) digesters[worker].add(record, options);
        return !options.goes_on || options.goes_on();
      },
      options.note));
  StoreDigest out = std::move(digesters[0].digest);
  for (std::size_t i = 1; i < digesters.size(); ++i) merge(out, digesters[i].digest);
  return out;
}

Result<BlockMessages> read_blocks(fs::Fs& fs, const std::string& store, const StoreDigest& digest,
                                  const std::set<BlockKey>& blocks, const DigestOptions& options) {
  BlockMessages out;
  WalkOptions walk{.from = PhysicalOffset(INT64_MAX), .to = PhysicalOffset(0)};
  for (const auto& [key, number] : blocks) {
    const auto queue = digest.find(key);
    if (queue == digest.end()) continue;
    const auto block = queue->second.blocks.find(number);
    if (block == queue->second.blocks.end()) continue;
    walk.from = std::min(walk.from, block->second.first);
    walk.to = std::max(walk.to, block->second.behind);
  }
  if (walk.from >= walk.to) return out;
  std::string buffer;
  MQ_CHECK(walk_parallel(fs, store, walk, [&](std::size_t, const format::Record& record, Bytes) {
    const QueueKey key{std::string(record.topic), record.queue_id};
    const std::int64_t offset = record.queue_offset.value();
    if (counts(record, options) && blocks.contains({key, offset / kBlock})) {
      const PartHashes hashes = hash_parts(record, options.body(record, buffer), options.parts);
      // A number that stands twice: of a topic that was deleted and made again.
      PartHashes& sum = out[key].try_emplace(offset).first->second;
      for (std::size_t i = 0; i < kParts; ++i) sum[i] += hashes[i];
    }
    return !options.goes_on || options.goes_on();
  }));
  return out;
}

}  // namespace mq::inspect
