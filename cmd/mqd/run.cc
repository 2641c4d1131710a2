#include "run.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <random>

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/access.h"
#include "broker/pop_service.h"
#include "broker/transaction_service.h"
#include "client/topic_routes.h"
#include "daemon/notify.h"
#include "later.h"
#include "route/kv_configs.h"
#include "route/name_settings.h"
#include "route/registry.h"
#include "server/broker_server.h"
#include "server/client_channel.h"
#include "server/min_id_notifier.h"
#include "server/name_server.h"
#include "server/registration.h"
#include "server/transaction_check.h"

namespace mq::mqd {
namespace {

constexpr std::int64_t kChecksPerTurn =
    1000;  // half messages looked at, then others have their turn

int exit_status(const Error& error) {
  switch (error.code()) {
    case Errc::kCorrupt:
    case Errc::kUnsupported:
      return EX_DATAERR;
    case Errc::kInvalid:
      return EX_CONFIG;
    case Errc::kBusy:
    case Errc::kNoSpace:
      return EX_TEMPFAIL;
    case Errc::kIo:
      return EX_IOERR;
    default:
      return EX_OSERR;
  }
}

int fail(const Error& error) {
  std::fprintf(stderr, "mqd: %s\n",
               error.text().empty() ? error.to_string().c_str() : error.text().c_str());
  return exit_status(error);
}

// Everything that serves, in order of start; torn down in the opposite order.
class Daemon {
 public:
  explicit Daemon(Options options)
      : options_(std::move(options)), config_(options_.settings.config()) {}

  int run() {
    block_signals();
    if (auto done = start(); !done) {
      const int status = fail(done.error());
      if (store_) (void)store_->close();
      cleanup();
      return status;
    }
    serve();
    const int status = stop();
    cleanup();
    return status;
  }

 private:
  Result<void> start() {
    config_.store.fs = &fs::posix();
    config_.store.clock = &system_clock();
    MQ_CHECK(config_.store.fs->make_directories(config_.store.root));
    const std::string config_dir = config_.store.root + "/config";
    config_.store.batch_topics = broker::batch_topics_in(fs::posix(), config_dir + "/topics.json");
    config_.store.light_queues = config_.lmq_enable && config_.multi_dispatch_enable;
    MQ_TRY(store_, store::MessageStore::open(config_.store, [](int percent, std::string_view what) {
             daemon::notify_status(fmt::format("recovering: {} {}%", what, percent));
           }));
    report_recovery();
    MQ_CHECK(config_.store.fs->make_directories(config_dir));
    topics_.emplace(fs::posix(), system_clock(), config_, config_dir + "/topics.json");
    MQ_CHECK(topics_->load());
    topics_->on_batch_topic(
        [this](std::string_view name) { return store_->mark_batch_topic(name); });
    groups_.emplace(fs::posix(), system_clock(), config_, config_dir + "/subscriptionGroup.json");
    MQ_CHECK(groups_->load());
    offsets_.emplace(fs::posix(), system_clock(), config_dir + "/consumerOffset.json",
                     config_.lmq_enable);
    MQ_CHECK(offsets_->load());
    filters_.emplace(fs::posix(), system_clock(), sql_, config_dir + "/consumerFilter.json",
                     broker::ConsumerFilters::Options{config_.filter_bloom_error_percent,
                                                      config_.filter_bloom_expected,
                                                      config_.filter_dead_kept_ms});
    MQ_CHECK(filters_->load());
    kv_.emplace(fs::posix(), config_dir + "/kvConfig.json");
    MQ_CHECK(kv_->load());
    MQ_CHECK(name_settings_.keep_in(fs::posix(), config_dir + "/namesrv.properties"));
    names_.emplace(registry_, *kv_, name_settings_, system_clock(),
                   [this](auto notice) { notifier_.tell(std::move(notice)); });
    later_.emplace(Later::Parts{
        .store = *store_,
        .fs = fs::posix(),
        .clock = system_clock(),
        .stats = stats_,
        .config = config_,
        .more = {[this](std::int64_t now) { return transactions_->step(now, kChecksPerTurn); },
                 [this](std::int64_t now) { return pop_->step(now); }}});
    MQ_CHECK(later_->open());
    access_.emplace(fs::posix(), config_.access, config_dir);
    MQ_CHECK(access_->load());
    store_->on_arrival([this](const store::Arrival& arrival) {
      polls_.on_arrival(arrival, system_clock().now_ms());
      later_->on_arrival(arrival.topic);
      if (pop_) pop_->on_arrival(arrival);  // nothing arrives before there is one
    });
    MQ_CHECK(listen());
    later_->start();
    return {};
  }

