// What became of the records, in numbers, and what is said of them at the end.
#pragma once

#include <cstdint>
#include <string>

#include "cli/histogram.h"
#include "options.h"
#include "sender.h"

namespace mq::mqsend {

class Ledger {
 public:
  explicit Ledger(const Options& options) : o_(options) {}

  // A record that is not sent; `skip`: as was asked for, which is no failure.
  void reject(const ItemInfo& info, const std::string& why, bool skip);
  void skip_empty() { ++skipped_empty_; }
  void take(std::int64_t body_bytes);
  // Acknowledged, or not.
  void note(const Outcome& outcome);
  void raise(int status);  // the worst of all statuses counts
  // The lines for people; `given_up`: not all of the input was read.
  void summary(bool given_up, std::int64_t duration_us);

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::int64_t taken() const { return taken_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::int64_t undelivered() const { return undelivered_; }

 private:
  void note_undelivered(const Outcome& outcome);
  void statistics(std::int64_t duration_us) const;

  const Options& o_;
  int status_ = 0;
  std::int64_t taken_ = 0, bytes_ = 0, acknowledged_ = 0, undelivered_ = 0;
  std::int64_t skipped_empty_ = 0, skipped_large_ = 0, rejected_ = 0;
  int reports_ = 0;
  cli::Histogram latencies_;
};

}  // namespace mq::mqsend
