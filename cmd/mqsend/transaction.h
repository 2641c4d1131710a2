// All of the input or nothing (--transaction): the half messages that have been stored, and their
// end, all the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "options.h"
#include "wire/transaction.h"

namespace mq::mqsend {

class Transaction {
 public:
  // `options` is borrowed.
  explicit Transaction(const Options& options) : options_(options) {}

  // A half message has been acknowledged. Errors: kProtocol (an id that is none).
  Result<void> add(std::size_t broker, std::string_view offset_id, std::int64_t half_offset);
  [[nodiscard]] std::int64_t size() const noexcept {
    return static_cast<std::int64_t>(halves_.size());
  }

  struct Ended {
    std::int64_t done = 0;
    std::int64_t refused = 0;  // the broker said no
    std::int64_t unknown = 0;  // it has not answered
    std::string reason{};      // of the first that is not done
  };
  // Ends all, in the order that they were sent; `brokers` as add() counts them. What has not been
  // answered is not tried again: a half message that is committed twice is delivered twice.
  [[nodiscard]] Ended end(wire::TransactionEnd how, const std::vector<client::BrokerAt>& brokers);

 private:
  struct Half {
    std::size_t broker = 0;
    std::int64_t offset = 0;  // in the commit log
    std::int64_t half_offset = 0;
  };
  Result<void> end_at(std::size_t broker, const client::BrokerAt& at, wire::TransactionEnd how,
                      Ended& ended);

  const Options& options_;
  std::vector<Half> halves_;
};

}  // namespace mq::mqsend
