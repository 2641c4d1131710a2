// Messages from brokers: pulls over one connection to each, the next one under way while the last
// is printed.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "client/channel.h"
#include "client/cluster.h"
#include "options.h"
#include "source.h"

namespace mq::mqrecv {

class RemoteSource final : public Source {
 public:
  static Result<std::unique_ptr<RemoteSource>> connect(const Options& options);

  Result<std::vector<QueueAt>> queues(const std::string& topic) override;
  Result<std::int64_t> offset_at(const QueueAt& queue, std::int64_t time_ms) override;
  Result<Stretch> read(const QueueAt& queue, std::int64_t offset, std::int64_t end) override;
  Result<std::vector<client::Found>> find_key(const std::string& topic,
                                              const std::string& key) override;
  Result<std::vector<client::Found>> find_id(const std::string& topic,
                                             const std::string& id) override;

  // Follows all `queues` from their `max` on with long polls; `visit` gets each stretch and says
  // whether to go on; it is called with nothing at least every 250 ms. Errors: a connection is
  // lost.
  using Visit = std::function<bool(const QueueAt* queue, const Stretch& stretch)>;
  Result<void> follow(std::vector<QueueAt> queues, const Visit& visit);

 private:
  // A pull that was sent and not answered yet.
  struct Pull {
    std::int32_t opaque = 0;
    std::string topic;
    std::int32_t queue = -1;
    std::int64_t offset = 0;
  };
  struct Answer {
    std::int32_t opaque = 0;
    std::int32_t code = 0;
    std::int64_t next = 0;
    Bytes records;
  };
  // The connection to a broker.
  struct Lane {
    client::BrokerAt at;
    client::Channel channel;
    std::optional<Pull> ahead{};
  };
  RemoteSource(const Options& options, client::Cluster cluster)
      : options_(options), cluster_(std::move(cluster)) {}
  Result<Lane*> lane(const std::string& broker);
  std::int32_t post_pull(Lane& lane, const QueueAt& queue, std::int64_t offset, std::int64_t count,
                         bool wait);
  // The next answer, or nothing when the time is over. Its records are valid until the next call.
  Result<std::optional<Answer>> receive(Lane& lane, std::int64_t timeout_ms);
  Result<Answer> receive_surely(Lane& lane);
  Result<void> pull_ahead(Lane& lane, const QueueAt& queue, std::int64_t offset, std::int64_t end);

  const Options& options_;
  client::Cluster cluster_;
  std::map<std::string, client::BrokerAt> brokers_;  // by name, as routes said
  std::map<std::string, Lane> lanes_;
  std::string unwrapped_;  // what the last stretch's batches held
};

}  // namespace mq::mqrecv
