// How a broker makes itself known: R(103) and what belongs to it, R(104), R(322), R(901), R(904)
// and R(905) (remoting.md 10.3, 10.4).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/command.h"
#include "wire/topic_body.h"

namespace mq::wire {

struct RegisterBrokerRequest {
  std::string_view cluster;
  std::string_view broker_name;
  std::string_view broker_addr;  // ip:port as clients use it
  std::string_view ha_addr{};    // ip:port for replicas
  std::int64_t broker_id = 0;
  std::optional<std::int64_t> heartbeat_timeout_ms{};
  std::optional<bool> enable_acting_master{};  // absent: a broker before 5.0
  bool compressed = false;
  std::int32_t body_crc = 0;  // crc32_masked of the body as sent; 0: not to be checked
  std::string_view zone{};
};
// Errors of all decoders of requests: kInvalid naming the field.
Result<RegisterBrokerRequest> decode_register_broker_request(const Command& request);
void append_register_broker_request(std::string& out, const Header& header,
                                    const RegisterBrokerRequest& request, Bytes body);

// All topics of the broker, or only those that changed.
struct RegisterBrokerBody {
  TopicTable topics;
  std::vector<std::string> filter_servers{};
  std::map<std::string, std::string> mappings{};  // of static topics: topic to JSON
  friend bool operator==(const RegisterBrokerBody&, const RegisterBrokerBody&) = default;
};
// The compressed form knows nothing of `order` and the flags of a topic.
[[nodiscard]] std::string encode_register_broker_body(const RegisterBrokerBody& body,
                                                      bool compressed);
// `version` is that of the request's header: the mappings are in the compressed form from 5.0 on.
// An empty body is one without topics. Errors: kCorrupt.
Result<RegisterBrokerBody> decode_register_broker_body(Bytes body, bool compressed,
                                                       std::int32_t version);

struct RegisterBrokerResponse {
  std::string ha_addr;      // of the master, for a slave; may be empty
  std::string master_addr;  // ditto
  KvTable order_conf;       // the ordered topics
};
Result<RegisterBrokerResponse> decode_register_broker_response(const Command& response);
void append_register_broker_response(std::string& out, const Header& header,
                                     const RegisterBrokerResponse& response);

// R(104), R(322), R(904), R(901: without address).
struct BrokerIdentity {
  std::string_view cluster;
  std::string_view broker_name;
  std::string_view broker_addr{};
  std::int64_t broker_id = 0;
};
Result<BrokerIdentity> decode_broker_identity(const Command& request);
void append_broker_identity(std::string& out, const Header& header, const BrokerIdentity& broker,
                            Bytes body = {});

struct QueryDataVersionResponse {
  bool changed = false;
  std::optional<DataVersion> version{};  // what the name server has
};
Result<QueryDataVersionResponse> decode_query_data_version_response(const Command& response);
void append_query_data_version_response(std::string& out, const Header& header,
                                        const QueryDataVersionResponse& response);

struct MinBrokerIdChange {
  std::string_view broker_name;
  std::int64_t min_broker_id = 0;
  std::string_view min_broker_addr;
  std::string_view offline_broker_addr{};  // empty: nobody left
  std::string_view ha_broker_addr{};
};
void append_min_broker_id_change(std::string& out, const Header& header,
                                 const MinBrokerIdChange& change);
Result<MinBrokerIdChange> decode_min_broker_id_change(const Command& request);

}  // namespace mq::wire
