#include "mqnamesrv/run.h"

#include <csignal>
#include <cstdio>

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notify.h"
#include "fs/fs.h"
#include "net/server.h"
#include "net/tls.h"
#include "route/kv_configs.h"
#include "route/registry.h"
#include "server/min_id_notifier.h"
#include "server/name_server.h"

namespace mq::mqnamesrv {
namespace {

int fail(const Error& error) {
  const std::string text = error.text().empty() ? error.to_string() : error.text();
  std::fprintf(stderr, "mqnamesrv: %s\n", text.c_str());
  switch (error.code()) {
    case Errc::kUnsupported:
      return EX_USAGE;
    case Errc::kInvalid:
    case Errc::kCorrupt:
      return EX_CONFIG;
    case Errc::kBusy:
      return EX_TEMPFAIL;
    case Errc::kIo:
      return EX_IOERR;
    default:
      return EX_OSERR;
  }
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Everything that serves, in order of start; torn down in the opposite order.
class Daemon {
 public:
  explicit Daemon(const Options& options) : options_(options) {}

  int run() {
    block_signals();
    if (auto done = start(); !done) return fail(done.error());
    announce();
    serve();
    daemon::notify_stopping();
    net_->stop(/*drain_ms=*/500);
    notifier_.stop();
    log::info("stopped");
    return EX_OK;
  }

 private:
  Result<void> start() {
    MQ_CHECK(read_settings(options_, settings_));
    const route::NameConfig config = settings_.get();
    const std::string path = kv_path(options_, config);
    MQ_CHECK(fs::posix().make_directories(directory_of(path)));
    kv_.emplace(fs::posix(), path);
    MQ_CHECK(kv_->load());
    names_.emplace(registry_, *kv_, settings_, system_clock(),
                   [this](auto notice) { notifier_.tell(std::move(notice)); });
    handler_.emplace(*names_);
    MQ_TRY(auto tls, net::TlsContext::create(config.tls));
    MQ_TRY(net_, net::Server::create({.threads = config.net_threads,
                                      .idle_timeout_ms = config.idle_seconds * 1000,
                                      .tls = std::move(tls)},
                                     *handler_));
    MQ_CHECK(listen(config));
    net_->every(100, [this] { names_->tick(); });
    net_->start();
    return {};
  }

  Result<void> listen(const route::NameConfig& config) {
    for (const int fd : daemon::activated_sockets()) {
      MQ_TRY(auto bound, net_->adopt(fd));
      bound_.push_back(std::move(bound));
    }
    if (!bound_.empty()) return {};
    MQ_TRY(const auto addresses, listeners(options_, config));
    for (const net::Address& address : addresses) {
      if (address.kind == net::Address::Kind::kUnix)
        MQ_CHECK(fs::posix().make_directories(directory_of(address.path)));
      MQ_TRY(auto bound, net_->listen(address));
      bound_.push_back(std::move(bound));
    }
    return {};
  }

  void announce() const {
    std::string where;
    for (const net::Address& address : bound_)
      fmt::format_to(std::back_inserter(where), " {}", net::to_string(address));
    log::info("mqnamesrv {} ready: listening on{}, state in {}", MQ_VERSION, where,
              options_.state_directory);
    daemon::notify_ready("listening on" + where);
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
  static void serve() {
    const sigset_t set = signals();
    for (;;) {
      const timespec wait{.tv_sec = 1, .tv_nsec = 0};
      const int signal = sigtimedwait(&set, nullptr, &wait);
      if (signal == SIGTERM || signal == SIGINT) return;
      daemon::notify_watchdog();
    }
  }

  const Options& options_;
  route::NameSettings settings_;
  route::Registry registry_;
  std::optional<route::KvConfigs> kv_;
  server::MinIdNotifier notifier_;
  std::optional<server::NameServer> names_;
  std::optional<server::NameServerHandler> handler_;
  std::unique_ptr<net::Server> net_;
  std::vector<net::Address> bound_;
};

int print_config(const Options& options) {
  route::NameSettings settings;
  if (auto done = read_settings(options, settings); !done) return fail(done.error());
  return std::fputs(settings.to_properties().c_str(), stdout) < 0 ? EX_IOERR : EX_OK;
}

}  // namespace

int run(const Options& options) {
  switch (options.action) {
    case Options::Action::kHelp:
      return std::fputs(options.help.c_str(), stdout) < 0 ? EX_IOERR : EX_OK;
    case Options::Action::kVersion:
      std::printf("mqnamesrv %s (remoting protocol of RocketMQ 5.3.3)\n", MQ_VERSION);
      return EX_OK;
    case Options::Action::kPrintConfig:
      return print_config(options);
    case Options::Action::kServe:
      break;
  }
  daemon::set_log_level(options.run);
  return Daemon(options).run();
}

}  // namespace mq::mqnamesrv
