#include "wire/codes.h"

#include "wire/command.h"

namespace mq::wire {
namespace {

constexpr std::array<std::string_view, 14> kLanguages = {
    "JAVA",  "CPP",  "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
    "OTHER", "HTTP", "GO",     "PHP",    "OMS",    "RUST",   "NODE_JS"};

}  // namespace

std::string_view language_name(Language language) noexcept {
  const auto ordinal = static_cast<std::size_t>(language);
  return ordinal < kLanguages.size() ? kLanguages[ordinal] : std::string_view();
}
Language language_from_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kLanguages.size(); ++i)
    if (kLanguages[i] == name) return static_cast<Language>(i);
  return Language::kUnknown;
}
Language language_from_ordinal(std::int64_t ordinal) noexcept {
  return ordinal >= 0 && ordinal < static_cast<std::int64_t>(kLanguages.size())
             ? static_cast<Language>(ordinal)
             : Language::kUnknown;
}

const char* response_name(std::int32_t code) noexcept {
  switch (code) {
    case kSuccess:
      return "SUCCESS";
    case kSystemError:
      return "SYSTEM_ERROR";
    case kSystemBusy:
      return "SYSTEM_BUSY";
    case kRequestCodeNotSupported:
      return "REQUEST_CODE_NOT_SUPPORTED";
    case kFlushDiskTimeout:
      return "FLUSH_DISK_TIMEOUT";
    case kSlaveNotAvailable:
      return "SLAVE_NOT_AVAILABLE";
    case kFlushSlaveTimeout:
      return "FLUSH_SLAVE_TIMEOUT";
    case kMessageIllegal:
      return "MESSAGE_ILLEGAL";
    case kServiceNotAvailable:
      return "SERVICE_NOT_AVAILABLE";
    case kNoPermission:
      return "NO_PERMISSION";
    case kTopicNotExist:
      return "TOPIC_NOT_EXIST";
    case kPullNotFound:
      return "PULL_NOT_FOUND";
    case kPullRetryImmediately:
      return "PULL_RETRY_IMMEDIATELY";
    case kPullOffsetMoved:
      return "PULL_OFFSET_MOVED";
    case kQueryNotFound:
      return "QUERY_NOT_FOUND";
    case kSubscriptionParseFailed:
      return "SUBSCRIPTION_PARSE_FAILED";
    case kSubscriptionNotExist:
      return "SUBSCRIPTION_NOT_EXIST";
    case kSubscriptionNotLatest:
      return "SUBSCRIPTION_NOT_LATEST";
    case kSubscriptionGroupNotExist:
      return "SUBSCRIPTION_GROUP_NOT_EXIST";
    case kFilterDataNotExist:
      return "FILTER_DATA_NOT_EXIST";
    case kFilterDataNotLatest:
      return "FILTER_DATA_NOT_LATEST";
    case kInvalidParameter:
      return "INVALID_PARAMETER";
    case kConsumerNotOnline:
      return "CONSUMER_NOT_ONLINE";
    case kNoMessage:
      return "NO_MESSAGE";
    case kPollingFull:
      return "POLLING_FULL";
    case kPollingTimeout:
      return "POLLING_TIMEOUT";
    case kConsumeMsgTimeout:
      return "CONSUME_MSG_TIMEOUT";
    case kIllegalOperation:
      return "ILLEGAL_OPERATION";
    default:
      return "UNKNOWN";
  }
}

