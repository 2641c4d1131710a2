#include "client/registrar.h"

#include <algorithm>
#include <thread>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "client/rpc.h"

namespace mq::client {
namespace {

constexpr std::int64_t kConnectMs = 3000;
constexpr std::int64_t kLookMs = 1000;  // how soon a broken connection is noticed
constexpr std::int64_t kPauseMsMin = 500;
constexpr std::int64_t kPauseMsMax = 10'000;
constexpr std::size_t kChangesMax = 1000;  // beyond that the whole table is shorter

std::int64_t now_ms() noexcept { return system_clock().monotonic_us() / 1000; }

}  // namespace

class Registrar::Server {
 public:
  Server(const Options& options, const AllTopics& all, net::Address address)
      : options_(options), all_(all), address_(std::move(address)) {}

  void start() {
    thread_ = start_thread("registrar", [this](const std::stop_token&) { run(); });
  }
  void ask_to_stop() {
    const MutexLock lock(mu_);
    stopping_ = true;
    if (calling_ && rpc_) rpc_->interrupt();
    wake_.notify_all();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

  void changed(const wire::TopicTable& changes) {
    const MutexLock lock(mu_);
    for (const auto& [name, topic] : changes.topics) changes_.topics.insert_or_assign(name, topic);
    changes_.version = changes.version;
    if (changes_.topics.size() > kChangesMax) all_due_ = true;
    wake_.notify_all();
  }
  void register_all_soon() {
    const MutexLock lock(mu_);
    all_due_ = true;
    wake_.notify_all();
  }
  [[nodiscard]] Status status() const {
    const MutexLock lock(mu_);
    return {.server = net::to_string(address_),
            .registered = registered_,
            .trouble = trouble_,
            .master_addr = answer_.master_addr,
            .ha_addr = answer_.ha_addr};
  }

 private:
  void run();
  // Until there is something to do; false: stop.
  bool wait_for_work();
  Result<void> work();
  Result<void> connect();
  Result<void> register_topics(wire::TopicTable topics, bool ask_first);
  Result<bool> needs_registration(const wire::DataVersion& version);
  void heartbeat();
  void unregister();
  void failed(const Error& error);
  void succeeded();
  [[nodiscard]] wire::BrokerIdentity identity() const {
    return {.cluster = options_.cluster,
            .broker_name = options_.broker,
            .broker_addr = options_.address,
            .broker_id = options_.id};
  }
  // Runs one call so that ask_to_stop() can end it.
  template <typename Call>
  auto interruptible(Call call) {
    {
      const MutexLock lock(mu_);
      calling_ = true;
      if (stopping_) rpc_->interrupt();
    }
    auto result = call(*rpc_);
    const MutexLock lock(mu_);
    calling_ = false;
    return result;
  }

  const Options& options_;
  const AllTopics& all_;
  const net::Address address_;
  std::int64_t pause_ms_ = kPauseMsMin;
  std::int64_t register_at_ms_ = 0;
  std::int64_t heartbeat_at_ms_ = 0;
  // Replaced by the thread alone, under the lock; interrupted by others under the lock.
  std::unique_ptr<Rpc> rpc_;

  mutable Mutex mu_;
  CondVar wake_;
  wire::TopicTable changes_ MQ_GUARDED_BY(mu_);
  bool all_due_ MQ_GUARDED_BY(mu_) = true;
  bool stopping_ MQ_GUARDED_BY(mu_) = false;
  bool calling_ MQ_GUARDED_BY(mu_) = false;
  bool registered_ MQ_GUARDED_BY(mu_) = false;
  std::string trouble_ MQ_GUARDED_BY(mu_);
  wire::RegisterBrokerResponse answer_ MQ_GUARDED_BY(mu_);
  std::jthread thread_;
};

void Registrar::Server::run() {
  while (wait_for_work()) {
    if (auto done = work(); done) {
      succeeded();
    } else {
      failed(done.error());
    }
  }
  unregister();
}

bool Registrar::Server::wait_for_work() {
  const MutexLock lock(mu_);
  while (!stopping_) {
    const std::int64_t now = now_ms();
    if (now >= register_at_ms_) return true;
    if (rpc_) {
      if (all_due_ || !changes_.topics.empty() || rpc_->is_closed_by_peer()) return true;
      if (options_.acting_master && now >= heartbeat_at_ms_) return true;
    }
    std::int64_t wait_ms = std::min(kLookMs, register_at_ms_ - now);
    if (options_.acting_master) wait_ms = std::min(wait_ms, options_.heartbeat_ms);
    (void)wake_.wait_for(mu_, std::chrono::milliseconds(wait_ms));
  }
  return false;
}

Result<void> Registrar::Server::work() {
  if (rpc_ && rpc_->is_closed_by_peer()) {
    const MutexLock lock(mu_);
    rpc_.reset();
  }
  // On a new connection nothing is asked: the server may still have us on the old one, and take us
  // out when it sees that end.
  const bool fresh = !rpc_;
  if (fresh) MQ_CHECK(connect());
  wire::TopicTable changes;
  bool all = false;
  {
    const MutexLock lock(mu_);
    all = std::exchange(all_due_, false) || now_ms() >= register_at_ms_;
    changes = std::exchange(changes_, {});
  }
  if (all) {
    MQ_CHECK(register_topics(all_(), !options_.force && !fresh));
    register_at_ms_ = now_ms() + options_.period_ms;
  } else if (!changes.topics.empty()) {
    MQ_CHECK(register_topics(std::move(changes), false));
  } else if (options_.acting_master) {
    heartbeat();
  }
  return {};
}

Result<void> Registrar::Server::connect() {
  MQ_TRY(Rpc rpc, Rpc::connect(address_, {.connect_timeout_ms = kConnectMs,
                                          .timeout_ms = options_.timeout_ms}));
  const MutexLock lock(mu_);
  rpc_ = std::make_unique<Rpc>(std::move(rpc));
  all_due_ = true;
  return {};
}

Result<void> Registrar::Server::register_topics(wire::TopicTable topics, bool ask_first) {
  if (ask_first) {
    MQ_TRY(const bool needed, needs_registration(topics.version));
    if (!needed) return {};
  }
  const std::string body =
      wire::encode_register_broker_body({.topics = std::move(topics)}, options_.compressed);
  wire::RegisterBrokerRequest request{.cluster = options_.cluster,
                                      .broker_name = options_.broker,
                                      .broker_addr = options_.address,
                                      .ha_addr = options_.ha_address,
                                      .broker_id = options_.id,
                                      .enable_acting_master = options_.acting_master,
                                      .compressed = options_.compressed,
                                      .body_crc = crc32_masked(as_bytes(body))};
  if (options_.acting_master) request.heartbeat_timeout_ms = options_.silence_ms;
  MQ_TRY(const Reply reply, interruptible([&](Rpc& rpc) {
           return rpc.ask(wire::kRegisterBroker, [&](std::string& out, const wire::Header& header) {
             wire::append_register_broker_request(out, header, request, as_bytes(body));
           });
         }));
  MQ_TRY(auto answer, wire::decode_register_broker_response(reply.command));
  const MutexLock lock(mu_);
  answer_ = std::move(answer);
  return {};
}

Result<bool> Registrar::Server::needs_registration(const wire::DataVersion& version) {
  const std::string body = wire::encode_data_version(version);
  MQ_TRY(const Reply reply, interruptible([&](Rpc& rpc) {
           return rpc.ask(wire::kQueryDataVersion,
                          [&](std::string& out, const wire::Header& header) {
                            wire::append_broker_identity(out, header, identity(), as_bytes(body));
                          });
         }));
  MQ_TRY(const auto answer, wire::decode_query_data_version_response(reply.command));
  return answer.changed;
}

void Registrar::Server::heartbeat() {
  heartbeat_at_ms_ = now_ms() + options_.heartbeat_ms;
  // A loss shows at the next look at the connection.
  (void)interruptible([&](Rpc& rpc) {
    return rpc.tell(wire::kBrokerHeartbeat, [&](std::string& out, const wire::Header& header) {
      wire::append_broker_identity(out, header, identity());
    });
  });
}

void Registrar::Server::unregister() {
  // Closed, or interrupted: the end of the connection says it as well.
  if (!rpc_ || rpc_->is_closed_by_peer()) return;
  // A connection of its own, with little patience.
  auto rpc = Rpc::connect(address_, {.connect_timeout_ms = 1000, .timeout_ms = 1000});
  if (!rpc) return;
  auto done = rpc->ask(wire::kUnregisterBroker, [&](std::string& out, const wire::Header& header) {
    wire::append_broker_identity(out, header, identity());
  });
  if (!done)
    log::warn("name server {}: not unregistered: {}", net::to_string(address_),
              done.error().text());
}

void Registrar::Server::failed(const Error& error) {
  const MutexLock lock(mu_);
  if (stopping_) return;
  rpc_.reset();
  all_due_ = true;
  registered_ = false;
  register_at_ms_ = now_ms() + pause_ms_;
  pause_ms_ = std::min(pause_ms_ * 2, kPauseMsMax);
  if (std::exchange(trouble_, error.text()) != error.text())
    log::warn("name server {}: not registered: {}", net::to_string(address_), error.text());
}

void Registrar::Server::succeeded() {
  const MutexLock lock(mu_);
  pause_ms_ = kPauseMsMin;
  trouble_.clear();
  if (!std::exchange(registered_, true))
    log::info("name server {}: registered as {}", net::to_string(address_), options_.address);
}

Registrar::Registrar(Options options, AllTopics all)
    : options_(std::move(options)), all_(std::move(all)) {
  for (const net::Address& address : options_.servers)
    servers_.push_back(std::make_unique<Server>(options_, all_, address));
}

Registrar::~Registrar() { stop(); }

void Registrar::start() {
  for (auto& server : servers_) server->start();
}

void Registrar::topics_changed(const wire::TopicTable& changes) {
  for (auto& server : servers_) server->changed(changes);
}

void Registrar::register_all_soon() {
  for (auto& server : servers_) server->register_all_soon();
}

void Registrar::stop() {
  for (auto& server : servers_) server->ask_to_stop();
  for (auto& server : servers_) server->join();
  servers_.clear();
}

std::vector<Registrar::Status> Registrar::status() const {
  std::vector<Status> out;
  for (const auto& server : servers_) out.push_back(server->status());
  return out;
}

}  // namespace mq::client
