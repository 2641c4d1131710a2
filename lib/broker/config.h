// The broker's configuration: the keys of a stock broker.conf (`key=value` lines), values checked
// and never bent, plus what the command line says. Pure: reads text, touches no file but the store
// that adopt_store_sizes looks at.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/live.h"
#include "base/result.h"
#include "broker/access_config.h"
#include "fs/fs.h"
#include "net/tls.h"
#include "store/message_store.h"

namespace mq::broker {

struct BrokerConfig {
  store::StoreOptions store;  // fs and clock are left for main to set

  std::string cluster = "DefaultCluster";     // brokerClusterName
  std::string name = "DEFAULT_BROKER";        // brokerName
  std::int64_t id = 0;                        // brokerId
  std::string ip = "127.0.0.1";               // brokerIP1: what records and routes say
  std::int32_t listen_port = 10911;           // listenPort
  Live<std::int32_t> perm = 6;                // brokerPermission
  std::string region = "DefaultRegion";       // regionId
  Live<bool> trace_on = true;                 // traceOn
  std::string namesrv_addr;                   // namesrvAddr
  std::string ha_ip;                          // brokerIP2; empty: as ip
  std::int32_t ha_listen_port = 0;            // haListenPort; 0: listenPort + 1
  std::int64_t register_period_ms = 30'000;   // registerNameServerPeriod
  std::int64_t register_timeout_ms = 24'000;  // registerBrokerTimeoutMills
  bool force_register = true;                 // forceRegister
  bool compressed_register = false;           // compressedRegister
  bool slave_acting_master = false;           // enableSlaveActingMaster
  std::int64_t broker_heartbeat_ms = 1000;    // brokerHeartbeatInterval
  std::int64_t broker_silence_ms = 10'000;    // brokerNotActiveTimeoutMillis

  Live<bool> auto_create_topic = true;                 // autoCreateTopicEnable
  std::int32_t default_topic_queues = 8;               // defaultTopicQueueNums
  Live<bool> auto_create_group = true;                 // autoCreateSubscriptionGroup
  bool create_system_groups = true;                    // enableCreateSysGroup
  bool cluster_topic_enable = true;                    // clusterTopicEnable
  bool broker_topic_enable = true;                     // brokerTopicEnable
  bool trace_topic_enable = false;                     // traceTopicEnable
  std::string trace_topic = "RMQ_SYS_TRACE_TOPIC";     // msgTraceTopicName
  std::int32_t revive_queues = 8;                      // reviveQueueNum
  bool timer_wheel_enable = true;                      // timerWheelEnable
  bool lmq_enable = false;                             // enableLmq
  bool multi_dispatch_enable = false;                  // enableMultiDispatch
  Live<bool> mixed_topics = false;                     // enableMixedMessageType
  Live<bool> check_message_types = false;              // enableTopicMessageTypeCheck
  Live<bool> lite_pull_enable = true;                  // litePullMessageEnable
  Live<bool> reject_transactions = false;              // rejectTransactionMessage
  Live<std::int64_t> accept_sends_from_ms = 0;         // startAcceptSendRequestTimeStamp
  Live<bool> fast_failure = true;                      // brokerFastFailureEnable
  Live<std::int64_t> send_wait_max_ms = 200;           // waitTimeMillsInSendQueue
  std::int64_t sends_waiting_max = 10'000;             // sendThreadPoolQueueCapacity
  Live<bool> long_polling = true;                      // longPollingEnable
  Live<std::int64_t> short_polling_ms = 1000;          // shortPollingTimeMills
  bool property_filter = false;                        // enablePropertyFilter
  bool filter_retry = false;                           // filterSupportRetry
  std::int32_t filter_bloom_expected = 32;             // expectConsumerNumUseFilter
  std::int32_t filter_bloom_error_percent = 20;        // maxErrorRateOfBloomFilter
  std::int64_t filter_dead_kept_ms = 86'400'000;       // filterDataCleanTimeSpan
  Live<std::int64_t> offset_flush_interval_ms = 5000;  // flushConsumerOffsetInterval
  bool store_replies = true;                           // storeReplyMessageEnable
  bool server_side_reset = true;                       // useServerSideResetOffset
  std::int64_t idle_seconds = 120;                     // serverChannelMaxIdleTimeSeconds
  std::int32_t net_threads = 1;                        // serverSelectorThreads
  Live<std::int32_t> query_count_max = 32;             // defaultQueryMaxNum

