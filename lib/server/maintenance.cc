// Care of a running broker: its configuration (R 25, 26), what is left over (R 306, 316), its
// replicas (R 907, 908).
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/log.h"
#include "server/call.h"
#include "server/topic_forms.h"
#include "wire/codes.h"

namespace mq::server {

void handle_broker_config(const Call& call) {
  const std::string version = wire::encode_data_version(to_wire(call.p.live.version()));
  call.reply_body(call.p.live.properties(), std::array{wire::Field{"version", version}});
}

void handle_update_config(const Call& call) {
  if (auto done = call.p.live.update(as_text(call.request.body)); !done)
    return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

// Queues follow the beginning of the log by themselves, each second: there is never anything to
// clean.
void handle_clean_queues(const Call& call) { call.reply(wire::kSuccess); }

// Queues of topics that are not configured (any more).
void handle_clean_topics(const Call& call) {
  std::set<std::string> unused;
  for (auto& [topic, queue] : call.p.store.queues())
    if (!call.p.topics.find(topic) && !call.p.topics.is_system(topic)) unused.insert(topic);
  for (const std::string& topic : unused) {
    if (auto done = call.p.store.delete_topic(topic); !done) return call.reply_error(done.error());
    log::info("queues of {} removed: there is no such topic", topic);
  }
  call.reply(wire::kSuccess);
}

// A master without replicas.
void handle_ha_status(const Call& call) {
  const json::object client{{"lastReadTimestamp", 0},
                            {"lastWriteTimestamp", 0},
                            {"masterFlushOffset", 0},
                            {"maxOffset", 0},
                            {"transferredByteInSecond", 0}};
  call.reply_body(
      to_json(json::object{{"haClientRuntimeInfo", client},
                           {"haConnectionInfo", json::array()},
                           {"inSyncSlaveNums", 0},
                           {"master", true},
                           {"masterCommitLogMaxOffset", call.p.store.stats().written.value()}}));
}

// How far its master has flushed is of interest to a slave; a master is told nothing new.
void handle_reset_master_flush_offset(const Call& call) { call.reply(wire::kSuccess); }

}  // namespace mq::server
