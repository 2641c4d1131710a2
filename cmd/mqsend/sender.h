// Batches on their way: builds requests, keeps several under way on a connection to each broker,
// tries again what was refused for now, tells what became of every message. One thread, never
// blocks but in pump().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "base/result.h"
#include "client/channel.h"
#include "format/message_id.h"
#include "options.h"
#include "record.h"
#include "targets.h"
#include "wire/command.h"

namespace mq::mqsend {

struct ItemInfo {
  std::int64_t number = 0;    // of the record in the input, from 1
  std::int64_t offset = 0;    // of its first byte
  std::int64_t end = 0;       // behind its delimiter
  std::int64_t due_us = 0;    // when it was to be sent, if that was said; latency counts from there
  std::size_t raw_bytes = 0;  // of the input, when kept
};

// A request and what became of it.
struct Outcome {
  bool delivered = false;
  std::int32_t code = 0;
  std::string reason{};  // when not delivered, or stored with a reservation
  std::string_view broker{};
  std::size_t broker_index = 0;  // in Targets::brokers()
  std::string offset_id{};       // of the half message, with --transaction
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
  // `targets` outlives the sender; it may learn of more brokers meanwhile.
  Sender(const Options& options, const Targets& targets, Done done);

  // Connects to the brokers of the topic. Errors: kUnavailable when none of them can be reached.
  Result<void> reach(const TopicTargets& topic);
  // Takes a message into a batch; false when it must wait (pump first).
  bool add(const Outgoing& message, TopicTargets& topic, const ItemInfo& info,
           std::string_view raw);
  void flush();  // closes all open batches
  // Closes those that have waited for `linger_us`; microseconds until the next one has, or -1.
  std::int64_t flush_due(std::int64_t linger_us);
  [[nodiscard]] bool is_idle() const noexcept { return requests_.empty() && open_.empty(); }
  // A temporary refusal has outlived its retries, or no broker is left: nothing more is to be taken
  // in.
  [[nodiscard]] bool has_given_up() const noexcept { return given_up_; }
  [[nodiscard]] std::int64_t retries() const noexcept { return retries_; }

  // Sends what can be sent, reads answers; waits at most `timeout_ms` for either, or until `input`
  // (a descriptor, -1: none) can be read. Returns whether `input` can. Errors: of the system alone;
  // a lost connection ends the requests on it and is told through `done`.
  Result<bool> pump(int input, std::int64_t timeout_ms);
  // Everything that is still under way is not known to be delivered.
  void abandon(const std::string& reason);

 private:
  struct Request {
    TopicTargets* topic = nullptr;
    std::size_t target = 0;  // in topic->all
    bool pinned = false;     // the queue was asked for
    std::int32_t opaque = 0;
    std::uint64_t frame = 0;  // of its channel; 0: not posted
    int tries = 0;
    std::int64_t due_us = 0;   // not before
    std::int64_t open_us = 0;  // its first message was taken in
    std::int64_t sent_us = 0;  // posted for the first time
    std::vector<ItemInfo> items;
    std::string ids;
    std::string raw;
    std::string head;  // of the frame
    std::string body;  // batch items, or the one message
    std::string properties;
    std::string batch_properties;  // the id of a batch that the broker keeps closed
    bool batch = false;
    bool is_part = false;  // of a batch that was refused
    bool finished = false;
  };
  using RequestPtr = std::unique_ptr<Request>;
  // A connection to a broker.
  struct Lane {
    std::optional<client::Channel> channel;
    std::int64_t lost_until_us = 0;  // not tried again before
  };

  [[nodiscard]] std::size_t broker_of(const Request& r) const {
    return r.topic->all[r.target].broker;
  }
  [[nodiscard]] const std::string& name_of(std::size_t broker) const {
    return targets_.brokers()[broker].name;
  }
  Result<client::Channel*> channel_to(std::size_t broker);
  [[nodiscard]] bool is_lost(std::size_t broker) const;
  std::optional<std::size_t> wanted_target(const Outgoing& message,
                                           const TopicTargets& topic) const;
  std::optional<std::size_t> next_target(TopicTargets& topic, std::size_t avoided_broker) const;
  Request* open_for(TopicTargets& topic, std::optional<std::size_t> target);
  void close(std::size_t open_index);
  void post(Request& r);
  void post_due();
  Bytes encode(Request& r);
  [[nodiscard]] std::size_t postable_end() const;
  [[nodiscard]] std::int64_t poll_ms(std::int64_t timeout_ms) const;
  Result<void> read(std::size_t broker);
  Result<void> take_answer(std::size_t broker, const wire::Command& answer);
  [[nodiscard]] bool may_retry(const Request& r, std::int32_t code) const;
  void retry(Request& r);
  [[nodiscard]] bool may_split(const Request& r, std::int32_t code) const;
  void split(Request& r);
  void lose(std::size_t broker, const std::string& reason);
  void fail(Request& r, const std::string& reason);
  void finish_oneway();
  void finish(Request& request, Outcome outcome);
  void drop_finished();
  RequestPtr make();

  const Options& options_;
  const Targets& targets_;
  Done done_;
  std::vector<Lane> lanes_;  // as targets_.brokers()
  std::int32_t opaque_ = 0;
  format::UniqKeyMaker ids_;  // of batches
  std::vector<RequestPtr> open_;
  std::vector<RequestPtr> requests_;  // under way, in order of closing
  std::vector<RequestPtr> spare_;     // kept for their memory
  std::vector<pollfd> polled_;
  std::int64_t retries_ = 0;
  std::int64_t batch_bytes_;  // less than was asked for once a broker has refused so much
  int splits_in_vain_ = 0;
  bool is_proven_ = false;  // a request has been taken
  bool given_up_ = false;
};

}  // namespace mq::mqsend