const char* request_name(std::int32_t code) noexcept {
  switch (code) {
    case kSendMessage:
      return "SEND_MESSAGE";
    case kPullMessage:
      return "PULL_MESSAGE";
    case kQueryMessage:
      return "QUERY_MESSAGE";
    case kQueryConsumerOffset:
      return "QUERY_CONSUMER_OFFSET";
    case kUpdateConsumerOffset:
      return "UPDATE_CONSUMER_OFFSET";
    case kUpdateAndCreateTopic:
      return "UPDATE_AND_CREATE_TOPIC";
    case kUpdateAndCreateTopicList:
      return "UPDATE_AND_CREATE_TOPIC_LIST";
    case kGetAllTopicConfig:
      return "GET_ALL_TOPIC_CONFIG";
    case kUpdateBrokerConfig:
      return "UPDATE_BROKER_CONFIG";
    case kGetBrokerConfig:
      return "GET_BROKER_CONFIG";
    case kGetBrokerRuntimeInfo:
      return "GET_BROKER_RUNTIME_INFO";
    case kSearchOffsetByTimestamp:
      return "SEARCH_OFFSET_BY_TIMESTAMP";
    case kGetMaxOffset:
      return "GET_MAX_OFFSET";
    case kGetMinOffset:
      return "GET_MIN_OFFSET";
    case kGetEarliestMsgStoretime:
      return "GET_EARLIEST_MSG_STORETIME";
    case kViewMessageById:
      return "VIEW_MESSAGE_BY_ID";
    case kHeartBeat:
      return "HEART_BEAT";
    case kUnregisterClient:
      return "UNREGISTER_CLIENT";
    case kConsumerSendMsgBack:
      return "CONSUMER_SEND_MSG_BACK";
    case kEndTransaction:
      return "END_TRANSACTION";
    case kGetConsumerListByGroup:
      return "GET_CONSUMER_LIST_BY_GROUP";
    case kCheckTransactionState:
      return "CHECK_TRANSACTION_STATE";
    case kNotifyConsumerIdsChanged:
      return "NOTIFY_CONSUMER_IDS_CHANGED";
    case kLockBatchMq:
      return "LOCK_BATCH_MQ";
    case kUnlockBatchMq:
      return "UNLOCK_BATCH_MQ";
    case kGetAllConsumerOffset:
      return "GET_ALL_CONSUMER_OFFSET";
    case kCheckClientConfig:
      return "CHECK_CLIENT_CONFIG";
    case kGetRouteInfoByTopic:
      return "GET_ROUTEINFO_BY_TOPIC";
    case kGetBrokerClusterInfo:
      return "GET_BROKER_CLUSTER_INFO";
    case kUpdateAndCreateSubscriptionGroup:
      return "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP";
    case kGetAllSubscriptionGroupConfig:
      return "GET_ALL_SUBSCRIPTIONGROUP_CONFIG";
    case kGetTopicStatsInfo:
      return "GET_TOPIC_STATS_INFO";
    case kGetConsumerConnectionList:
      return "GET_CONSUMER_CONNECTION_LIST";
    case kGetProducerConnectionList:
      return "GET_PRODUCER_CONNECTION_LIST";
    case kGetAllTopicListFromNameserver:
      return "GET_ALL_TOPIC_LIST_FROM_NAMESERVER";
    case kDeleteSubscriptionGroup:
      return "DELETE_SUBSCRIPTIONGROUP";
    case kGetConsumeStats:
      return "GET_CONSUME_STATS";
    case kDeleteTopicInBroker:
      return "DELETE_TOPIC_IN_BROKER";
    case kDeleteTopicInNamesrv:
      return "DELETE_TOPIC_IN_NAMESRV";
    case kResetConsumerClientOffset:
      return "RESET_CONSUMER_CLIENT_OFFSET";
    case kGetConsumerStatusFromClient:
      return "GET_CONSUMER_STATUS_FROM_CLIENT";
    case kInvokeBrokerToResetOffset:
      return "INVOKE_BROKER_TO_RESET_OFFSET";
    case kInvokeBrokerToGetConsumerStatus:
      return "INVOKE_BROKER_TO_GET_CONSUMER_STATUS";
    case kGetTopicsByCluster:
      return "GET_TOPICS_BY_CLUSTER";
    case kUpdateAndCreateSubscriptionGroupList:
      return "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST";
    case kQueryTopicConsumeByWho:
      return "QUERY_TOPIC_CONSUME_BY_WHO";
    case kQueryConsumeTimeSpan:
      return "QUERY_CONSUME_TIME_SPAN";
    case kGetSystemTopicListFromNs:
      return "GET_SYSTEM_TOPIC_LIST_FROM_NS";
    case kGetSystemTopicListFromBroker:
      return "GET_SYSTEM_TOPIC_LIST_FROM_BROKER";
    case kGetConsumerRunningInfo:
      return "GET_CONSUMER_RUNNING_INFO";
    case kQueryCorrectionOffset:
      return "QUERY_CORRECTION_OFFSET";
    case kConsumeMessageDirectly:
      return "CONSUME_MESSAGE_DIRECTLY";
    case kSendMessageV2:
      return "SEND_MESSAGE_V2";
    case kCloneGroupOffset:
      return "CLONE_GROUP_OFFSET";
    case kViewBrokerStatsData:
      return "VIEW_BROKER_STATS_DATA";
    case kGetBrokerConsumeStats:
      return "GET_BROKER_CONSUME_STATS";
    case kSendBatchMessage:
      return "SEND_BATCH_MESSAGE";
    case kQueryConsumeQueue:
      return "QUERY_CONSUME_QUEUE";
    case kResumeCheckHalfMessage:
      return "RESUME_CHECK_HALF_MESSAGE";
    case kSendReplyMessage:
      return "SEND_REPLY_MESSAGE";
    case kSendReplyMessageV2:
      return "SEND_REPLY_MESSAGE_V2";
    case kPushReplyMessageToClient:
      return "PUSH_REPLY_MESSAGE_TO_CLIENT";
    case kGetAllProducerInfo:
      return "GET_ALL_PRODUCER_INFO";
    case kDeleteExpiredCommitlog:
      return "DELETE_EXPIRED_COMMITLOG";
    case kQueryTopicsByConsumer:
      return "QUERY_TOPICS_BY_CONSUMER";
    case kQuerySubscriptionByConsumer:
      return "QUERY_SUBSCRIPTION_BY_CONSUMER";
    case kGetTopicConfig:
      return "GET_TOPIC_CONFIG";
    case kGetSubscriptionGroupConfig:
      return "GET_SUBSCRIPTIONGROUP_CONFIG";
    case kUpdateAndGetGroupForbidden:
      return "UPDATE_AND_GET_GROUP_FORBIDDEN";
    case kLitePullMessage:
      return "LITE_PULL_MESSAGE";
    case kQueryAssignment:
      return "QUERY_ASSIGNMENT";
    case kSetMessageRequestMode:
      return "SET_MESSAGE_REQUEST_MODE";
    case kGetAllMessageRequestMode:
      return "GET_ALL_MESSAGE_REQUEST_MODE";
    case kAuthCreateUser:
      return "AUTH_CREATE_USER";
    case kAuthUpdateUser:
      return "AUTH_UPDATE_USER";
    case kAuthDeleteUser:
      return "AUTH_DELETE_USER";
    case kAuthGetUser:
      return "AUTH_GET_USER";
    case kAuthListUser:
      return "AUTH_LIST_USER";
    case kAuthCreateAcl:
      return "AUTH_CREATE_ACL";
    case kAuthUpdateAcl:
      return "AUTH_UPDATE_ACL";
    case kAuthDeleteAcl:
      return "AUTH_DELETE_ACL";
    case kAuthGetAcl:
      return "AUTH_GET_ACL";
    case kAuthListAcl:
      return "AUTH_LIST_ACL";
    case kPopMessage:
      return "POP_MESSAGE";
    case kAckMessage:
      return "ACK_MESSAGE";
    case kPeekMessage:
      return "PEEK_MESSAGE";
    case kChangeMessageInvisibleTime:
      return "CHANGE_MESSAGE_INVISIBLETIME";
    case kNotification:
      return "NOTIFICATION";
    case kPollingInfo:
      return "POLLING_INFO";
    case kBatchAckMessage:
      return "BATCH_ACK_MESSAGE";
    case kRecallMessage:
      return "RECALL_MESSAGE";
    case kGetTimerCheckPoint:
      return "GET_TIMER_CHECK_POINT";
    case kGetTimerMetrics:
      return "GET_TIMER_METRICS";
    case kPutKvConfig:
      return "PUT_KV_CONFIG";
    case kGetKvConfig:
      return "GET_KV_CONFIG";
    case kDeleteKvConfig:
      return "DELETE_KV_CONFIG";
    case kRegisterBroker:
      return "REGISTER_BROKER";
    case kUnregisterBroker:
      return "UNREGISTER_BROKER";
    case kWipeWritePermOfBroker:
      return "WIPE_WRITE_PERM_OF_BROKER";
    case kRegisterTopicInNamesrv:
      return "REGISTER_TOPIC_IN_NAMESRV";
    case kGetKvlistByNamespace:
      return "GET_KVLIST_BY_NAMESPACE";
    case kGetUnitTopicList:
      return "GET_UNIT_TOPIC_LIST";
    case kGetHasUnitSubTopicList:
      return "GET_HAS_UNIT_SUB_TOPIC_LIST";
    case kGetHasUnitSubUnunitTopicList:
      return "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST";
    case kUpdateNamesrvConfig:
      return "UPDATE_NAMESRV_CONFIG";
    case kGetNamesrvConfig:
      return "GET_NAMESRV_CONFIG";
    case kQueryDataVersion:
      return "QUERY_DATA_VERSION";
    case kAddWritePermOfBroker:
      return "ADD_WRITE_PERM_OF_BROKER";
    case kGetBrokerMemberGroup:
      return "GET_BROKER_MEMBER_GROUP";
    case kBrokerHeartbeat:
      return "BROKER_HEARTBEAT";
    case kNotifyMinBrokerIdChange:
      return "NOTIFY_MIN_BROKER_ID_CHANGE";
    case kCleanExpiredConsumequeue:
      return "CLEAN_EXPIRED_CONSUMEQUEUE";
    case kCleanUnusedTopic:
      return "CLEAN_UNUSED_TOPIC";
    case kGetBrokerHaStatus:
      return "GET_BROKER_HA_STATUS";
    case kResetMasterFlushOffset:
      return "RESET_MASTER_FLUSH_OFFSET";
    default:
      return "UNKNOWN";
  }
}

}  // namespace mq::wire
