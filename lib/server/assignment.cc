// R(400), R(401), R(402): which queues a member gets, and whether it pulls or pops.
#include "wire/assignment.h"

#include <fmt/format.h>

#include "broker/pop_service.h"
#include "client/topic_routes.h"
#include "format/names.h"
#include "format/state_files.h"
#include "server/call.h"
#include "server/later_reply.h"
#include "wire/allocation.h"
#include "wire/codes.h"

namespace mq::server {
namespace {

using Queues = std::vector<wire::MessageQueue>;

void add_readable(const std::string& topic, const std::string& broker, std::int32_t perm,
                  std::int32_t queues, Queues& out) {
  if ((perm & format::kPermRead) == 0) return;
  for (std::int32_t id = 0; id < queues; ++id) out.push_back({topic, broker, id});
}

// Every queue of the topic that may be read, at every broker that has it.
Queues queues_of(const std::string& topic, const wire::TopicRouteData& route) {
  Queues out;
  for (const wire::QueueData& queues : route.queues)
    add_readable(topic, queues.broker_name, queues.perm, queues.read_queues, out);
  wire::sort_queues(out);
  return out;
}

// The same where this broker is the only name server: of a topic that it has told nobody of, its
// own.
Queues queues_here(const Parts& p, const std::string& topic) {
  if (const auto route = p.names.route(topic)) return queues_of(topic, *route);
  Queues out;
  if (const auto own = p.topics.find(topic))
    add_readable(topic, p.self.broker, own->perm, own->read_queues, out);
  return out;
}

format::RequestMode mode_of(const Parts& p, std::string_view topic, std::string_view group) {
  if (const auto set = p.pop.modes.find(topic, group)) return *set;
  if (topic.starts_with(format::kRetryPrefix) || !p.config.pop_by_default) return {};
  return {.pop = true, .share_queues = p.config.pop_share_queues};
}

std::optional<Queues> assigned(const Parts& p, const wire::AssignmentRequest& asked,
                               const format::RequestMode& mode, Queues queues) {
  if (queues.empty()) return std::nullopt;
  if (asked.model == wire::MessageModel::kBroadcasting || !p.config.assign_queues) return queues;
  const auto members = p.consumers.client_ids(asked.group);
  if (members.empty()) return std::nullopt;
  if (!mode.pop) return broker::allocate(asked.strategy, queues, members, asked.client_id);
  return broker::allocate_shared(asked.strategy, queues, members, asked.client_id,
                                 mode.share_queues);
}

std::string answer(const Parts& p, const wire::AssignmentRequest& asked, Queues queues) {
  const format::RequestMode mode = mode_of(p, asked.topic, asked.group);
  auto own = assigned(p, asked, mode, std::move(queues));
  wire::Assignments out{.known = own.has_value(), .pop = mode.pop, .queues = {}};
  if (own) out.queues = std::move(*own);
  return wire::encode_assignments(out);
}

}  // namespace

void handle_query_assignment(const Call& call) {
  const auto asked = wire::decode_assignment_request(as_text(call.request.body));
  if (!asked) return call.reply(wire::kSystemError, asked.error().to_string());
  if (call.p.routes == nullptr) {
    return call.reply_body(answer(call.p, *asked, queues_here(call.p, asked->topic)));
  }
  // Other brokers may have the topic, too. While no name server tells, there is no answer to go by:
  // members keep what they have.
  call.p.routes->find(asked->topic, [&p = call.p, asked = *asked, later = LaterReply(call)](
                                        const client::TopicRoutes::Route& route) {
    later.reply(wire::kSuccess, {}, {},
                answer(p, asked, route == nullptr ? Queues() : queues_of(asked.topic, *route)));
  });
}

void handle_set_request_mode(const Call& call) {
  const auto asked = format::parse_request_mode(as_text(call.request.body));
  if (!asked) return call.reply(wire::kSystemError, asked.error().to_string());
  if (asked->topic.starts_with(format::kRetryPrefix))
    return call.reply(wire::kNoPermission, "the mode of a retry topic cannot be set");
  if (!call.p.topics.find(asked->topic)) {
    return call.reply(wire::kTopicNotExist, fmt::format("topic '{}' does not exist", asked->topic));
  }
  if (auto done = call.p.pop.modes.set(asked->topic, asked->group, asked->mode); !done)
    return call.reply_error(done.error());
  call.reply(wire::kSuccess);
}

void handle_all_request_modes(const Call& call) {
  call.reply_body(format::to_request_modes_json(call.p.pop.modes.all(), /*pretty=*/false));
}

}  // namespace mq::server
