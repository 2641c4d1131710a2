// What a test knows of the messages that it has put, and the check that a store agrees.
//
// Topics T0..T2, two queues each. Bodies follow from a message's number, so that none has to be
// kept; each has the keys "k<number>" (KEYS) and "u<number>" (UNIQ_KEY).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "store/message_store.h"

namespace mq::test {

class Ledger {
 public:
  static constexpr int kTopics = 3;
  static constexpr int kQueues = 2;

  explicit Ledger(std::uint64_t seed, std::size_t body_bytes_max = 2500)
      : seed_(seed), body_bytes_max_(body_bytes_max) {}

  // The topic's queues are queues of batches: half of its messages stand for two to five.
  void set_batch_topic(std::string topic) { batch_topic_ = std::move(topic); }

  // Every second message that is put alone lists this light queue.
  void set_light_queue(std::string name) { light_queue_ = std::move(name); }

  // Puts a new message, or `count` as one batch, into a queue chosen by `random`; notes those that
  // the store took. One thread at a time.
  store::PutResult put(store::MessageStore& store, std::mt19937_64& random, std::size_t count = 1);
  // Has the store say when the messages of that put are durable; they then count as acknowledged.
  // `answered` grows with each answer.
  void await(store::MessageStore& store, const store::PutResult& result);
  // The same, on the spot; false when the answer is not kOk. Any answer that does not come within
  // 10 s is a failure.
  bool await_now(store::MessageStore& store, const store::PutResult& result);

  [[nodiscard]] std::size_t acknowledged() const;
  [[nodiscard]] store::PutStatus last_answer() const;

  // Empty when the store holds every acknowledged message once, in order and intact, in log, queues
  // and index, and nothing that was not put; else what is wrong. Messages that were put but not
  // acknowledged may be there or not; those that are count as acknowledged from now on, as
  // consumers have seen them, and the others as never put.
  std::string check(store::MessageStore& store);

 private:
  struct Entry {
    std::string topic;
    QueueId queue = 0;
    QueueOffset offset{};
    PhysicalOffset at{};
    PhysicalOffset put_end{};
    bool acknowledged = false;
    // Its properties were torn, which nothing in the format tells (the CRC is the body's); only
    // while not acknowledged.
    bool torn = false;
    bool is_light = false;  // in the light queue, too
  };
  [[nodiscard]] std::string body_of(std::uint64_t number) const;
  void acknowledge(PhysicalOffset put_end);
  // The message that a record is; 0 for none.
  std::uint64_t identify(Bytes bytes) MQ_REQUIRES(mu_);
  std::string check_record(Bytes bytes, std::uint64_t number, const Entry& entry) const;
  std::string check_queue(store::MessageStore& store, const std::string& topic, QueueId queue,
                          std::map<std::uint64_t, bool>& served) MQ_REQUIRES(mu_);
  std::string check_light_queue(store::MessageStore& store) MQ_REQUIRES(mu_);
  std::string check_keys(store::MessageStore& store, std::uint64_t number, const Entry& entry);

  const std::uint64_t seed_;
  const std::size_t body_bytes_max_;
  std::string batch_topic_;
  std::string light_queue_;
  std::uint64_t next_ = 1;
  mutable Mutex mu_;
  std::map<std::uint64_t, Entry> entries_ MQ_GUARDED_BY(mu_);
  store::PutStatus last_answer_ MQ_GUARDED_BY(mu_) = store::PutStatus::kUnknownError;
};

}  // namespace mq::test
