#include "targets.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "client/admin.h"
#include "format/state_files.h"

namespace mq::mqsend {
namespace {

constexpr std::int32_t kPermWrite = 2;

}  // namespace

std::size_t Targets::index_of(const client::BrokerAt& broker) {
  const auto found = std::find_if(brokers_.begin(), brokers_.end(),
                                  [&](const client::BrokerAt& b) { return b.name == broker.name; });
  if (found != brokers_.end()) return static_cast<std::size_t>(found - brokers_.begin());
  brokers_.push_back(broker);
  return brokers_.size() - 1;
}

Result<std::vector<client::TopicAt>> Targets::find_or_create(const std::string& topic) {
  auto found = cluster_.route(topic);
  if (found || found.error().code() != Errc::kNotFound) return found;
  if (options_.create == 0) {
    // The broker makes it, if it may, when the first message comes; and says no otherwise.
    MQ_TRY(auto would_be, cluster_.default_route());
    if (would_be.empty()) return found;
    return would_be;
  }
  MQ_TRY(const auto brokers, cluster_.brokers());
  std::vector<client::TopicAt> out;
  for (const client::BrokerAt& broker : brokers) {
    MQ_TRY(client::Rpc* const rpc, cluster_.rpc(broker));
    MQ_CHECK(client::put_topic(
        *rpc, {.topic = topic, .read_queues = options_.create, .write_queues = options_.create}));
    out.push_back({broker, options_.create, options_.create, /*perm=*/6});
  }
  return out;
}

bool Targets::keeps_batches(const client::BrokerAt& broker, const std::string& topic) {
  const auto rpc = cluster_.rpc(broker);
  if (!rpc) return false;
  const auto config = client::topic_config(**rpc, topic);
  return config && format::has_batch_queues(config->attributes);
}

Result<TopicTargets*> Targets::of(const std::string& topic) {
  if (const auto known = topics_.find(topic); known != topics_.end()) return &known->second;
  MQ_TRY(const auto route, find_or_create(topic));
  TopicTargets out{.topic = topic, .all = {}, .round = std::random_device{}()};
  std::int32_t queues = 0;
  for (const client::TopicAt& at : route) {
    if ((at.perm & kPermWrite) == 0) continue;
    queues = std::max(queues, at.write_queues);
    for (std::int32_t queue = 0; queue < at.write_queues; ++queue) {
      if (options_.queue < 0 || options_.queue == queue)
        out.all.push_back({index_of(at.broker), queue});
    }
  }
  if (queues == 0)
    return Error{Errc::kDenied, fmt::format("topic '{}' may not be written to", topic)};
  if (out.all.empty()) {
    return Error{Errc::kInvalid,
                 fmt::format("-p {}: topic '{}' has {} queues", options_.queue, topic, queues)};
  }
  out.keeps_batches = keeps_batches(brokers_[out.all.front().broker], topic);
  return &topics_.insert_or_assign(topic, std::move(out)).first->second;
}

}  // namespace mq::mqsend
