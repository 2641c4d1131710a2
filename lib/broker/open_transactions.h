// How many half messages are open, by topic: config/transactionMetrics, as the reference keeps it.
// Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "format/transaction_counts.h"
#include "fs/fs.h"

namespace mq::broker {

class OpenTransactions {
 public:
  OpenTransactions(fs::Fs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  // A file that cannot be read is named in the log, and counting starts anew.
  void load();
  // Writes the file if something changed. Errors: kNoSpace, kIo.
  Result<void> save();

  void change(std::string_view topic, std::int64_t by, std::int64_t now_ms);
  [[nodiscard]] std::int64_t count(std::string_view topic) const;

 private:
  fs::Fs& fs_;
  const std::string path_;
  mutable Mutex mu_;
  format::TransactionCounts counts_ MQ_GUARDED_BY(mu_);
  bool changed_ MQ_GUARDED_BY(mu_) = false;
};

}  // namespace mq::broker
