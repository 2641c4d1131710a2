// A member of a consumer group: keeps in touch with the brokers, shares the queues of its topics
// with the others, pulls, and commits what its user says is dealt with (semantics.md 9 to 13;
// remoting.md 6, 9, 12.4).
//
// One thread: the user calls step() again and again, takes what has come, and says what is done. A
// member that stops calling step() for two minutes is dead to the others.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <poll.h>

#include "base/bytes.h"
#include "base/result.h"
#include "client/cluster.h"
#include "client/links.h"
#include "client/window.h"
#include "format/record.h"
#include "wire/heartbeat.h"
#include "wire/message_queue.h"

namespace mq::client {

struct MemberOptions {
  std::string group;
  std::vector<std::string> topics;
  std::string expression = "*";  // at the broker
  std::string expression_type = "TAG";
  bool broadcast = false;  // every member gets everything; nothing is committed
  bool orderly = false;    // a queue has one member at a time, by the broker's locks
  // Where to begin in a queue that the group has not consumed.
  enum class From { kFirst, kLast, kTime };
  From from = From::kFirst;
  std::int64_t from_time_ms = 0;
  // With `broadcast`: positions of one's own; nothing: as `from` says.
  std::function<std::optional<std::int64_t>(const wire::MessageQueue&)> stored{};
  std::int32_t count_max = 1024;  // of one pull
  std::int64_t commit_period_ms = 1000;
  std::function<void(std::string_view)> say = [](std::string_view) {};  // for people
};

// A queue while it is ours. A queue that comes back later, or is reset, is another one.
using QueueTicket = std::uint64_t;

// Records of one queue, back to back and in order.
struct Delivery {
  QueueTicket ticket = 0;
  wire::MessageQueue queue;  // of a retry topic, too
  std::shared_ptr<const std::vector<std::byte>> storage;
  Bytes records;
};

class Member {
 public:
  // Joins: at least one broker of each topic answers. Errors: kNotFound (no such topic),
  // kUnavailable, and what the broker refuses.
  static Result<std::unique_ptr<Member>> join(Cluster& cluster, MemberOptions options);
  ~Member();

  // Serves connections and timers until something can be taken (unless it has no place to go yet),
  // one of `extra` is ready, or the time is over. Errors: a refusal that no member could change,
  // before anything was ever pulled.
  Result<void> step(std::int64_t timeout_ms, std::span<pollfd> extra = {}, bool has_place = true);
  // The next records; all of them count as in flight until finish().
  std::optional<Delivery> take();
  // This message, or all of the delivery's, is dealt with. Of a queue that is not ours any more it
  // means nothing: somebody else has it, and perhaps the message again.
  void finish(QueueTicket ticket, std::int64_t offset);
  void finish_all(const Delivery& delivery);
  [[nodiscard]] bool is_ours(QueueTicket ticket) const { return find(ticket) != nullptr; }

  // Of an orderly queue that is not ours any more: what is in flight will never be finish()ed, the
  // next one may have it.
  void let_go(QueueTicket ticket);

  // Asks the broker to deliver the message again later (delay_level 0: by the number of attempts)
  // or to put it with the dead letters (-1). `done` tells whether it will; then the message is
  // dealt with.
  void send_back(const Delivery& delivery, const format::Record& record, std::int32_t delay_level,
                 std::function<void(const Result<void>&)> done);

  // How far each of our queues is dealt with.
  [[nodiscard]] std::map<wire::MessageQueue, std::int64_t> positions() const;
  [[nodiscard]] std::size_t queue_count() const { return queues_.size(); }
  [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }

  // Commits, gives the queues back and says goodbye, so that the others go on at once; at most that
  // long. Nothing is delivered afterwards. Errors: kTimeout (what was dealt with may come again).
  Result<void> leave(std::int64_t timeout_ms);

