// All that a broker has for transactions, joined: who ends them, what is done with, who is asked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "broker/config.h"
#include "broker/half_done.h"
#include "broker/open_transactions.h"
#include "broker/transaction_checks.h"
#include "broker/transactions.h"
#include "format/record.h"
#include "fs/fs.h"

namespace mq::broker {

class TransactionService {
 public:
  struct Options {
    store::MessageStore& store;  // all borrowed
    fs::Fs& fs;
    Topics& topics;
    ConsumerOffsets& offsets;
    Stats* stats = nullptr;  // may be null
    const BrokerConfig& config;
    PostponeRules postpone;
    format::Host host;        // the broker's, as records carry it
    std::string counts_path;  // config/transactionMetrics
    // Has a producer asked; on the thread that calls step().
    std::function<void(const TransactionChecks::Question&)> ask;
  };
  explicit TransactionService(const Options& options);

  // Before the first message is taken.
  void load(std::int64_t now_ms);
  // Half messages are taken and ended here; any thread.
  [[nodiscard]] Transactions& transactions() noexcept { return transactions_; }
  // One thread: writes what waits to be written, asks whom it is time to ask about at most `budget`
  // half messages. Returns when to come again.
  std::int64_t step(std::int64_t now_ms, std::int64_t budget);

  // At a stop, when nothing is ended any more: writes down what is done with (which then has to get
  // on disk: MessageStore::sync()), ...
  void flush(std::int64_t now_ms);
  // ... and then how far this has come. Errors: kNoSpace, kIo.
  Result<void> save();

 private:
  const std::int64_t count_interval_ms_;
  std::int64_t counts_due_ms_ = 0;
  HalfDone done_;
  OpenTransactions open_;
  Transactions transactions_;
  TransactionChecks checks_;
};

}  // namespace mq::broker
