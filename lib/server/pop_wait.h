// A request that pops, or asks whether there is something to pop, and may wait for that
// (semantics.md 17.8): what it takes to run it, again and again until it is answered. Private to
// server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/pop.h"
#include "broker/pop_polls.h"
#include "server/call.h"
#include "server/pull_filter.h"
#include "wire/pop.h"

namespace mq::server {

class PopWait : public std::enable_shared_from_this<PopWait> {
 public:
  // What a run came to: answered, or nothing there.
  enum class Ran : std::uint8_t { kAnswered, kNothing };
  // Tries; answers on the connection when there is something. `full`: answers in any case, as
  // nobody may wait any more (209).
  enum class End : std::uint8_t { kNone, kTimeout, kFull };
  using Try = std::function<Ran(const PopWait&, net::Connection&, End)>;

  // On the connection's thread: runs at once; if nothing is there, waits in `polls` until something
  // comes or `asked.born_ms + asked.poll_ms` is over.
  static void start(const Call& call, const wire::PopRequest& asked, PullFilter filter,
                    broker::PopPolls& polls, Try attempt);

  [[nodiscard]] broker::Pop::Ask ask() const noexcept;
  [[nodiscard]] wire::Header header(std::int32_t code, std::string_view remark) const noexcept {
    return {.serialize = serialize_,
            .code = code,
            .opaque = opaque_,
            .flag = wire::kFlagResponse,
            .remark = remark};
  }
  [[nodiscard]] const Parts& parts() const noexcept { return p_; }

 private:
  PopWait(const Call& call, const wire::PopRequest& asked, PullFilter filter,
          broker::PopPolls& polls, Try attempt);
  void run(net::Connection& connection);
  void hold(net::Connection& connection);
  void expire(net::Connection& connection);
  [[nodiscard]] std::int64_t left_ms() const noexcept;

  const Parts& p_;
  broker::PopPolls& polls_;
  const Try attempt_;
  const wire::Serialize serialize_;
  const std::int32_t opaque_;
  const std::string group_, topic_, attempt_id_;
  wire::PopRequest asked_;  // its views are not used
  const PullFilter filter_;
  std::int64_t end_ms_ = 0;
  // On the connection's thread alone.
  std::uint64_t waiting_ = 0;
  bool expires_ = false;
  bool answered_ = false;
};

// Checks in the reference's order (17.1); false when it has been refused. `pops`: the checks of a
// pop alone, too.
bool check_pop(const Call& call, const wire::PopRequest& asked, bool pops);

}  // namespace mq::server
