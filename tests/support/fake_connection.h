// A connection without a socket: what a handler answers stays in out(), posted tasks wait for
// run_posted().
#pragma once

#include <string>
#include <vector>

#include "net/server.h"

namespace mq::test {

class FakeConnection final : public net::Connection {
 public:
  explicit FakeConnection(std::uint64_t id = 1, std::string ip = "127.0.0.1")
      : id_(id), ip_(std::move(ip)) {}

  [[nodiscard]] std::uint64_t id() const noexcept override { return id_; }
  [[nodiscard]] const std::string& peer_ip() const noexcept override { return ip_; }
  [[nodiscard]] std::uint16_t peer_port() const noexcept override { return 40'000; }
  [[nodiscard]] bool is_unix() const noexcept override { return false; }
  [[nodiscard]] bool is_trusted() const noexcept override { return trusted; }
  [[nodiscard]] std::string& out() noexcept override { return out_; }
  void send_pinned(std::vector<net::PinnedBytes> spans) override {
    for (const auto& span : spans) out_ += as_text(span.bytes);
  }
  [[nodiscard]] std::size_t unsent_bytes() const noexcept override { return unsent; }
  void close() override { open_ = false; }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }
  void post(std::function<void(Connection&)> task) override { posted_.push_back(std::move(task)); }
  void post_after(std::int64_t, std::function<void(Connection&)> task) override {
    posted_.push_back(std::move(task));
  }
  void run_posted() {
    for (auto& task : std::exchange(posted_, {})) task(*this);
  }

  bool trusted = false;
  std::size_t unsent = 0;  // as if the peer did not read

 private:
  const std::uint64_t id_;
  const std::string ip_;
  std::string out_;
  std::vector<std::function<void(Connection&)>> posted_;
  bool open_ = true;
};

}  // namespace mq::test
