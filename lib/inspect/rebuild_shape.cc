#include "inspect/rebuild_shape.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "format/index_shape.h"
#include "format/names.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

using format::IndexShape;

struct Piece {
  std::int64_t start = 0;
  std::int64_t bytes = 0;
};

Result<std::vector<Piece>> pieces_in(fs::Fs& fs, const std::string& directory) {
  std::vector<Piece> out;
  auto names = fs.list(directory);
  if (!names) {
    if (names.error().code() == Errc::kNotFound) return out;
    return std::move(names).error();
  }
  for (const std::string& name : *names) {
    const auto start = format::parse_stream_file_name(name);
    if (!start) continue;
    MQ_TRY(const fs::Stat stat, fs.stat(directory + "/" + name));
    if (!stat.is_directory) out.push_back({*start, stat.bytes});
  }
  return out;
}

// How often each size occurs among files that may have it.
class Sizes {
 public:
  explicit Sizes(std::int64_t unit) : unit_(unit) {}
  // The files of one stream. A size counts that fits where the files begin.
  void add(const std::vector<Piece>& pieces) {
    std::int64_t step = 0;
    for (const Piece& piece : pieces) step = std::gcd(step, piece.start);
    for (const Piece& piece : pieces) {
      if (piece.bytes > 0 && piece.bytes % unit_ == 0 && step % piece.bytes == 0)
        ++count_[piece.bytes];
    }
    if (step > 0 && step % unit_ == 0) steps_ = std::gcd(steps_, step);
  }
  // 0 when nothing tells.
  [[nodiscard]] std::int64_t most() const {
    std::int64_t best = 0;
    for (const auto& [bytes, count] : count_) {
      if (best == 0 || count >= count_.at(best)) best = bytes;
    }
    return best > 0 ? best : steps_;
  }

 private:
  const std::int64_t unit_;
  std::map<std::int64_t, std::int64_t> count_;
  std::int64_t steps_ = 0;
};

Result<std::int64_t> log_file_bytes(fs::Fs& fs, const std::string& directory) {
  MQ_TRY(const auto pieces, pieces_in(fs, directory));
  // A lone file may have been cut to any length, but not to a round one by accident.
  Sizes sizes(pieces.size() == 1 && pieces[0].start == 0 ? 1024 : 1);
  sizes.add(pieces);
  return sizes.most();
}

Result<std::int64_t> queue_file_bytes(fs::Fs& fs, const std::string& root, std::int64_t unit) {
  Sizes sizes(unit);
  auto topics = fs.list(root);
  if (!topics) return 0;
  for (const std::string& topic : *topics) {
    auto queues = fs.list(root + "/" + topic);
    if (!queues) continue;
    for (const std::string& queue : *queues) {
      auto pieces = pieces_in(fs, root + "/" + topic + "/" + queue);
      if (pieces) sizes.add(*pieces);
    }
  }
  return sizes.most();
}

Result<IndexShape> index_shape(fs::Fs& fs, const std::string& store) {
  constexpr std::int64_t kReadableBytes = 64 << 20;
  MQ_TRY(const auto files, list_index(fs, store));
  std::map<std::pair<std::int32_t, std::int32_t>, int> count;
  for (const IndexInfo& file : files) {
    IndexShape shape = file.shape;
    if (!file.damage.empty() || file.header.index_count < 2) {
      shape = {.slots = 0, .entries = 0};
      if (file.bytes == IndexShape().file_bytes()) {
        shape = {};
      } else if (file.bytes >= 64 && file.bytes <= kReadableBytes) {
        MQ_TRY(const std::string content, fs::read_file(fs, file.path));
        shape = format::guess_index_shape(as_bytes(content), {});
      }
    }
    if (shape.slots > 0) ++count[{shape.slots, shape.entries}];
  }
  const auto most = std::max_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == count.end()) return IndexShape{.slots = 0, .entries = 0};
  return IndexShape{.slots = most->first.first, .entries = most->first.second};
}

Result<void> check(const StoreShape& shape) {
  const auto refuse = [](const char* what, std::int64_t value, const char* expected) {
    return Error{Errc::kInvalid, fmt::format("{}={}: expected {}", what, value, expected)};
  };
  if (shape.log_file_bytes < 1024)
    return refuse("mappedFileSizeCommitLog", shape.log_file_bytes, "1024 or more");
  if (shape.queue_file_bytes < 20 || shape.queue_file_bytes % 20 != 0)
    return refuse("mappedFileSizeConsumeQueue", shape.queue_file_bytes, "a multiple of 20");
  if (shape.batch_queue_file_bytes < 46 || shape.batch_queue_file_bytes % 46 != 0)
    return refuse("mapperFileSizeBatchConsumeQueue", shape.batch_queue_file_bytes,
                  "a multiple of 46");
  if (shape.index.slots < 1 || shape.index.entries < 2)
    return refuse("maxHashSlotNum", shape.index.slots, "1 or more, with maxIndexNum of 2 or more");
  return {};
}

}  // namespace

Result<StoreShape> find_shape(fs::Fs& fs, const std::string& store, const StoreShape& given) {
  if (fs.exists(store + "/consumequeue/CURRENT")) {
    return Error{Errc::kUnsupported,
                 store +
                     "/consumequeue: a RocksDB store (storeType=defaultRocksDB); only the file "
                     "store is supported"};
  }
  StoreShape out = given;
  const auto settle = [&](std::int64_t& value, std::int64_t found, std::int64_t standard,
                          const char* name) {
    if (value != 0) return;
    value = found > 0 ? found : standard;
    if (found == 0 && name != nullptr) out.assumed.push_back(fmt::format("{}={}", name, standard));
  };
  MQ_TRY(const std::int64_t log, log_file_bytes(fs, store + "/commitlog"));
  settle(out.log_file_bytes, log, StoreShape::kLogFileBytes, "mappedFileSizeCommitLog");
  MQ_TRY(const std::int64_t queue, queue_file_bytes(fs, store + "/consumequeue", 20));
  settle(out.queue_file_bytes, queue, StoreShape::kQueueFileBytes, "mappedFileSizeConsumeQueue");
  MQ_TRY(const std::int64_t batch, queue_file_bytes(fs, store + "/batchconsumequeue", 46));
  settle(out.batch_queue_file_bytes, batch, StoreShape::kBatchQueueFileBytes, nullptr);
  if (out.index.slots == 0) {
    MQ_TRY(out.index, index_shape(fs, store));
    if (out.index.slots == 0) {
      out.index = {};
      out.assumed.push_back(
          fmt::format("maxHashSlotNum={} and maxIndexNum={}", out.index.slots, out.index.entries));
    }
  }
  MQ_CHECK(check(out));
  return out;
}

}  // namespace mq::inspect
