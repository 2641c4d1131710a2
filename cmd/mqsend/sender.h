// Batches on their way: builds requests, keeps several under way on one connection, tries again
// what was refused for now, tells what became of every message. One thread, never blocks but in
// pump().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/stream.h"
#include "options.h"
#include "record.h"
#include "wire/command.h"

namespace mq::mqsend {

struct ItemInfo {
  std::int64_t number = 0;  // of the record in the input, from 1
  std::int64_t offset = 0;  // of its first byte
  std::int64_t end = 0;     // behind its delimiter
};

// A request and what became of it.
struct Outcome {
  bool delivered = false;
  std::int32_t code = 0;
  std::string reason{};  // when not delivered, or stored with a reservation
  std::int32_t queue = 0;
  std::int64_t queue_offset = 0;
  const std::vector<ItemInfo>* items = nullptr;
  const std::string* ids = nullptr;  // 32 characters each, when kept
  const std::string* raw = nullptr;  // the input's bytes, when kept
  std::int64_t latency_us = 0;
};

class Sender {
 public:
  using Done = std::function<void(const Outcome&)>;
  Sender(const Options& options, net::Stream stream, int write_queues, Done done);

  // Takes a message into the current batch; false when it must wait (flush or pump first).
  bool add(const Outgoing& message, const ItemInfo& info, std::string_view raw);
  // Closes the current batch, if any.
  void flush();
  [[nodiscard]] bool has_open_batch() const noexcept { return open_ != nullptr; }
  [[nodiscard]] std::int64_t open_since_us() const noexcept { return open_since_us_; }
  [[nodiscard]] bool is_full() const noexcept {
    return requests_.size() >= static_cast<std::size_t>(options_.inflight);
  }
  [[nodiscard]] bool is_idle() const noexcept { return requests_.empty() && open_ == nullptr; }
  // A temporary refusal has outlived its retries: nothing more is to be taken in.
  [[nodiscard]] bool has_given_up() const noexcept { return given_up_; }

  // Sends what can be sent, reads answers; waits at most `timeout_ms` for either, or until `input`
  // (a descriptor, -1: none) can be read. Returns whether `input` can. Errors: the connection is of
  // no use any more.
  Result<bool> pump(int input, std::int64_t timeout_ms);
  // After an error of pump: everything under way is not known to be delivered.
  void abandon(const std::string& reason);

 private:
  struct Request {
    std::int32_t opaque = 0;
    std::int32_t queue = 0;
    std::string frame;
    std::size_t sent = 0;
    int tries = 0;
    std::int64_t due_us = 0;   // not before
    std::int64_t sent_us = 0;  // written for the first time
    std::vector<ItemInfo> items;
    std::string ids;
    std::string raw;
    // Of the batch while it is open: batch items, or the one message.
    std::string body;
    std::string properties;
    bool batch = false;
  };
  using RequestPtr = std::unique_ptr<Request>;

  std::int32_t next_queue(const Outgoing& message);
  void encode(Request& request);
  Result<void> write();
  Result<void> read();
  Result<void> take_answer(Bytes frame);
  void finish(Request& request, Outcome outcome);
  RequestPtr make();

  const Options& options_;
  net::Stream stream_;
  const int write_queues_;
  Done done_;
  std::int32_t opaque_ = 0;
  std::uint32_t round_ = 0;
  RequestPtr open_;
  std::int64_t open_since_us_ = 0;
  std::deque<RequestPtr> requests_;  // under way, in order of first sending
  std::vector<RequestPtr> spare_;    // kept for their memory
  std::vector<std::byte> in_;
  std::size_t in_used_ = 0;
  wire::Command answer_;
  bool given_up_ = false;
};

}  // namespace mq::mqsend
