#include "wire/register.h"

#include "wire/codes.h"
#include "wire/fields.h"

namespace mq::wire {

Result<RegisterBrokerRequest> decode_register_broker_request(const Command& request) {
  const ExtFields& ext = request.ext;
  RegisterBrokerRequest out;
  MQ_TRY(out.cluster, text_field(ext, "clusterName"));
  MQ_TRY(out.broker_name, text_field(ext, "brokerName"));
  MQ_TRY(out.broker_addr, text_field(ext, "brokerAddr"));
  MQ_TRY(out.broker_id, int64_field(ext, "brokerId"));
  MQ_TRY(out.body_crc, optional_integer<std::int32_t>(ext, "bodyCrc32", 0));
  out.ha_addr = text_or(ext, "haServerAddr", "");
  if (ext.find("heartbeatTimeoutMillis")) {
    MQ_TRY(out.heartbeat_timeout_ms, int64_field(ext, "heartbeatTimeoutMillis"));
  }
  if (const auto acting = ext.find("enableActingMaster"))
    out.enable_acting_master = is_true(*acting);
  out.compressed = bool_or(ext, "compressed", false);
  out.zone = text_or(ext, "__ZONE_NAME", "");
  return out;
}

void append_register_broker_request(std::string& out, const Header& header,
                                    const RegisterBrokerRequest& request, Bytes body) {
  std::vector<Field> fields = {
      Field{"brokerName", request.broker_name}, Field{"brokerAddr", request.broker_addr},
      Field{"clusterName", request.cluster},    Field{"haServerAddr", request.ha_addr},
      Field{"brokerId", request.broker_id},     Field{"compressed", request.compressed},
      Field{"bodyCrc32", request.body_crc}};
  if (request.heartbeat_timeout_ms)
    fields.emplace_back("heartbeatTimeoutMillis", *request.heartbeat_timeout_ms);
  if (request.enable_acting_master)
    fields.emplace_back("enableActingMaster", *request.enable_acting_master);
  if (!request.zone.empty()) fields.emplace_back("__ZONE_NAME", request.zone);
  append_frame(out, header, fields, body);
}

Result<RegisterBrokerResponse> decode_register_broker_response(const Command& response) {
  RegisterBrokerResponse out{.ha_addr = std::string(text_or(response.ext, "haServerAddr", "")),
                             .master_addr = std::string(text_or(response.ext, "masterAddr", "")),
                             .order_conf = {}};
  if (!response.body.empty()) {
    MQ_TRY(out.order_conf, decode_kv_table(as_text(response.body)));
  }
  return out;
}

void append_register_broker_response(std::string& out, const Header& header,
                                     const RegisterBrokerResponse& response) {
  std::vector<Field> fields;
  if (!response.ha_addr.empty()) fields.emplace_back("haServerAddr", response.ha_addr);
  if (!response.master_addr.empty()) fields.emplace_back("masterAddr", response.master_addr);
  const std::string body =
      response.order_conf.empty() ? std::string() : encode_kv_table(response.order_conf);
  append_frame(out, header, fields, as_bytes(body));
}

Result<BrokerIdentity> decode_broker_identity(const Command& request) {
  const ExtFields& ext = request.ext;
  BrokerIdentity out;
  MQ_TRY(out.cluster, text_field(ext, "clusterName"));
  MQ_TRY(out.broker_name, text_field(ext, "brokerName"));
  if (request.code != kGetBrokerMemberGroup) {
    MQ_TRY(out.broker_addr, text_field(ext, "brokerAddr"));
  }
  MQ_TRY(out.broker_id, optional_integer<std::int64_t>(ext, "brokerId", 0));
  return out;
}

void append_broker_identity(std::string& out, const Header& header, const BrokerIdentity& broker,
                            Bytes body) {
  const std::array<Field, 4> fields = {
      Field{"clusterName", broker.cluster}, Field{"brokerName", broker.broker_name},
      Field{"brokerAddr", broker.broker_addr}, Field{"brokerId", broker.broker_id}};
  append_frame(out, header, fields, body);
}

Result<QueryDataVersionResponse> decode_query_data_version_response(const Command& response) {
  QueryDataVersionResponse out{.changed = bool_or(response.ext, "changed", true)};
  if (!response.body.empty()) {
    MQ_TRY(out.version, decode_data_version(as_text(response.body)));
  }
  return out;
}

void append_query_data_version_response(std::string& out, const Header& header,
                                        const QueryDataVersionResponse& response) {
  const std::string body =
      response.version ? encode_data_version(*response.version) : std::string();
  append_frame(out, header, std::array{Field{"changed", response.changed}}, as_bytes(body));
}

void append_min_broker_id_change(std::string& out, const Header& header,
                                 const MinBrokerIdChange& change) {
  std::vector<Field> fields = {Field{"minBrokerId", change.min_broker_id},
                               Field{"brokerName", change.broker_name},
                               Field{"minBrokerAddr", change.min_broker_addr}};
  if (!change.offline_broker_addr.empty())
    fields.emplace_back("offlineBrokerAddr", change.offline_broker_addr);
  if (!change.ha_broker_addr.empty()) fields.emplace_back("haBrokerAddr", change.ha_broker_addr);
  append_frame_head(out, header, fields, 0);
}

Result<MinBrokerIdChange> decode_min_broker_id_change(const Command& request) {
  MinBrokerIdChange out;
  MQ_TRY(out.broker_name, text_field(request.ext, "brokerName"));
  MQ_TRY(out.min_broker_id, int64_field(request.ext, "minBrokerId"));
  MQ_TRY(out.min_broker_addr, text_field(request.ext, "minBrokerAddr"));
  out.offline_broker_addr = text_or(request.ext, "offlineBrokerAddr", "");
  out.ha_broker_addr = text_or(request.ext, "haBrokerAddr", "");
  return out;
}

}  // namespace mq::wire