  // Pop consumption.
  std::int32_t pop_from_retry_percent = 20;  // popFromRetryProbability
  bool retry_topic_v2 = false;               // enableRetryTopicV2
  bool read_retry_topic_v1 = true;           // retrieveMessageFromPopRetryTopicV1
  bool pop_actual_retry_topic = false;       // popResponseReturnActualRetryTopic
  bool pop_init_by_memory = true;            // initPopOffsetByCheckMsgInMem
  bool pop_drop_unreadable = false;          // skipWhenCKRePutReachMaxTimes
  std::int64_t pop_polls_each_max = 1024;    // popPollingSize
  std::int64_t pop_polls_max = 100'000;      // maxPopPollingSize
  bool assign_queues = true;                 // serverLoadBalancerEnable
  bool pop_by_default = false;               // defaultMessageRequestMode
  std::int32_t pop_share_queues = -1;        // defaultPopShareQueueNum

  // What is delivered at its time.
  std::int64_t delay_offset_flush_interval_ms = 10'000;  // flushDelayOffsetInterval
  std::int64_t timer_log_file_bytes = 104'857'600;       // mappedFileSizeTimerLog
  std::int64_t timer_precision_ms = 1000;                // timerPrecisionMs
  std::int64_t timer_roll_slots = 172'800;               // timerRollWindowSlot
  std::int64_t timer_delay_max_s = 259'200;              // timerMaxDelaySec
  std::int64_t timer_flush_interval_ms = 1000;           // timerFlushIntervalMs
  std::int64_t timer_congested_at = 2'147'483'647;       // timerCongestNumEachSlot
  Live<bool> recall_enable = false;                      // recallMessageEnable

  // Transactions that nobody ends.
  std::int64_t transaction_timeout_ms = 6000;           // transactionTimeOut
  std::int32_t transaction_checks_max = 15;             // transactionCheckMax
  std::int64_t transaction_check_interval_ms = 30'000;  // transactionCheckInterval
  std::int32_t transaction_done_bytes_max = 4096;       // transactionOpMsgMaxSize
  std::int64_t transaction_done_interval_ms = 3000;     // transactionOpBatchInterval
  std::int64_t transaction_count_interval_ms = 3000;    // transactionMetricFlushInterval

  net::TlsOptions tls;  // tls.*
  AccessConfig access;
};

// One key that acts: how it is read and shown.
struct ConfigKey {
  const char* name;
  const char* meaning;  // one line, for the man page and --print-config
  Result<void> (*set)(BrokerConfig& config, std::string_view value);
  std::string (*get)(const BrokerConfig& config);
};
[[nodiscard]] const std::vector<ConfigKey>& config_keys();
// A truth as the keys take it. Errors: kInvalid.
Result<bool> parse_bool(std::string_view value);
// Keys of the reference that have no meaning here; they are named once and passed over.
[[nodiscard]] bool is_known_without_meaning(std::string_view name);

// Calls `take(key, value, "NAME:LINE")` for each `key=value` line of `text`; `#` and `!` start
// comment lines, blanks around key and value are dropped. Errors: kInvalid with the line, and
// take's.
Result<void> for_each_setting(
    std::string_view text, std::string_view name,
    const std::function<Result<void>(std::string_view key, std::string_view value,
                                     std::string_view origin)>& take);
// Contradictions between values that can change while running. Errors: kInvalid.
Result<void> check_together(const BrokerConfig& config);

class Settings {
 public:
  // One `key=value`; `origin` ("broker.conf:12", "-o") is kept for messages. Errors: kInvalid with
  // what is wrong and, for an unknown key, the nearest known ones.
  Result<void> set(std::string_view key, std::string_view value, std::string_view origin);
  // A whole file. Errors: as set, with the line.
  Result<void> parse(std::string_view text, std::string_view file_name);

  [[nodiscard]] const BrokerConfig& config() const noexcept { return config_; }
  [[nodiscard]] BrokerConfig& config() noexcept { return config_; }
  [[nodiscard]] bool was_set(std::string_view key) const {
    return origins_.find(key) != origins_.end();
  }
  // Where the key's value comes from; "" while it is the default.
  [[nodiscard]] std::string_view origin_of(std::string_view key) const {
    const auto at = origins_.find(key);
    return at == origins_.end() ? std::string_view() : at->second;
  }
  // Known keys without meaning here that were given, in order.
  [[nodiscard]] const std::vector<std::string>& without_meaning() const noexcept {
    return without_meaning_;
  }
  // `key=value` lines of every acting key, or of those that were set, with where from.
  [[nodiscard]] std::string print(bool changed_only) const;
  // Contradictions between values. Errors: kInvalid.
  Result<void> check() const;

  // File sizes are not stored in a store, and opening it with others would misread it: those that
  // were not set are taken from the files that are there; and whether it has light queues. Returns
  // what was adopted, a line each.
  std::vector<std::string> adopt_store_sizes(fs::Fs& fs);

 private:
  BrokerConfig config_;
  std::map<std::string, std::string, std::less<>> origins_;
  std::vector<std::string> without_meaning_;
};

// `$key=value` as Java's Properties would write it, for R(26).
[[nodiscard]] std::string to_properties_text(const BrokerConfig& config);

}  // namespace mq::broker