  Result<void> listen() {
    // The handler needs the advertised address, and that may be a port yet to be bound: bound
    // first, started last.
    proxy_ = std::make_unique<Proxy>();
    MQ_TRY(auto tls, net::TlsContext::create(config_.tls));
    MQ_TRY(net_, net::Server::create({.threads = config_.net_threads,
                                      .idle_timeout_ms = config_.idle_seconds * 1000,
                                      .tls = std::move(tls)},
                                     *proxy_));
    for (const int fd : daemon::activated_sockets()) {
      MQ_TRY(auto bound, net_->adopt(fd));
      bound_.push_back(std::move(bound));
    }
    if (bound_.empty()) {
      for (const net::Address& address : options_.listeners) {
        if (address.kind == net::Address::Kind::kUnix) {
          const std::size_t slash = address.path.rfind('/');
          if (slash != std::string::npos && slash > 0)
            MQ_CHECK(fs::posix().make_directories(address.path.substr(0, slash)));
        }
        MQ_TRY(auto bound, net_->listen(address));
        bound_.push_back(std::move(bound));
      }
    }
    int port = options_.advertise_port;
    for (const net::Address& address : bound_) {
      if (port == 0 && address.kind == net::Address::Kind::kTcp) port = address.port;
    }
    if (port == 0) port = config_.listen_port;
    if (!options_.advertise_host.empty()) config_.ip = options_.advertise_host;
    advertised_ = config_.ip.find(':') == std::string::npos
                      ? fmt::format("{}:{}", config_.ip, port)
                      : fmt::format("[{}]:{}", config_.ip, port);
    auto host = format::parse_host(advertised_);
    if (!host)
      return Error{Errc::kInvalid,
                   fmt::format("advertised address {}: {}", advertised_, host.error().text())};
    live_.emplace(fs::posix(), system_clock(), config_, broker::kept_settings_path(config_));
    live_->on_change([this](const std::vector<std::string>& keys) { apply(keys); });
    const route::Self self{config_.cluster, config_.name, config_.id, advertised_};
    registration_.emplace(registry_, *topics_, config_, system_clock(), self,
                          options_.name_servers);
    transactions_.emplace(broker::TransactionService::Options{
        .store = *store_,
        .fs = fs::posix(),
        .topics = *topics_,
        .offsets = *offsets_,
        .stats = &stats_,
        .config = config_,
        .postpone = later_->rules(),
        .host = *host,
        .counts_path = config_.store.root + "/config/transactionMetrics",
        .ask = [this](const broker::TransactionChecks::Question& question) {
          (void)server::ask_producer(producers_, clients_, config_.name, question);
        }});
    transactions_->load(system_clock().now_ms());
    MQ_CHECK(start_pop(*host));
    if (!options_.name_servers.empty())
      routes_.emplace(client::TopicRoutes::Options{.servers = options_.name_servers});
    server_.emplace(server::Parts{.store = *store_,
                                  .topics = *topics_,
                                  .groups = *groups_,
                                  .consumers = consumers_,
                                  .producers = producers_,
                                  .offsets = *offsets_,
                                  .sql = sql_,
                                  .filters = *filters_,
                                  .locks = locks_,
                                  .clients = clients_,
                                  .polls = polls_,
                                  .transactions = transactions_->transactions(),
                                  .stats = stats_,
                                  .names = *names_,
                                  .config = config_,
                                  .live = *live_,
                                  .clock = system_clock(),
                                  .postpone = later_->rules(),
                                  .timer = later_->timer(),
                                  .pop = *pop_,
                                  .access = *access_,
                                  .routes = routes_ ? &*routes_ : nullptr,
                                  .self = self,
                                  .store_host = *host,
                                  .boot_ms = system_clock().now_ms(),
                                  .net_stats = [this] { return net_->stats(); }});
    proxy_->target = &*server_;
    registration_->start();
    if (routes_) routes_->start();
    net_->start();
    return {};
  }

