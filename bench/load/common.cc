#include <cstdio>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include "client/admin.h"
#include "load.h"
#include "wire/command.h"

namespace mq::bench {

double now_us() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

void Report::add(std::string_view name, double value) {
  if (text_.size() > 1) text_ += ',';
  text_ += fmt::format("\"{}\":{:.3f}", name, value);
}

void Report::add_times(std::vector<float>& us) {
  if (us.empty()) return;
  std::sort(us.begin(), us.end());
  const auto at = [&](double part) {
    return us[std::min(us.size() - 1,
                       static_cast<std::size_t>(static_cast<double>(us.size()) * part))];
  };
  add("p50_us", at(0.5));
  add("p99_us", at(0.99));
  add("max_us", us.back());
}

void Report::print() const { std::printf("%s}\n", text_.c_str()); }

Result<Peer> Peer::connect(const std::string& address) {
  MQ_TRY(const net::Address at, net::parse_address(address));
  MQ_TRY(auto stream, net::Stream::connect(at, 5000));
  return Peer(std::move(stream));
}

Result<void> Peer::write() {
  while (has_unsent()) {
    const Bytes piece = as_bytes(std::string_view(out).substr(sent_));
    MQ_TRY(const std::size_t done, stream_.write_some({&piece, 1}));
    if (done == 0) return {};
    sent_ += done;
  }
  out.clear();
  sent_ = 0;
  return {};
}

Result<void> Peer::read() {
  std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ == in_.size()) in_.resize(in_.size() * 2);
  auto got = stream_.read_some(MutableBytes(in_).subspan(end_), 0);
  if (!got) return got.error().code() == Errc::kTimeout ? Result<void>() : std::move(got).error();
  end_ += *got;
  return {};
}

Result<Bytes> Peer::take() {
  const Bytes have = Bytes(in_).subspan(begin_, end_ - begin_);
  MQ_TRY(const std::size_t bytes, wire::frame_bytes(have));
  if (bytes == 0 || bytes > have.size()) return Bytes();
  begin_ += bytes;
  return have.first(bytes);
}

std::string topic_name(const Options& options, int number) {
  return options.topics == 1 ? options.topic : fmt::format("{}-{}", options.topic, number);
}

Result<void> make_topics(const Options& options) {
  MQ_TRY(const net::Address at, net::parse_address(options.broker));
  MQ_TRY(auto rpc, client::Rpc::connect(at, {.timeout_ms = 120'000}));
  if (options.topics == 1) {
    return client::put_topic(rpc, {.topic = options.topic,
                                   .read_queues = options.queues,
                                   .write_queues = options.queues,
                                   .attributes = options.closed ? "+queue.type=BatchCQ" : ""});
  }
  std::vector<wire::TopicConfig> configs;
  for (int i = 0; i < options.topics; ++i) {
    configs.push_back({.name = topic_name(options, i),
                       .read_queues = options.queues,
                       .write_queues = options.queues});
  }
  const std::string body = wire::encode_topic_config_list(configs);
  auto done =
      rpc.ask(wire::kUpdateAndCreateTopicList, [&](std::string& out, const wire::Header& header) {
        wire::append_frame(out, header, {}, as_bytes(body));
      });
  return done ? Result<void>() : std::move(done).error();
}

}  // namespace mq::bench
