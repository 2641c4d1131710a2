// All of pop consumption that a broker has, in one: state, log, books, revival, waiting requests.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "broker/group_configs.h"
#include "broker/pop.h"
#include "broker/pop_polls.h"
#include "broker/pop_revive.h"
#include "broker/request_modes.h"

namespace mq::broker {

struct PopService {
  // All borrowed.
  struct Parts {
    store::MessageStore& store;
    fs::Fs& fs;
    Topics& topics;
    GroupConfigs& groups;
    ConsumerOffsets& offsets;
    const BrokerConfig& config;
    const PostponeRules& postpone;
    Stats* stats = nullptr;  // may be null
    format::Host store_host;
    std::function<PopRevive::Options::TimerState()> timer;
    std::function<std::uint32_t()> random;
  };
  explicit PopService(const Parts& parts);

  // Reads the state files and, after a crash, what the log says more. Before anything is popped.
  // Errors: kCorrupt, kIo.
  Result<void> load(std::int64_t now_ms);
  // The turn of the timer's thread: revives, wakes, writes its file when it is time. Returns when
  // to come again.
  std::int64_t step(std::int64_t now_ms);
  // A record was dispatched; on the dispatch thread, cheap while nobody waits.
  void on_arrival(const store::Arrival& arrival) {
    polls.on_arrival(arrival);
    notices.on_arrival(arrival);
  }
  // There is something to pop that did not just arrive.
  void wake(std::string_view topic, std::string_view group, QueueId queue) {
    polls.wake(topic, group, queue);
    notices.wake(topic, group, queue);
  }
  void connection_closed(std::uint64_t connection) {
    polls.connection_closed(connection);
    notices.connection_closed(connection);
  }

  PopLog log;
  PopOrders orders;
  RequestModes modes;
  Pop pop;
  PopRevive revive;
  PopPolls polls;    // pops that wait
  PopPolls notices;  // R(200054): those who want to know alone

 private:
  const Parts p_;
  std::int64_t orders_due_ms_ = 0;
};

}  // namespace mq::broker