  // What was changed while running and is not simply read where it is used.
  void apply(const std::vector<std::string>& keys) {
    if (auto done = store_->set_retention(config_.store); !done)
      log::error("retention: {}", done.error().to_string());
    if (std::find(keys.begin(), keys.end(), "brokerPermission") == keys.end()) return;
    if (auto done = topics_->bump_version(); !done)
      log::error("topics: {}", done.error().to_string());
    registration_->register_again();
  }

  // Before anybody can ask, and before the timer's thread turns.
  Result<void> start_pop(const format::Host& store_host) {
    pop_.emplace(broker::PopService::Parts{
        .store = *store_,
        .fs = fs::posix(),
        .topics = *topics_,
        .groups = *groups_,
        .offsets = *offsets_,
        .config = config_,
        .postpone = later_->rules(),
        .stats = &stats_,
        .store_host = store_host,
        .timer = [this]() -> broker::PopRevive::Options::TimerState {
          const auto state = later_->timer().state();
          return {.read_ms = state.read_ms, .queue_behind = state.queue_behind};
        },
        .random =
            [] {
              thread_local std::minstd_rand random(std::random_device{}());
              return static_cast<std::uint32_t>(random());
            }});
    return pop_->load(system_clock().now_ms());
  }

  // A group's offset must not be on disk before the checkpoints of what it has passed are: a power
  // cut would lose the messages.
  Result<void> flush_offsets() {
    return offsets_->flush(
        [this] { return pop_->pop.take_popped() ? store_->sync() : Result<void>(); });
  }

  void report_recovery() const {
    for (const std::string& line : options_.adopted)
      log::info("taken from the store's files: {}", line);
    for (const std::string& name : options_.settings.without_meaning())
      log::info("key without meaning here: {}", name);
    const store::RecoveryReport& r = store_->recovery();
    for (const std::string& note : r.notes) log::warn("recovery: {}", note);
    if (!r.clean || r.records_dispatched > 0) {
      log::info(
          "recovered after {} exit: {} records scanned, {} dispatched again, {} bytes cut, {} ms",
          r.clean ? "a clean" : "an unclean", r.records_scanned, r.records_dispatched,
          r.bytes_truncated, r.took_us / 1000);
    }
  }

  void announce() const {
    std::string listeners;
    for (const net::Address& address : bound_)
      fmt::format_to(std::back_inserter(listeners), "{} ", net::to_string(address));
    log::info("mqd {} ready: store {}, listening on {}advertised {}, {}", MQ_VERSION,
              config_.store.root, listeners, advertised_,
              config_.store.flush_mode == store::FlushMode::kSync ? "SYNC_FLUSH" : "ASYNC_FLUSH");
    daemon::notify_ready("serving " + advertised_);
    if (options_.ephemeral) {
      std::printf("NAMESRV_ADDR=%s\n", advertised_.c_str());
      std::printf("MQ_BROKER=%s\n", advertised_.c_str());
      std::fflush(stdout);
    }
    daemon::tell_ready(options_.run);
  }

