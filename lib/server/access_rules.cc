#include "server/access_rules.h"

#include <algorithm>
#include <array>

#include "base/pieces.h"
#include "format/names.h"
#include "format/pop_state.h"
#include "wire/codes.h"
#include "wire/group_body.h"
#include "wire/heartbeat.h"
#include "wire/pop.h"
#include "wire/queue_lock.h"
#include "wire/topic_body.h"

namespace mq::server {
namespace {

using broker::Action;
using broker::Actions;
using broker::Need;
using broker::ResourceKind;
using enum ResourceKind;

constexpr Actions kPub = broker::bit(Action::kPub);
constexpr Actions kSub = broker::bit(Action::kSub);
constexpr Actions kGet = broker::bit(Action::kGet);
constexpr Actions kCreate = broker::bit(Action::kCreate);
constexpr Actions kUpdate = broker::bit(Action::kUpdate);
constexpr Actions kDelete = broker::bit(Action::kDelete);

// A field that names a resource, or several with `between` them.
struct Named {
  const char* field = nullptr;
  ResourceKind kind = kUnknown;
  char between = 0;
};
// What the fields name, as far as they are there; without fields, the cluster.
struct Rule {
  std::int32_t code;
  Actions any_of;
  std::array<Named, 3> names{};
};

// Sorted by code; the order of names is that in which they are asked for.
constexpr auto kRules = std::to_array<Rule>({
    {wire::kUpdateAndCreateTopic, kCreate, {{{"topic", kTopic}}}},
    {wire::kUpdateBrokerConfig, kUpdate},  // ours
    {wire::kSearchOffsetByTimestamp, kGet, {{{"topic", kTopic}}}},
    {wire::kGetMaxOffset, kGet, {{{"topic", kTopic}}}},
    {wire::kGetMinOffset, kGet, {{{"topic", kTopic}}}},
    {wire::kGetEarliestMsgStoretime, kGet, {{{"topic", kTopic}}}},
    {wire::kGetTopicStatsInfo, kGet, {{{"topic", kTopic}}}},
    {wire::kGetConsumerConnectionList, kGet, {{{"consumerGroup", kGroup}}}},
    {wire::kGetProducerConnectionList, kGet},
    {wire::kDeleteSubscriptionGroup, kDelete, {{{"groupName", kGroup}}}},
    {wire::kGetConsumeStats,
     kGet,
     {{{"consumerGroup", kGroup}, {"topic", kTopic}, {"topicList", kTopic, ';'}}}},
    {wire::kDeleteTopicInBroker, kDelete, {{{"topic", kTopic}}}},
    {wire::kInvokeBrokerToResetOffset, kUpdate, {{{"group", kGroup}, {"topic", kTopic}}}},
    {wire::kInvokeBrokerToGetConsumerStatus, kGet, {{{"topic", kTopic}, {"group", kGroup}}}},
    {wire::kQueryTopicConsumeByWho, kGet, {{{"topic", kTopic}}}},
    {wire::kQueryConsumeTimeSpan, kGet, {{{"topic", kTopic}, {"group", kGroup}}}},
    {wire::kCleanExpiredConsumequeue, kUpdate},  // ours
    {wire::kGetConsumerRunningInfo, kGet, {{{"consumerGroup", kGroup}}}},
    {wire::kQueryCorrectionOffset,
     kGet,
     {{{"filterGroups", kGroup, ','}, {"compareGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kConsumeMessageDirectly, kSub, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kCloneGroupOffset, kUpdate, {{{"destGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kViewBrokerStatsData, kGet},
    {wire::kCleanUnusedTopic, kUpdate},  // ours
    {wire::kGetBrokerConsumeStats, kGet},
    {wire::kQueryConsumeQueue, kGet, {{{"topic", kTopic}, {"consumerGroup", kGroup}}}},
    {wire::kResumeCheckHalfMessage, kUpdate, {{{"topic", kTopic}}}},
    {wire::kGetAllProducerInfo, kGet},
    {wire::kDeleteExpiredCommitlog, kUpdate},  // ours
    {wire::kQueryTopicsByConsumer, kGet, {{{"group", kGroup}}}},
    {wire::kQuerySubscriptionByConsumer, kGet, {{{"group", kGroup}, {"topic", kTopic}}}},
    {wire::kGetTopicConfig, kGet, {{{"topic", kTopic}}}},
    {wire::kGetSubscriptionGroupConfig, kGet, {{{"group", kGroup}}}},
    {wire::kUpdateAndGetGroupForbidden, kUpdate, {{{"group", kGroup}, {"topic", kTopic}}}},
    {wire::kRecallMessage, kPub, {{{"topic", kTopic}}}},
    {wire::kResetMasterFlushOffset, kUpdate},
    {wire::kAuthCreateUser, kUpdate},
    {wire::kAuthUpdateUser, kUpdate},
    {wire::kAuthDeleteUser, kUpdate},
    {wire::kAuthGetUser, kGet},
    {wire::kAuthListUser, kGet},
    {wire::kAuthCreateAcl, kUpdate},
    {wire::kAuthUpdateAcl, kUpdate},
    {wire::kAuthDeleteAcl, kUpdate},
    {wire::kAuthGetAcl, kGet},
    {wire::kAuthListAcl, kGet},
    {wire::kPopMessage, kSub, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kAckMessage, kSub, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kPeekMessage, kSub, {{{"topic", kTopic}, {"consumerGroup", kGroup}}}},
    {wire::kChangeMessageInvisibleTime, kSub, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kNotification, kSub, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
    {wire::kPollingInfo, kGet, {{{"consumerGroup", kGroup}, {"topic", kTopic}}}},
});
static_assert(std::is_sorted(kRules.begin(), kRules.end(),
                             [](const Rule& a, const Rule& b) { return a.code < b.code; }));

bool is_retry(std::string_view topic) noexcept { return topic.starts_with(format::kRetryPrefix); }
std::string_view without_retry(std::string_view name) noexcept {
  return is_retry(name) ? name.substr(format::kRetryPrefix.size()) : name;
}

// What is taken goes through here; remembers whether `take` has had enough.
class Taker {
 public:
  Taker(const wire::Command& request, const TakeNeed& take) : request_(request), take_(take) {}

  [[nodiscard]] std::string_view field(std::string_view name) const noexcept {
    return request_.ext.find(name).value_or("");
  }
  void topic(std::string_view name, Actions any_of) { add({kTopic, name, any_of}); }
  void group(std::string_view name, Actions any_of) { add({kGroup, without_retry(name), any_of}); }
  // A retry topic is its group's, which is asked for beside it.
  void topic_but_retry(std::string_view name, Actions any_of) {
    if (!is_retry(name)) topic(name, any_of);
  }
  // As the fields of rules say it: a retry topic stands for its group.
  void named(ResourceKind kind, std::string_view name, Actions any_of) {
    if (kind == kTopic && is_retry(name)) return group(name, any_of);
    add({kind, name, any_of});
  }
  void cluster(std::string_view name, Actions any_of) { add({kCluster, name, any_of}); }

 private:
  void add(const Need& need) { more_ = more_ && take_(need); }

  const wire::Command& request_;
  const TakeNeed& take_;
  bool more_ = true;
};

void needs_of_send(Taker& to, std::string_view topic, std::string_view group) {
  if (!is_retry(topic)) return to.topic(topic, kPub);
  to.group(group.empty() ? topic : group, kSub);
}

Result<void> needs_of_heartbeat(const wire::Command& request, Taker& to) {
  MQ_TRY(const auto heartbeat, wire::decode_heartbeat(as_text(request.body)));
  for (const wire::ConsumerData& consumer : heartbeat.consumers) {
    to.group(consumer.group, kSub);
    for (const auto& subscription : consumer.subscriptions)
      to.topic_but_retry(subscription.topic, kSub);
  }
  return {};
}

Result<void> needs_of_lock(const wire::Command& request, Taker& to) {
  MQ_TRY(const auto asked, wire::decode_queue_lock_request(as_text(request.body)));
  to.group(asked.group, kSub);
  for (const wire::MessageQueue& queue : asked.queues) to.topic_but_retry(queue.topic, kSub);
  return {};
}

// Requests of which the reference looks at no body, and so lets every user do it.
Result<void> needs_of_body(const wire::Command& request, Taker& to) {
  const std::string_view body = as_text(request.body);
  switch (request.code) {
    case wire::kUpdateAndCreateTopicList: {
      MQ_TRY(const auto topics, wire::decode_topic_config_list(body));
      for (const wire::TopicConfig& topic : topics) to.named(kTopic, topic.name, kCreate);
      return {};
    }
    case wire::kUpdateAndCreateSubscriptionGroup: {
      MQ_TRY(const auto group, wire::decode_group_config(body));
      to.group(group.name, kCreate);
      return {};
    }
    case wire::kUpdateAndCreateSubscriptionGroupList: {
      MQ_TRY(const auto groups, wire::decode_group_config_list(body));
      for (const wire::GroupConfig& group : groups) to.group(group.name, kCreate);
      return {};
    }
    case wire::kSetMessageRequestMode: {
      MQ_TRY(const auto asked, format::parse_request_mode(body));
      to.group(asked.group, kUpdate);
      to.topic_but_retry(asked.topic, kUpdate);
      return {};
    }
    default: {  // kBatchAckMessage
      MQ_TRY(const auto asked, wire::decode_batch_ack_request(body));
      for (const wire::BatchAck& ack : asked.acks) {
        to.group(ack.group, kSub);
        to.topic_but_retry(ack.topic, kSub);
      }
      return {};
    }
  }
}

void needs_of_rule(const Rule& rule, std::string_view cluster, Taker& to,
                   const wire::Command& request) {
  if (rule.names[0].field == nullptr) return to.cluster(cluster, rule.any_of);
  for (const Named& named : rule.names) {
    if (named.field == nullptr) break;
    const auto value = request.ext.find(named.field);
    if (!value) continue;
    if (named.between == 0) {
      to.named(named.kind, *value, rule.any_of);
      continue;
    }
    for_each_piece(*value, named.between, [&](std::string_view name) {
      if (!name.empty()) to.named(named.kind, name, rule.any_of);
    });
  }
}

}  // namespace

Result<void> for_each_need(const wire::Command& request, std::string_view cluster,
                           const TakeNeed& take) {
  Taker to(request, take);
  switch (request.code) {
    case wire::kSendMessage:
      needs_of_send(to, to.field("topic"), to.field("group"));
      return {};
    case wire::kSendMessageV2:
    case wire::kSendBatchMessage:
      needs_of_send(to, to.field("b"), to.field("a"));
      return {};
    case wire::kEndTransaction:
      if (const auto topic = to.field("topic"); !topic.empty()) to.topic(topic, kPub);
      return {};
    case wire::kConsumerSendMsgBack:
      to.group(to.field("group"), kSub);
      return {};
    case wire::kPullMessage:
    case wire::kLitePullMessage:  // the reference lets every user
      to.topic_but_retry(to.field("topic"), kSub);
      to.group(to.field("consumerGroup"), kSub);
      return {};
    case wire::kQueryMessage:
      to.topic(to.field("topic"), kSub | kGet);
      return {};
    case wire::kViewMessageById: {
      // Without a topic the reference shows every user everything.
      const auto topic = request.ext.find("topic");
      if (topic)
        to.named(kTopic, *topic, kGet);
      else
        to.cluster(cluster, kGet);
      return {};
    }
    case wire::kHeartBeat:
      return needs_of_heartbeat(request, to);
    case wire::kUnregisterClient:
      if (const auto group = to.field("consumerGroup"); !group.empty()) to.group(group, kSub);
      return {};
    case wire::kGetConsumerListByGroup:
      to.group(to.field("consumerGroup"), kSub | kGet);
      return {};
    case wire::kQueryConsumerOffset:
      to.topic_but_retry(to.field("topic"), kSub | kGet);
      to.group(to.field("consumerGroup"), kSub | kGet);
      return {};
    case wire::kUpdateConsumerOffset:
      to.topic_but_retry(to.field("topic"), kSub | kUpdate);
      to.group(to.field("consumerGroup"), kSub | kUpdate);
      return {};
    case wire::kLockBatchMq:
    case wire::kUnlockBatchMq:
      return needs_of_lock(request, to);
    case wire::kUpdateAndCreateTopicList:
    case wire::kUpdateAndCreateSubscriptionGroup:
    case wire::kUpdateAndCreateSubscriptionGroupList:
    case wire::kSetMessageRequestMode:
    case wire::kBatchAckMessage:
      return needs_of_body(request, to);
    default:
      break;
  }
  const auto rule =
      std::lower_bound(kRules.begin(), kRules.end(), request.code,
                       [](const Rule& known, std::int32_t code) { return known.code < code; });
  if (rule != kRules.end() && rule->code == request.code)
    needs_of_rule(*rule, cluster, to, request);
  return {};
}

}  // namespace mq::server