 private:
  struct Queue {
    wire::MessageQueue name;
    QueueTicket ticket = 0;
    Link* link = nullptr;
    Window window{0};
    std::int64_t next = -1;        // to pull from; -1: not known yet
    std::int64_t committed = -1;   // as the broker knows it
    std::deque<Delivery> waiting;  // pulled, not taken
    bool asking = false;           // a call for this queue is under way
    bool locked = false;           // with `orderly`
    std::int64_t due_us = 0;       // nothing is asked before
  };
  // Where a topic can be read.
  struct Topic {
    std::string name;
    bool is_retry = false;
    std::vector<wire::MessageQueue> queues{};  // sorted
    std::int64_t version = 0;
    bool asking = false;     // who is on line
    bool ask_again = false;  // something changed meanwhile
  };

  Member(Cluster& cluster, MemberOptions options);
  Result<void> start();

  // routes and connections
  Result<void> refresh_routes();
  Result<void> refresh_topic(Topic& topic);
  Link* link_to(const BrokerAt& broker);
  void beat(Link& link);
  [[nodiscard]] std::string heartbeat_body() const;

  // who has which queue
  void rebalance();
  void ask_members(Topic& topic);
  void share(Topic& topic, std::vector<std::string> ids);
  void hold_exactly(const Topic& topic, const std::vector<wire::MessageQueue>& mine,
                    std::int64_t due_us);
  void add(const wire::MessageQueue& name, std::int64_t due_us);
  void drop(Queue& queue);
  void unlock(Link& link, const wire::MessageQueue& name);
  [[nodiscard]] bool lingers(const wire::MessageQueue& name) const;
  void end_lingering(QueueTicket ticket);
  void renew_locks();
  void lock(Queue& queue);
  void renewed(Link& link, const wire::MessageQueue& name, bool granted);

  // one queue
  void drive(Queue& queue, std::int64_t now_us);
  void ask_position(Queue& queue);
  void ask_beginning(Queue& queue);
  void begin_at(Queue& queue, std::int64_t offset);
  void pull(Queue& queue);
  void take_pulled(Queue& queue, const wire::Command& answer);
  void refused(Queue& queue, const wire::Command& answer);
  void reset(Queue& queue, std::int64_t offset);
  [[nodiscard]] bool is_full(const Queue& queue) const;
  // Calls back with the queue if it is still ours.
  void call(Queue& queue, wire::RequestCode code, const Link::Encode& encode,
            std::int64_t timeout_ms,
            std::function<void(Queue&, const Result<const wire::Command*>&)> answered);

  // positions
  struct Untaken;
  // What commits the queue's position, which counts as committed from then on. For use at once.
  Link::Encode position_of(Queue& queue);
  void commit(Queue& queue);
  void commit_all();
  void ask_to_take(Queue& queue, const std::shared_ptr<Untaken>& untaken);
  std::size_t commit_surely(std::int64_t deadline_us);

  // from the broker
  void serve_request(Link& link, const wire::Command& request);
  void reset_by_broker(const wire::Command& request);
  [[nodiscard]] std::string running_info() const;

  void tick(std::int64_t now_us);
  [[nodiscard]] Queue* find(QueueTicket ticket) const;
  [[nodiscard]] bool has_waiting() const;
  void say_once(const std::string& text);

  Cluster& cluster_;
  const MemberOptions options_;
  const std::string client_id_;
  Link::Handlers handlers_;
  Links links_;
  std::vector<Topic> topics_;
  std::map<wire::MessageQueue, std::unique_ptr<Queue>> queues_;
  // Orderly queues that belong to others, who have to wait until what is in flight here has ended.
  // Locks that are not renewed limit the wait.
  std::vector<std::unique_ptr<Queue>> lingering_;
  int locks_asked_ = 0;  // calls under way
  // Where we were in queues whose broker went away, until we know who has them.
  std::map<wire::MessageQueue, std::int64_t> left_at_;
  QueueTicket last_ticket_ = 0;
  std::size_t turn_ = 0;  // which queue is taken from next
  std::int64_t rebalance_us_ = 0, heartbeat_us_ = 0, route_us_ = 0, commit_us_ = 0, lock_us_ = 0;
  std::int64_t eager_until_us_ = 0;  // a broker was lost, and may be back soon
  bool pulled_ = false;              // ever
  bool leaving_ = false;
  std::optional<Error> fatal_;
  std::set<std::string> said_;
};

}  // namespace mq::client
