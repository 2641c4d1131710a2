// Pops messages for a group: from every broker of its topics at once, without an assignment of
// queues, so that nobody waits for others to join or leave (semantics.md 17). What is not
// acknowledged comes again when its time is over, to anybody of the group.
//
// One thread: the user calls step() again and again, takes what has come, and says what is done.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client/cluster.h"
#include "client/links.h"
#include "wire/pop.h"

namespace mq::client {

struct PopperOptions {
  std::string group;
  std::vector<std::string> topics;
  std::string expression = "*";  // at the broker
  std::string expression_type = "TAG";
  bool from_last = false;  // where a new group begins
  std::int64_t invisible_ms = 30'000;
  std::function<void(std::string_view)> say = [](std::string_view) {};  // for people
};

// What one pop brought: records back to back, in the order of the answer's parts and their offsets.
struct Popped {
  std::string topic;
  std::string broker;
  wire::PopResponse answer;
  std::shared_ptr<const std::vector<std::byte>> storage;
  Bytes records;
};

class Popper {
 public:
  // At least one broker of each topic answers. Errors: kNotFound (no such topic), kUnavailable.
  static Result<std::unique_ptr<Popper>> start(Cluster& cluster, PopperOptions options);
  ~Popper();

  // Serves connections until something can be taken or the time is over. At most `count_max`
  // messages are asked for at a time (32 at most). Errors: a refusal before anything was popped.
  Result<void> step(std::int64_t timeout_ms, std::int32_t count_max);
  std::optional<Popped> take();
  // The first `count` messages of it are dealt with. The others may be popped again at once.
  void finish(const Popped& popped, std::size_t count);
  // Waits until the brokers know, at most that long, gives back what was not taken, and says
  // goodbye. Errors: kTimeout (some may come again).
  Result<void> leave(std::int64_t timeout_ms);

  [[nodiscard]] const std::string& client_id() const noexcept { return client_id_; }

 private:
  // One topic at one broker.
  struct Target {
    std::string topic;
    Link* link = nullptr;
    bool asking = false;
    std::int64_t due_us = 0;  // nothing is asked before
  };
  Popper(Cluster& cluster, PopperOptions options);
  Result<void> find_brokers();
  void tick(std::int64_t now_us, std::int32_t count_max);
  void pop(Target& target, std::int32_t count_max);
  void popped(Target& target, const wire::Command& answer);
  void refused(Target& target, const wire::Command& answer);
  void beat(Link& link);
  void call(Link& link, wire::RequestCode code, const Link::Encode& encode, std::string_view what);
  void acknowledge(Link& link, const Popped& popped, std::size_t count);
  void give_back(Link& link, const Popped& popped, std::size_t from);
  [[nodiscard]] Link* link_of(const std::string& broker) const;
  void say_once(const std::string& text);

  Cluster& cluster_;
  const PopperOptions options_;
  const std::string client_id_;
  Link::Handlers handlers_;
  Links links_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::deque<Popped> ready_;
  std::int64_t open_ = 0;  // acknowledgements that are not answered
  std::int64_t heartbeat_us_ = 0, route_us_ = 0;
  bool popped_ = false;  // ever
  bool leaving_ = false;
  bool lost_ = false;  // an acknowledgement
  std::optional<Error> fatal_;
  std::set<std::string> said_;
};

}  // namespace mq::client
