#include "broker/transaction_service.h"

#include <algorithm>

#include "base/log.h"

namespace mq::broker {

TransactionService::TransactionService(const Options& o)
    : count_interval_ms_(o.config.transaction_count_interval_ms),
      done_({.store = o.store,
             .host = o.host,
             .batch_bytes_max = static_cast<std::size_t>(o.config.transaction_done_bytes_max),
             .batch_interval_ms = o.config.transaction_done_interval_ms}),
      open_(o.fs, o.counts_path),
      transactions_({.store = o.store,
                     .done = done_,
                     .open = open_,
                     .stats = o.stats,
                     .postpone = o.postpone,
                     .timeout_ms = o.config.transaction_timeout_ms}),
      checks_({.store = o.store,
               .topics = o.topics,
               .offsets = o.offsets,
               .done = done_,
               .open = open_,
               .ask = o.ask,
               .timeout_ms = o.config.transaction_timeout_ms,
               .checks_max = o.config.transaction_checks_max,
               .interval_ms = o.config.transaction_check_interval_ms,
               .reserved_ms = o.config.store.file_reserved_hours * 3'600'000}) {}

void TransactionService::load(std::int64_t now_ms) {
  open_.load();
  checks_.load(now_ms);
  counts_due_ms_ = now_ms + count_interval_ms_;
}

std::int64_t TransactionService::step(std::int64_t now_ms, std::int64_t budget) {
  const std::int64_t next_ms = std::min(done_.step(now_ms), checks_.step(now_ms, budget));
  counts_due_ms_ = std::min(counts_due_ms_, now_ms + count_interval_ms_);
  if (counts_due_ms_ <= now_ms) {
    counts_due_ms_ = now_ms + count_interval_ms_;
    if (auto done = open_.save(); !done)
      log::error("counts of open transactions: {}", done.error().to_string());
  }
  return std::min(next_ms, counts_due_ms_);
}

void TransactionService::flush(std::int64_t now_ms) {
  if (!done_.flush(now_ms)) {
    log::error(
        "transactions: what was ended last could not be written down; "
        "its producers may be asked once more");
  }
}

Result<void> TransactionService::save() {
  checks_.save();
  return open_.save();
}

}  // namespace mq::broker
