#include "cli/exit.h"
#include "cli/inflate.h"
#include "cli/message_json.h"
#include "client/admin.h"
#include "client/lookup.h"
#include "views.h"

namespace mq::mqstat {

Result<int> show_message(client::Cluster& cluster, const Options& o, cli::Output& out) {
  const bool by_key = !o.key.empty();
  MQ_TRY(const auto found, by_key ? client::find_by_key(cluster, o.topic, o.key)
                                  : client::find_by_id(cluster, o.topic, o.argument));
  std::string inflated;
  for (const client::Found& one : found) {
    MQ_TRY(const auto record, format::decode_record(as_bytes(one.bytes), format::CheckBody::kNo));
    const auto body = cli::message_body(record, inflated);
    cli::append_message_json(
        out.buffer(),
        {.record = &record, .body = body ? *body : record.body, .broker = one.broker, .number = 0},
        {});
    out.buffer() += '\n';
  }
  if (!found.empty()) return cli::kExitOk;
  cli::say(!by_key && o.topic.empty() ? "no such message; a unique id needs -t TOPIC"
                                      : "no such message");
  return cli::kExitNo;
}

}  // namespace mq::mqstat
