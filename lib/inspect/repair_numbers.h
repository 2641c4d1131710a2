// Numbers that a queue lacks, and what became of them: the record is damaged beyond reading (then
// its number is kept, see repair_scrap.h), or it is there and says it is another one (then it is
// put right). Told by the order of the numbers in the log, and by the entries of the queues that
// are there. Lives through the first pass of a repair. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "inspect/rebuild_queues.h"
#include "inspect/repair_compare.h"
#include "inspect/repair_log.h"

namespace mq::inspect {

class NumberMend {
 public:
  NumberMend(LogMend& log, QueuesThere& there) : log_(log), there_(there) {}

  // For the builder of the first pass.
  [[nodiscard]] QueueBuilder::Hooks hooks();
  [[nodiscard]] bool is_next(const QueueBuilder& queues, const format::Record& record);
  // Behind the first pass, with the ranges it gave: tells the log which numbers to keep and which
  // records to put right.
  Result<void> settle(const std::vector<QueueBuilder::Range>& ranges);

  // Numbers that nothing could be done about.
  [[nodiscard]] const std::vector<LostRun>& unresolved() const noexcept { return unresolved_; }

 private:
  struct Gap {
    QueueKey queue;
    std::int64_t first = 0;
    std::int64_t count = 0;
    PhysicalOffset from{};  // the records were in [from, to)
    PhysicalOffset to{};
  };
  bool is_explained(const QueueKey& queue, std::int64_t first, std::int64_t count,
                    PhysicalOffset from, PhysicalOffset to);
  void note(const QueueBuilder::Odd& odd);
  Result<void> correct(const QueueBuilder::Odd& odd);
  Result<void> settle_gap(const Gap& gap);
  Result<void> settle_tail(const QueueKey& queue, std::int64_t next, PhysicalOffset from);
  // Records that may be none of the queue that they say: alone in a queue that nobody knows.
  void add_suspects(const std::vector<QueueBuilder::Range>& ranges);
  void settle_heads(const std::vector<QueueBuilder::Range>& ranges);
  // Whether the record there was that number of that queue, but for a bit or two; if so it is
  // fixed.
  Result<bool> move_record(PhysicalOffset at, const QueueKey& queue, std::int64_t number);
  [[nodiscard]] bool is_good_record(PhysicalOffset at);
  void give_up(const QueueKey& queue, std::int64_t number);

  static constexpr std::size_t kOddMax = 10'000;
  static constexpr int kBitsOffMax = 2;

  LogMend& log_;
  QueuesThere& there_;
  std::vector<Gap> gaps_;
  std::vector<QueueBuilder::Odd> corrected_;
  std::vector<PhysicalOffset> strays_;
  std::set<PhysicalOffset> moved_;  // records that turned out to be others
  std::map<QueueKey, std::int64_t> ends_;
  std::vector<LostRun> unresolved_;
};

}  // namespace mq::inspect
