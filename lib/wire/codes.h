// Request and response codes (remoting.md sections 2 and 3), with the names that errors print.
#pragma once

#include <cstdint>

namespace mq::wire {

enum RequestCode : std::int32_t {
  kSendMessage = 10,
  kPullMessage = 11,
  kQueryMessage = 12,
  kQueryConsumerOffset = 14,
  kUpdateConsumerOffset = 15,
  kUpdateAndCreateTopic = 17,
  kUpdateAndCreateTopicList = 18,
  kGetAllTopicConfig = 21,
  kUpdateBrokerConfig = 25,
  kGetBrokerConfig = 26,
  kGetBrokerRuntimeInfo = 28,
  kSearchOffsetByTimestamp = 29,
  kGetMaxOffset = 30,
  kGetMinOffset = 31,
  kGetEarliestMsgStoretime = 32,
  kViewMessageById = 33,
  kHeartBeat = 34,
  kUnregisterClient = 35,
  kGetConsumerListByGroup = 38,
  kNotifyConsumerIdsChanged = 40,  // to clients
  kLockBatchMq = 41,
  kUnlockBatchMq = 42,
  kGetAllConsumerOffset = 43,
  kCheckClientConfig = 46,
  kGetRouteInfoByTopic = 105,
  kGetBrokerClusterInfo = 106,
  kUpdateAndCreateSubscriptionGroup = 200,
  kGetAllSubscriptionGroupConfig = 201,
  kGetTopicStatsInfo = 202,
  kGetConsumerConnectionList = 203,
  kGetProducerConnectionList = 204,
  kGetAllTopicListFromNameserver = 206,
  kDeleteSubscriptionGroup = 207,
  kDeleteTopicInBroker = 215,
  kDeleteTopicInNamesrv = 216,
  kGetTopicsByCluster = 224,
  kUpdateAndCreateSubscriptionGroupList = 225,
  kQueryTopicConsumeByWho = 300,
  kGetSystemTopicListFromNs = 304,
  kGetSystemTopicListFromBroker = 305,
  kSendMessageV2 = 310,
  kViewBrokerStatsData = 315,
  kSendBatchMessage = 320,
  kQueryConsumeQueue = 321,
  kGetAllProducerInfo = 328,
  kDeleteExpiredCommitlog = 329,
  kQueryTopicsByConsumer = 343,
  kQuerySubscriptionByConsumer = 345,
  kGetTopicConfig = 351,
  kGetSubscriptionGroupConfig = 352,
  kUpdateAndGetGroupForbidden = 353,
  kLitePullMessage = 361,
};

enum ResponseCode : std::int32_t {
  kSuccess = 0,
  kSystemError = 1,
  kSystemBusy = 2,
  kRequestCodeNotSupported = 3,
  kFlushDiskTimeout = 10,
  kSlaveNotAvailable = 11,
  kFlushSlaveTimeout = 12,
  kMessageIllegal = 13,
  kServiceNotAvailable = 14,
  kNoPermission = 16,
  kTopicNotExist = 17,
  kPullNotFound = 19,
  kPullRetryImmediately = 20,
  kPullOffsetMoved = 21,
  kQueryNotFound = 22,
  kSubscriptionParseFailed = 23,
  kSubscriptionNotExist = 24,
  kSubscriptionNotLatest = 25,
  kSubscriptionGroupNotExist = 26,
  kFilterDataNotExist = 27,
  kFilterDataNotLatest = 28,
  kInvalidParameter = 29,
  kConsumerNotOnline = 206,
};

[[nodiscard]] const char* response_name(
    std::int32_t code) noexcept;  // "SERVICE_NOT_AVAILABLE"; "UNKNOWN"
[[nodiscard]] const char* request_name(std::int32_t code) noexcept;

}  // namespace mq::wire
