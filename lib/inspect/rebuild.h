// Consume queues and index files built from the commit log alone (store-format.md 4, 5, 8, 9.6):
// one pass over the log, in order, in bounded memory. What is built equals what the reference
// builds when it replays the whole log, byte for byte for queues, by answers for the index (whose
// files may begin and end elsewhere).
//
// Writes below the output directory alone; putting the result in the place of the old is
// repair_change.h's.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "inspect/log_reader.h"
#include "inspect/rebuild_index.h"
#include "inspect/rebuild_queues.h"
#include "inspect/rebuild_rules.h"
#include "inspect/rebuild_shape.h"

namespace mq::inspect {

// Hands the entry and the keys of each record to whoever collects them.
class LogDispatch {
 public:
  struct Parts {
    const DispatchRules* rules = nullptr;                  // borrowed, as all
    QueueBuilder* queues = nullptr;                        // null: no queues
    QueueBuilder* batch_queues = nullptr;                  // of batch_topics; null: those get none
    KeySink* keys = nullptr;                               // null: no index
    std::string topic = {};                                // queues of this one alone; "": all
    std::set<std::string, std::less<>> batch_topics = {};  // have queues of another kind
  };
  explicit LogDispatch(Parts parts) : parts_(std::move(parts)) {}

  Result<void> take(const format::Record& record);
  Result<void> finish();
  [[nodiscard]] std::int64_t records() const noexcept { return records_; }
  [[nodiscard]] std::int64_t last_store_timestamp_ms() const noexcept { return last_ms_; }
  [[nodiscard]] PhysicalOffset last_record() const noexcept { return last_record_; }

 private:
  struct Topic {
    std::int32_t index_prefix = 0;
    bool has_queues = false;
    bool is_batch = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  const Topic& topic_of(std::string_view name);
  Result<void> add_entries(const Topic& topic, const format::Record& record,
                           const Dispatched& dispatched);
  Result<void> add_keys(const Topic& topic, const format::Record& record,
                        const Dispatched& dispatched);

  const Parts parts_;
  std::unordered_map<std::string, Topic, Hash, std::equal_to<>> topics_;
  std::int64_t records_ = 0;
  std::int64_t last_ms_ = 0;
  PhysicalOffset last_record_{-1};
};

// Topics whose queues are under batchconsumequeue/, by directory and by topics.json.
[[nodiscard]] std::set<std::string, std::less<>> batch_topics(fs::Fs& fs, const std::string& store);

struct RebuildOptions {
  bool queues = true;
  bool index = true;
  std::string topic = {};  // queues of this one alone; "": all
  StoreShape shape = {};   // as find_shape() gives it
  std::string delay_levels{DispatchRules::kDelayLevels};
  std::int64_t now_ms = 0;
  // Told now and then how far in the log the pass is; may be empty.
  std::function<void(PhysicalOffset)> progress = {};
};

struct RebuildReport {
  std::int64_t records = 0;
  PhysicalOffset begin{};
  PhysicalOffset end{};  // of the last good record
  std::vector<QueueBuilder::Range> queues;
  std::int64_t index_files = 0;
  std::int64_t keys = 0;
  // Where the log is damaged; records there are in no queue.
  std::vector<Finding> damage;
  // Numbers that had to be guessed, one line each.
  std::vector<std::string> odd;
};

// Builds `out`/consumequeue and `out`/index, which must not be there. Errors: kNotFound (no log),
// kExists, kNoSpace, kIo.
Result<RebuildReport> rebuild(fs::Fs& fs, const std::string& store, const std::string& out,
                              const RebuildOptions& options);

// Hands every good record to `dispatch` and ends it; returns where the last one ended. `damage` is
// told of what is in between.
Result<PhysicalOffset> walk_log(LogReader& log, LogDispatch& dispatch,
                                const std::function<void(PhysicalOffset)>& progress,
                                const LogReader::Note& damage);

// One line for people.
[[nodiscard]] std::string describe(const QueueBuilder::Odd& odd);

}  // namespace mq::inspect
