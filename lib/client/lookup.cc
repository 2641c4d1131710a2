#include "client/lookup.h"

#include <algorithm>
#include <map>

#include "client/admin.h"
#include "format/message_id.h"
#include "format/properties.h"

namespace mq::client {
namespace {

constexpr std::int32_t kFoundMax = 64;  // of one question; brokers give no more

// Newest first, as many as a broker gives at a time, then what is older than those.
Result<void> find_at(Rpc& rpc, const BrokerAt& broker, const std::string& topic,
                     const std::string& key, std::vector<Found>& out) {
  std::map<std::int64_t, std::string> by_offset;
  std::int64_t end_ms = INT64_MAX;
  for (bool more = true; more;) {
    auto found = query_message(rpc, {.topic = topic,
                                     .key = key,
                                     .count_max = kFoundMax,
                                     .begin_timestamp_ms = 0,
                                     .end_timestamp_ms = end_ms});
    if (!found && found.error().code() == Errc::kNotFound) break;
    if (!found) return std::move(found).error();
    const std::size_t before = by_offset.size();
    for (const Bytes bytes : found->records) {
      MQ_TRY(const auto record, format::decode_record(bytes, format::CheckBody::kNo));
      end_ms = std::min(end_ms, record.store_timestamp_ms);
      if (has_key(record, key)) by_offset.emplace(record.physical_offset.value(), as_text(bytes));
    }
    more = by_offset.size() > before && found->records.size() >= kFoundMax / 2;
  }
  for (auto& [offset, bytes] : by_offset) out.push_back({broker.name, std::move(bytes)});
  return {};
}

}  // namespace

bool has_key(const format::Record& record, std::string_view key) {
  if (format::find_property(record.properties, format::kUniqKey) == key) return true;
  std::string_view keys = format::find_property(record.properties, format::kKeys).value_or("");
  while (!keys.empty()) {
    const std::size_t end = keys.find(' ');
    if (keys.substr(0, end) == key) return true;
    keys = end == std::string_view::npos ? std::string_view() : keys.substr(end + 1);
  }
  return false;
}

Result<std::vector<Found>> find_by_key(Cluster& cluster, const std::string& topic,
                                       const std::string& key) {
  std::vector<Found> out;
  MQ_TRY(const auto route, cluster.route(topic));
  for (const TopicAt& at : route) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(at.broker));
    MQ_CHECK(wait_until_readable(*rpc));
    MQ_CHECK(find_at(*rpc, at.broker, topic, key, out));
  }
  return out;
}

Result<std::vector<Found>> find_by_id(Cluster& cluster, const std::string& topic,
                                      const std::string& id) {
  if (!topic.empty()) {
    auto found = find_by_key(cluster, topic, id);
    if (!found || !found->empty()) return found;
  }
  std::vector<Found> out;
  const auto parsed = format::parse_offset_message_id(id);
  if (!parsed) return out;
  MQ_TRY(const auto brokers, cluster.brokers());
  for (const BrokerAt& broker : brokers) {
    MQ_TRY(Rpc* const rpc, cluster.rpc(broker));
    auto records = view_message(*rpc, parsed->offset.value());
    if (!records) continue;  // the id is of another broker's
    for (const Bytes bytes : records->records) {
      auto record = format::decode_record(bytes, format::CheckBody::kNo);
      if (record && record->store_host == parsed->store_host)
        out.push_back({broker.name, std::string(as_text(bytes))});
    }
  }
  return out;
}

}  // namespace mq::client