  static sigset_t signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
    return set;
  }
  static void block_signals() {
    const sigset_t set = signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  // The slow clockwork: rates each second, held pulls each five, committed offsets as configured.
  void serve() {
    announce();
    const sigset_t set = signals();
    std::int64_t second = 0;
    std::int64_t offsets_due_ms = system_clock().now_ms() + config_.offset_flush_interval_ms;
    while (true) {
      const timespec wait{.tv_sec = 1, .tv_nsec = 0};
      const int signal = sigtimedwait(&set, nullptr, &wait);
      if (signal == SIGTERM || signal == SIGINT) return;
      if (signal ==
          SIGHUP) {  // nothing can be changed while running yet: say so to the manager and go on
        daemon::notify_reloading();
        daemon::notify_ready("serving " + advertised_);
      }
      const std::int64_t now = system_clock().now_ms();
      stats_.sample(now);
      server_->tick();
      if (++second % 5 == 0 || !config_.long_polling) {
        polls_.sweep(now, [this](std::string_view topic, QueueId queue) {
          return store_->max_offset(topic, queue).value();
        });
      }
      if (second % 10 == 0) {
        filters_->sweep([this](std::string_view group) { return consumers_.is_online(group); });
        if (auto done = filters_->flush(); !done)
          log::error("consumer filters: {}", done.error().to_string());
      }
      if (now >= offsets_due_ms) {
        if (auto done = flush_offsets(); !done)
          log::error("consumer offsets: {}", done.error().to_string());
        offsets_due_ms = now + config_.offset_flush_interval_ms;
      }
      if (auto done = save_made(); done) {
        made_unsaved_ = false;
      } else if (!std::exchange(made_unsaved_, true)) {  // said once, tried every second
        log::error("groups and retry topics: {}", done.error().to_string());
      }
      names_->tick();
      if (second % 30 == 0) registration_->refresh();
      daemon::notify_watchdog();
    }
  }

  int stop() {
    daemon::notify_stopping();
    if (routes_) routes_->stop();
    registration_->stop();
    notifier_.stop();
    net_->stop(/*drain_ms=*/500);
    int status = EX_OK;
    later_->stop();
    if (auto done = save_timers(); !done) {
      log::error("delayed messages: {}; some may be delivered again", done.error().to_string());
      status = exit_status(done.error());
    }
    if (auto done = pop_->orders.flush(); !done) {
      log::error("pops in order: {}", done.error().to_string());
      status = exit_status(done.error());
    }
    if (auto done = flush_offsets(); !done) {
      log::error("consumer offsets: {}", done.error().to_string());
      status = exit_status(done.error());
    }
    if (auto done = filters_->flush(); !done) {
      log::error("consumer filters: {}", done.error().to_string());
      status = exit_status(done.error());
    }
    if (auto done = save_made(); !done) {
      log::error("groups and retry topics: {}", done.error().to_string());
      status = exit_status(done.error());
    }
    if (auto done = store_->close(); !done) {
      log::error("closing the store: {}", done.error().to_string());
      status = exit_status(done.error());
    }
    log::info("stopped");
    return status;
  }

  // Groups that clients have made by coming, and their retry topics.
  Result<void> save_made() {
    MQ_CHECK(groups_->flush());
    return topics_->flush();
  }

  // What has been delivered is on disk before it is written that it has been.
  Result<void> save_timers() {
    transactions_->flush(system_clock().now_ms());
    MQ_CHECK(store_->sync());
    MQ_CHECK(transactions_->save());
    return later_->save();
  }

  void cleanup() {
    if (later_) later_->stop();
    if (routes_) routes_->stop();
    net_.reset();
    server_.reset();
    registration_.reset();
    transactions_.reset();
    pop_.reset();
    later_.reset();
    store_.reset();
    if (options_.ephemeral) (void)fs::remove_tree(fs::posix(), config_.store.root);
  }

  // Stands in for the server while the listeners are bound but not started.
  struct Proxy final : net::Handler {
    server::BrokerServer* target = nullptr;
    void on_open(net::Connection& connection) override { target->on_open(connection); }
    void on_input(net::Connection& connection, Bytes input) override {
      target->on_input(connection, input);
    }
    void on_frame(net::Connection& connection, Bytes frame) override {
      target->on_frame(connection, frame);
    }
    void on_close(net::Connection& connection) override { target->on_close(connection); }
  };

  Options options_;
  broker::BrokerConfig config_;
  std::unique_ptr<store::MessageStore> store_;
  std::optional<broker::Topics> topics_;
  std::optional<broker::GroupConfigs> groups_;
  bool made_unsaved_ = false;
  std::optional<broker::ConsumerOffsets> offsets_;
  broker::ConsumerGroups consumers_;
  broker::ProducerGroups producers_;
  broker::SqlCache sql_;
  std::optional<broker::ConsumerFilters> filters_;
  broker::QueueLocks locks_;
  server::ClientChannel clients_{system_clock()};
  std::optional<Later> later_;
  std::optional<broker::PopService> pop_;
  std::optional<broker::Access> access_;
  std::optional<broker::TransactionService> transactions_;
  broker::LongPolls polls_;
  broker::Stats stats_{system_clock().now_ms()};
  route::Registry registry_;
  std::optional<route::KvConfigs> kv_;
  route::NameSettings name_settings_;
  server::MinIdNotifier notifier_;
  std::optional<server::NameServer> names_;
  std::optional<server::Registration> registration_;
  std::optional<client::TopicRoutes> routes_;
  std::optional<broker::LiveConfig> live_;
  std::unique_ptr<Proxy> proxy_;
  std::optional<server::BrokerServer> server_;
  std::unique_ptr<net::Server> net_;
  std::vector<net::Address> bound_;
  std::string advertised_;
};

int recover_only(const Options& options) {
  store::StoreOptions store_options = options.settings.config().store;
  store_options.fs = &fs::posix();
  store_options.clock = &system_clock();
  auto store = store::MessageStore::open(store_options);
  if (!store) return fail(store.error());
  for (const std::string& note : (*store)->recovery().notes)
    std::fprintf(stderr, "mqd: recovery: %s\n", note.c_str());
  if (auto done = (*store)->close(); !done) return fail(done.error());
  return EX_OK;
}

// Configuration has been checked by parsing it; of the store only whether it can be had.
int check(const Options& options) {
  const std::string& root = options.settings.config().store.root;
  fs::Fs& fs = fs::posix();
  if (fs.exists(root + "/consumequeue/CURRENT")) {
    return fail(
        Error{Errc::kUnsupported,
              root + ": a RocksDB store (consumequeue/CURRENT); only the file store is supported"});
  }
  if (fs.exists(root + "/lock")) {
    if (auto lock = fs.lock_file(root + "/lock"); !lock) return fail(lock.error());
  }
  for (const std::string& line : options.adopted)
    std::fprintf(stderr, "mqd: taken from the store's files: %s\n", line.c_str());
  return EX_OK;
}

}  // namespace

int run(Options options) {
  switch (options.action) {
    case Options::Action::kHelp:
      return std::fputs(options.help.c_str(), stdout) < 0 ? EX_IOERR : EX_OK;
    case Options::Action::kVersion:
      std::printf("mqd %s (remoting protocol of RocketMQ 5.3.3, file store)\n", MQ_VERSION);
      return EX_OK;
    case Options::Action::kPrintConfig:
    case Options::Action::kPrintChanged:
      std::fputs(options.settings.print(options.action == Options::Action::kPrintChanged).c_str(),
                 stdout);
      return EX_OK;
    case Options::Action::kCheck:
      return check(options);
    case Options::Action::kRecoverOnly:
      return recover_only(options);
    case Options::Action::kServe:
      break;
  }
  daemon::set_log_level(options.run);
  return Daemon(std::move(options)).run();
}

}  // namespace mq::mqd
