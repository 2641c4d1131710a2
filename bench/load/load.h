// The load generator of `make bench`: drives any broker that speaks the remoting protocol, ours or
// Apache's, with the same bytes, and measures what the machine itself can do. One thread; prints
// one JSON object.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/stream.h"

namespace mq::bench {

struct Options {
  std::string broker;
  std::string topic = "bench";
  int queues = 4;
  int topics = 1;            // above one: topic-0, topic-1 …, in turn
  std::int64_t size = 1024;  // of a body
  std::int64_t count = 1'000'000;
  int batch = 1;        // messages a request
  bool closed = false;  // the topic keeps batches closed (queue.type=BatchCQ)
  int inflight = 1;     // requests a connection
  int connections = 1;
  double rate = 1000;           // end to end: messages a second
  bool sync = false;            // acknowledged only from the disk
  std::int64_t deliver_ms = 0;  // timed messages for that time; not in batches
  std::string file;             // for the limits
};

// Each prints its figures; errors are for main.
Result<void> send(const Options& options);        // rate and latency of acknowledged sends
Result<void> drain(const Options& options);       // rate of reading everything in the topic
Result<void> end_to_end(const Options& options);  // from send to receive, at a steady rate
Result<void> echo(const Options& options);  // limit: a request and an answer of the sizes of a send
Result<void> stream(const Options& options);          // limit: from a mapped file to a socket
Result<void> fdatasync_rate(const Options& options);  // limit: small forced writes on zeroed blocks

// One JSON object a run.
class Report {
 public:
  void add(std::string_view name, double value);
  // p50, p99 and max of times in us; sorts them.
  void add_times(std::vector<float>& us);
  void print() const;

 private:
  std::string text_ = "{";
};

double now_us();

// A connection whose whole frames are taken one by one.
class Peer {
 public:
  static Result<Peer> connect(const std::string& address);
  [[nodiscard]] int descriptor() const noexcept { return stream_.descriptor(); }

  std::string out;  // what is to be sent
  [[nodiscard]] bool has_unsent() const noexcept { return sent_ < out.size(); }
  Result<void> write();
  // Reads what is there.
  Result<void> read();
  // The next whole frame; empty when there is none. Valid until read().
  Result<Bytes> take();

 private:
  explicit Peer(net::Stream stream) : stream_(std::move(stream)), in_(1 << 20) {}
  net::Stream stream_;
  std::size_t sent_ = 0;
  std::vector<std::byte> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Creates the topics that are not there.
Result<void> make_topics(const Options& options);
[[nodiscard]] std::string topic_name(const Options& options, int number);

}  // namespace mq::bench
