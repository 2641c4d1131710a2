// The consume queues under verify: each record of the log against the entry that its queue should
// hold for it, and each entry against a record.
//
// Queue order is log order, so walking the log meets the entries of each queue in their order: a
// cursor for each queue is enough. Where entry and record disagree, the position decides which of
// the two is wrong: an entry that points at the record is the record's, whatever its number.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/verify_facts.h"
#include "inspect/verify_queue.h"

namespace mq::inspect {

class VerifyQueues {
 public:
  // What the log has at a position, if a record is there: its queue's id and its number.
  struct Peeked {
    std::int32_t bytes = 0;
    QueueId queue = 0;
    std::int64_t number = 0;
  };
  using Peek = std::function<std::optional<Peeked>(PhysicalOffset at)>;
  // Is the topic one that the broker's configuration knows? A queue of another was deleted.
  using IsTopic = std::function<bool(std::string_view topic)>;
  struct Hooks {
    Peek peek;
    IsTopic is_topic;
  };

  VerifyQueues(fs::Fs& fs, VerifyFacts& facts, VerifyReport& report, Hooks hooks)
      : fs_(fs), facts_(facts), report_(report), hooks_(std::move(hooks)) {}

  // Lists the queues and checks names and lengths of their files. Errors: kIo.
  Result<void> open();

  struct Record {
    PhysicalOffset at{};
    std::int32_t bytes = 0;
    std::int64_t number = 0;
    // What its entry's tag code may be.
    std::int64_t tag_code = 0;
    bool is_delayed = false;  // then due `tag_code` or any whole number of seconds behind stored_ms
    std::int64_t stored_ms = 0;
  };
  // The queue of a record, made up if there is none in the store. Lives as long as this.
  VerifyQueue& find(std::string_view topic, QueueId queue);
  // Null if the store has none.
  [[nodiscard]] VerifyQueue* find_existing(std::string_view topic, QueueId queue);
  // In log order.
  void record(VerifyQueue& queue, const Record& record);
  // After the last record: what is left over. facts.lost_behind is known then.
  void finish();

  // Behind the last record that has its entry.
  [[nodiscard]] PhysicalOffset dispatched() const noexcept { return dispatched_; }
  [[nodiscard]] std::int64_t entries() const noexcept { return entries_; }
  [[nodiscard]] std::int64_t count() const noexcept { return existing_; }
  [[nodiscard]] bool has_ext() const noexcept { return has_ext_; }

 private:
  static constexpr std::size_t kBuffersBytes = 32 << 20;  // of all queues together
  static constexpr std::size_t kOpenMax = 256;
  static constexpr std::size_t kMadeUpMax = 200'000;
  static constexpr std::size_t kNamesMax = 3;

  void check_files(const QueueDirectory& directory);
  void check_length(const QueueDirectory& directory, const QueueFile& file);
  QueueSlot slot(VerifyQueue& queue, std::int64_t number);
  [[nodiscard]] bool fits(const QueueSlot& slot, const Record& record) const;
  [[nodiscard]] bool fits_tag(std::int64_t tag_code, const Record& record) const;

  // Steps of record(); each says whether the record is done with.
  bool at_own_slot(VerifyQueue& queue, const Record& record);
  bool before_own_slot(VerifyQueue& queue, const Record& record);
  void behind_own_slot(VerifyQueue& queue, const Record& record);
  bool is_of_earlier_queue(VerifyQueue& queue, const Record& record, const QueueSlot& slot);
  void begins_anew_at(VerifyQueue& queue, PhysicalOffset at);
  void begin_anew(VerifyQueue& queue);
  void match(VerifyQueue& queue, const Record& record);
  void pass(VerifyQueue& queue, const QueueSlot& slot);
  void bad_slot(VerifyQueue& queue, std::string what, std::string expected, std::string found);
  void miss(VerifyQueue& queue, const Record& record);
  void check_number(VerifyQueue& queue, const Record& record);
  void bad_record(const Record& record, std::string what, std::string expected, std::string found,
                  std::string mend);

  void flush_bad(VerifyQueue& queue);
  [[nodiscard]] bool is_torn_end(VerifyQueue& queue, const VerifyQueue::Run& run, std::int64_t at);
  // Is it normal that a queue has nothing from there on?
  [[nodiscard]] bool is_lag(const VerifyQueue::Missing& missing) const;
  void flush_missing(VerifyQueue& queue, bool at_end);
  void finish_with_files(VerifyQueue& queue);
  void finish_without_files(VerifyQueue& queue);
  void tell_earlier(const VerifyQueue& queue, const std::string& path);
  [[nodiscard]] bool is_of_earlier_topic(const VerifyQueue& queue) const;
  void left_over(VerifyQueue& queue);
  void tell_ahead();
  void tell_gone();
  void lost(DeadStretch& stretch, const VerifyQueue& queue, std::int64_t number);

  fs::Fs& fs_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  const Hooks hooks_;
  std::vector<std::unique_ptr<VerifyQueue>> queues_;
  std::unordered_map<std::string, VerifyQueue*> by_name_;
  std::array<VerifyQueue*, 256> recent_{};
  std::deque<VerifyQueue*> opened_;
  std::unique_ptr<VerifyQueue> unknown_;  // in place of more than kMadeUpMax
  std::size_t buffer_bytes_ = 4000;
  std::int64_t file_bytes_ = 0;  // as most have it
  std::int64_t existing_ = 0;
  std::int64_t entries_ = 0;
  PhysicalOffset dispatched_{};
  bool has_directory_ = false;
  bool has_ext_ = false;
  // Entries behind the end of the log, a run a queue.
  struct Ahead {
    VerifyQueue* queue = nullptr;
    std::int64_t from = 0;
    std::int64_t count = 0;
    PhysicalOffset first{};
  };
  std::vector<Ahead> ahead_;
  // Topics that were deleted and made again, and how far the log is of those deleted.
  std::unordered_map<std::string, PhysicalOffset> earlier_topics_;
  // Queues that are gone as a whole, to be told together when it is all of them.
  std::vector<VerifyQueue*> gone_;
};

}  // namespace mq::inspect
