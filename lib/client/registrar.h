// Keeps a broker known to name servers, stock ones or ours (replication.md 1.6): one thread a
// server, so that a slow or dead one holds nobody up, least of all the broker.
//
// With each server: all topics when the connection is new and then every `period_ms`; changes at
// once, those alone; R(104) when stopped. A connection that breaks is made anew at once, then after
// growing pauses, and everything is said again: the server may have been restarted and know
// nothing. Failures are logged when they begin and when they end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "wire/register.h"

namespace mq::client {

class Registrar {
 public:
  struct Options {
    std::vector<net::Address> servers;
    std::string cluster;
    std::string broker;
    std::string address;  // ip:port as clients use it
    std::string ha_address;
    std::int64_t id = 0;
    std::int64_t period_ms = 30'000;
    std::int64_t timeout_ms = 24'000;  // of one registration
    bool force = true;  // register in full without asking whether it is needed, R(322)
    bool compressed = false;
    // Acting master: brokers of the group want to know within seconds, so a sign of life, R(904),
    // goes out every `heartbeat_ms`, and the server is told to wait no longer than `silence_ms`.
    bool acting_master = false;
    std::int64_t heartbeat_ms = 1000;
    std::int64_t silence_ms = 10'000;
  };
  // All topics as they are to be registered; called on the registrar's threads.
  using AllTopics = std::function<wire::TopicTable()>;

  Registrar(Options options, AllTopics all);
  ~Registrar();  // stop()
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  void start();
  // Any thread; never waits. Those topics that were created or altered, with the version of the
  // whole table.
  void topics_changed(const wire::TopicTable& changes);
  // The full table, soon: for a topic that is gone (name servers learn that from a full table,
  // those that look), and for what is said of all topics.
  void register_all_soon();
  // Unregisters and ends the threads; at most a few seconds even when servers do not answer.
  void stop();

  struct Status {
    std::string server;
    bool registered = false;
    std::string trouble;      // why not, or empty
    std::string master_addr;  // what the server says: for a slave
    std::string ha_addr;
  };
  [[nodiscard]] std::vector<Status> status() const;

 private:
  class Server;
  const Options options_;
  const AllTopics all_;
  std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace mq::client
