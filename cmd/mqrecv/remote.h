// Messages from a broker: pulls over one connection, the next one under way while the last is
// printed.
#pragma once

#include <memory>
#include <optional>

#include "cli/tool.h"
#include "options.h"
#include "source.h"
#include "wire/pull.h"

namespace mq::mqrecv {

class RemoteSource final : public Source {
 public:
  static Result<std::unique_ptr<RemoteSource>> connect(const Options& options);

  [[nodiscard]] const std::string& broker() const noexcept override { return broker_; }
  Result<std::vector<QueueAt>> queues(const std::string& topic) override;
  Result<std::int64_t> offset_at(const QueueAt& queue, std::int64_t time_ms) override;
  Result<Stretch> read(const QueueAt& queue, std::int64_t offset, std::int64_t end) override;
  Result<std::vector<std::string>> find_key(const std::string& topic,
                                            const std::string& key) override;
  Result<std::vector<std::string>> find_id(const std::string& topic,
                                           const std::string& id) override;

  // Follows all `queues` from their `max` on with long polls; `visit` gets each stretch and says
  // whether to go on; it is called with nothing at least every 250 ms. Errors: the connection is
  // lost.
  using Visit = std::function<bool(const QueueAt* queue, const Stretch& stretch)>;
  Result<void> follow(std::vector<QueueAt> queues, const Visit& visit);

 private:
  struct Pull {
    std::int32_t opaque = 0;
    std::string topic;
    std::int32_t queue = -1;
    std::int64_t offset = 0;
    std::int64_t count = 0;
  };
  struct Answer {
    std::int32_t opaque = 0;
    std::int32_t code = 0;
    std::int64_t next = 0;
    Bytes records;
  };
  RemoteSource(const Options& options, client::Rpc rpc, net::Stream stream)
      : options_(options), rpc_(std::move(rpc)), stream_(std::move(stream)), in_(1 << 20) {}
  Result<std::int32_t> send_pull(const std::string& topic, std::int32_t queue, std::int64_t offset,
                                 std::int64_t count, bool wait);
  // The next answer, or nothing when the time is over. Its records lie in in_ until the next call.
  Result<std::optional<Answer>> receive(std::int64_t timeout_ms);

  const Options& options_;
  client::Rpc rpc_;
  net::Stream stream_;
  std::string broker_;
  std::optional<Pull> ahead_;  // sent, not answered yet
  std::int32_t opaque_ = 0;
  std::vector<std::byte> in_;
  std::size_t begin_ = 0;  // in in_: the first byte not taken
  std::size_t end_ = 0;
  wire::Command answer_;
};

}  // namespace mq::mqrecv
