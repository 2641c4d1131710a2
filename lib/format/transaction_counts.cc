#include "format/transaction_counts.h"

#include "base/json.h"

namespace mq::format {

Result<TransactionCounts> parse_transaction_counts_json(std::string_view text) {
  MQ_TRY(const json::value file, parse_json(text));
  if (!file.is_object()) return Error{Errc::kCorrupt, "not a JSON object"};
  TransactionCounts out;
  if (const json::value* version = member(file, "dataVersion")) {
    out.version.state_version = int_or(member(*version, "stateVersion"), 0);
    out.version.timestamp_ms = int_or(member(*version, "timestamp"), 0);
    out.version.counter = int_or(member(*version, "counter"), 0);
  }
  const json::value* topics = member(file, "transactionCount");
  if (topics == nullptr || topics->is_null()) return out;
  if (!topics->is_object()) return Error{Errc::kCorrupt, "transactionCount: not an object"};
  for (const auto& [topic, count] : topics->get_object()) {
    out.topics[topic] = {.open = int_or(member(count, "count"), 0),
                         .changed_ms = int_or(member(count, "timeStamp"), 0)};
  }
  return out;
}

std::string to_transaction_counts_json(const TransactionCounts& counts) {
  json::object topics;
  for (const auto& [topic, count] : counts.topics)
    topics[topic] = json::object{{"count", count.open}, {"timeStamp", count.changed_ms}};
  json::object file;
  file["dataVersion"] = json::object{{"counter", counts.version.counter},
                                     {"stateVersion", counts.version.state_version},
                                     {"timestamp", counts.version.timestamp_ms}};
  file["transactionCount"] = std::move(topics);
  return to_json(file);
}

}  // namespace mq::format
