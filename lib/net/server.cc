#include "net/server.h"

#include <thread>

#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "net/acceptor.h"
#include "net/connection.h"
#include "net/loop.h"
#include "net/sockets.h"

namespace mq::net {
namespace {

class ServerImpl final : public Server {
 public:
  ServerImpl(const Options& options, Handler& handler) : shared_(options, handler) {
    for (int i = 0; i < options.threads; ++i) loops_.push_back(std::make_unique<Loop>(shared_));
  }
  // NOLINTNEXTLINE(bugprone-exception-escape): without memory for the last task, the end is right
  ~ServerImpl() override { stop(0); }

  Result<Address> listen(const Address& address, unsigned unix_mode) override {
    MQ_TRY(Descriptor fd, listen_socket(address, unix_mode));
    return add(std::move(fd), address.kind == Address::Kind::kUnix ? address.path : std::string());
  }
  Result<Address> adopt(int descriptor) override {
    Descriptor fd(descriptor);
    MQ_CHECK(set_non_blocking(descriptor));
    return add(std::move(fd), {});
  }
  void every(std::int64_t interval_ms, std::function<void()> task) override {
    periodic_.push_back(
        std::make_unique<Periodic>(loops_.front()->context(), interval_ms, std::move(task)));
  }

  void start() override;
  void stop(std::int64_t drain_ms) override;
  Stats stats() override;

 private:
  struct Periodic {
    Periodic(asio::io_context& context, std::int64_t ms, std::function<void()> f)
        : timer(context), interval(ms), task(std::move(f)) {}
    void arm() {
      timer.expires_after(interval);
      timer.async_wait([this](AsioError error) {
        if (error) return;
        task();
        arm();
      });
    }
    asio::steady_timer timer;
    std::chrono::milliseconds interval;
    std::function<void()> task;
  };

  Result<Address> add(Descriptor fd, std::string unix_path);
  void take(Descriptor fd, const sockaddr_storage& peer, socklen_t bytes);
  // Runs `task` on every loop's thread and waits until all have.
  template <typename Task>
  void on_all_loops(Task task);

  Shared shared_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;  // on the first loop
  std::vector<std::string> unix_paths_;
  std::vector<std::unique_ptr<Periodic>> periodic_;
  std::vector<std::jthread> threads_;
  std::vector<std::string> names_;
  std::uint64_t next_id_ = 1;
  std::size_t next_loop_ = 0;
  bool stopped_ = false;
};

Result<Address> ServerImpl::add(Descriptor fd, std::string unix_path) {
  MQ_TRY(Address bound, local_address(fd.get()));
  acceptors_.push_back(std::make_unique<Acceptor>(
      *loops_.front(), std::move(fd),
      [this](Descriptor accepted, const sockaddr_storage& peer, socklen_t bytes) {
        take(std::move(accepted), peer, bytes);
      }));
  if (!unix_path.empty()) unix_paths_.push_back(std::move(unix_path));
  return bound;
}

void ServerImpl::take(Descriptor fd, const sockaddr_storage& peer, socklen_t bytes) {
  shared_.accepted_total.fetch_add(1);
  if (shared_.open.load() >= static_cast<std::int64_t>(shared_.options.connections_max)) {
    log::warn("{} connections are open: one more is closed", shared_.open.load());
    return;
  }
  SocketAddress address;
  address.storage = peer;
  address.bytes = bytes;
  set_no_delay(fd.get());
  ConnectionImpl::Peer named{.id = next_id_++,
                             .name = peer_name(address),
                             .family = peer.ss_family,
                             .is_trusted = is_own_peer(fd.get(), peer.ss_family)};
  Loop& loop = *loops_[next_loop_++ % loops_.size()];
  shared_.open.fetch_add(1);
  auto connection = std::make_shared<ConnectionImpl>(loop, std::move(fd), std::move(named));
  asio::post(loop.context(), [connection] { connection->open(); });
}

void ServerImpl::start() {
  for (auto& acceptor : acceptors_) acceptor->start();
  for (auto& periodic : periodic_) periodic->arm();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    names_.push_back("net-" + std::to_string(i));
    Loop* loop = loops_[i].get();
    loop->start_sweeping();
    threads_.push_back(start_thread(names_.back().c_str(),
                                    [loop](const std::stop_token&) { loop->context().run(); }));
  }
}

template <typename Task>
void ServerImpl::on_all_loops(Task task) {
  Mutex mu;
  CondVar done;
  std::size_t left = loops_.size();
  for (auto& loop : loops_) {
    asio::post(loop->context(), [&, raw = loop.get()] {
      task(*raw);
      const MutexLock lock(mu);
      --left;
      done.notify_one();
    });
  }
  const MutexLock lock(mu);
  while (left > 0) done.wait(mu);  // NOLINT(bugprone-infinite-loop): the loops count it down
}

void ServerImpl::stop(std::int64_t drain_ms) {
  if (std::exchange(stopped_, true)) return;
  if (threads_.empty()) {  // never started: nothing runs, so nothing has to be asked
    for (auto& acceptor : acceptors_) acceptor->close();
  } else {
    shared_.stopping = true;
    on_all_loops([this](Loop& loop) {
      if (&loop != loops_.front().get()) return;
      for (auto& acceptor : acceptors_) acceptor->close();
      for (auto& periodic : periodic_) periodic->timer.cancel();
    });
    on_all_loops([](Loop& loop) { loop.drain_all(); });
    {
      const MutexLock lock(shared_.mu);
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(drain_ms);
      while (shared_.open.load() > 0 && std::chrono::steady_clock::now() < deadline) {
        (void)shared_.one_less.wait_for(shared_.mu, std::chrono::milliseconds(10));
      }
    }
    on_all_loops([](Loop& loop) { loop.close_all(); });
    for (auto& loop : loops_) loop->context().stop();
    for (auto& thread : threads_) thread.join();
  }
  for (const std::string& path : unix_paths_) ::unlink(path.c_str());
}

Server::Stats ServerImpl::stats() {
  Stats s;
  s.connections = shared_.open.load();
  s.accepted_total = shared_.accepted_total.load();
  for (const auto& loop : loops_) {
    s.bytes_in_total += loop->counters.bytes_in.load();
    s.bytes_out_total += loop->counters.bytes_out.load();
    s.protocol_errors_total += loop->counters.protocol_errors.load();
  }
  return s;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(const Options& options, Handler& handler) {
  if (options.threads < 1 || options.threads > 64) {
    return Error{Errc::kInvalid,
                 "I/O threads: expected 1 to 64, found " + std::to_string(options.threads)};
  }
  return std::unique_ptr<Server>(std::make_unique<ServerImpl>(options, handler));
}

}  // namespace mq::net
