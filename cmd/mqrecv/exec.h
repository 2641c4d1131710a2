// --exec: a process for each message, several at a time; how it ends decides what becomes of the
// message.
//
//   0         acknowledged
//   75        tried again here after a pause, from one second up to a minute; counts as no failure
//   100       put with the dead letters
//   others    sent back: the broker delivers it again later, to anybody of the group, and after
//             too many attempts it is a dead letter. With --orderly: tried again here, as what is
//             behind it in its queue has to wait for it.
//
// With --broadcast there is nobody to send back to: failures are told and passed over.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "client/member.h"
#include "options.h"
#include "printer.h"
#include "process.h"

namespace mq::mqrecv {

class Exec {
 public:
  // All borrowed. The printer decides which messages are wanted, and counts.
  Exec(const Options& options, client::Member& member, Printer& printer);

  // Takes messages, starts processes while there is room, sees to those that have ended.
  Result<void> step(std::int64_t timeout_ms);
  // All of -c has been dealt with.
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] bool is_busy() const { return !jobs_.empty(); }
  // Waits for those that run; ends them after that time. What they leave undone comes again.
  void drain(std::int64_t timeout_ms);

  struct Tally {
    std::int64_t acknowledged = 0, sent_back = 0, dead = 0;
    std::int64_t passed_over = 0;  // failed, with --broadcast
    std::int64_t undone = 0;       // begun and left, as others have the queue or we stopped
    [[nodiscard]] std::int64_t failed() const { return sent_back + dead + passed_over + undone; }
  };
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  // Messages of one delivery that no process has been started for.
  struct Stretch {
    client::Delivery delivery;
    Bytes rest;
  };
  // A message on its way.
  struct Job {
    client::Delivery delivery;  // keeps the record's bytes
    Bytes record;
    std::optional<Process> process;  // nothing: it waits for its time
    std::int64_t due_us = 0;
    std::int64_t pause_us = 0;
    std::int32_t send_back_level = 0;  // with `sending_back`
    bool sending_back = false;
    bool abandoned = false;  // whatever it ends with but 0 does not count
    bool finished = false;
  };
  using Jobs = std::list<Job>;

  [[nodiscard]] bool has_place() const;
  void take_deliveries();
  void start_more();
  bool start_from(std::deque<Stretch>& stretches);
  void start_due(std::int64_t now_us);
  void run(Job& job);
  void ended(Job& job, int status);
  void again(Job& job);
  void send_back(Job& job, std::int32_t level);
  void finish(Job& job);
  void leave_undone(Job& job);
  void let_go(client::QueueTicket ticket);
  void drop_finished();
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] bool is_queue_busy(const wire::MessageQueue& queue) const;
  [[nodiscard]] std::int64_t wait_ms(std::int64_t timeout_ms) const;

  const Options& o_;
  client::Member& member_;
  Printer& printer_;
  std::map<wire::MessageQueue, std::deque<Stretch>> waiting_;
  Jobs jobs_;
  std::int64_t started_ = 0;  // messages, for -c
  Tally tally_;
  std::optional<Error> failed_;
  bool stopping_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for callbacks
};

// MQ_MSG_TOPIC, MQ_MSG_ID and so on of a record; none of them sets an option of our tools.
[[nodiscard]] std::vector<std::string> message_variables(const format::Record& record,
                                                         const wire::MessageQueue& queue,
                                                         const std::string& group);

}  // namespace mq::mqrecv
