// The name server's side of the protocol: request codes to the tables of `route` (remoting.md 10).
// mqnamesrv is this alone; in mqd it answers beside the broker.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/mutex.h"
#include "net/server.h"
#include "route/kv_configs.h"
#include "route/name_settings.h"
#include "route/registry.h"
#include "wire/command.h"

namespace mq::server {

class NameServer {
 public:
  // How a broker is told of a new smallest id (R 905); must not block. May be empty.
  using Notify = std::function<void(route::Registry::MinIdNotice)>;

  // All borrowed, all outlive this.
  NameServer(route::Registry& registry, route::KvConfigs& kv, route::NameSettings& settings,
             Clock& clock, Notify notify);

  // Answers a request of a name server, on the connection's thread; false for any other code.
  bool handle(net::Connection& connection, const wire::Command& request);
  void on_close(net::Connection& connection);
  // Where the topic is, as clients are told. Errors: kNotFound.
  [[nodiscard]] Result<wire::TopicRouteData> route(std::string_view topic) const {
    return registry_.route(topic);
  }
  // Any thread, often: takes out the silent brokers every scanNotActiveBrokerInterval and closes
  // their connections.
  void tick();

  struct Ask;  // private to the handlers

 private:
  using Handle = void (*)(NameServer& server, const Ask& ask);
  static Handle handler_of(std::int32_t code) noexcept;

  static void handle_register(NameServer& server, const Ask& ask);
  static void handle_unregister(NameServer& server, const Ask& ask);
  static void handle_data_version(NameServer& server, const Ask& ask);
  static void handle_heartbeat(NameServer& server, const Ask& ask);
  static void handle_route(NameServer& server, const Ask& ask);
  static void handle_cluster_info(NameServer& server, const Ask& ask);
  static void handle_member_group(NameServer& server, const Ask& ask);
  static void handle_topic_list(NameServer& server, const Ask& ask);
  static void handle_write_perm(NameServer& server, const Ask& ask);
  static void handle_delete_topic(NameServer& server, const Ask& ask);
  static void handle_add_topic(NameServer& server, const Ask& ask);
  static void handle_kv(NameServer& server, const Ask& ask);
  static void handle_settings(NameServer& server, const Ask& ask);

  [[nodiscard]] std::int64_t now_ms() const noexcept { return clock_.monotonic_us() / 1000; }
  void apply_settings();
  void send_notices();

  route::Registry& registry_;
  route::KvConfigs& kv_;
  route::NameSettings& settings_;
  Clock& clock_;
  const Notify notify_;
  const std::int64_t started_ms_;

  Mutex mu_;
  // Connections on which a broker registered, so that a silent one's can be closed.
  std::map<std::uint64_t, std::weak_ptr<net::Connection>> brokers_ MQ_GUARDED_BY(mu_);
  std::int64_t scanned_ms_ MQ_GUARDED_BY(mu_);
};

// A name server alone: what it does not know is answered REQUEST_CODE_NOT_SUPPORTED.
class NameServerHandler final : public net::Handler {
 public:
  explicit NameServerHandler(NameServer& server) : server_(server) {}
  void on_frame(net::Connection& connection, Bytes frame) override;
  void on_close(net::Connection& connection) override { server_.on_close(connection); }

 private:
  NameServer& server_;
};

}  // namespace mq::server
