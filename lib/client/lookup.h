// Messages by key and by id, from every broker that may have them; compared exactly, which stock
// brokers leave to the client.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "client/cluster.h"
#include "format/record.h"

namespace mq::client {

// A record that was looked up.
struct Found {
  std::string broker;
  std::string bytes;
};

// In log order, broker by broker; empty when there is none. Errors: kNotFound (no such topic),
// those of Rpc::ask.
Result<std::vector<Found>> find_by_key(Cluster& cluster, const std::string& topic,
                                       const std::string& key);
// A unique key, which needs the topic, or an offset id.
Result<std::vector<Found>> find_by_id(Cluster& cluster, const std::string& topic,
                                      const std::string& id);

// Is it one of the record's keys, or its unique key?
[[nodiscard]] bool has_key(const format::Record& record, std::string_view key);

}  // namespace mq::client
