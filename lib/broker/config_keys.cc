#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "broker/config.h"
#include "format/delay_levels.h"
#include "net/tls_keys.h"

namespace mq::broker {
namespace {

Result<std::int64_t> parse_int(std::string_view value, std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size()) {
    return Error{Errc::kInvalid, fmt::format("'{}' is not a whole number", value)};
  }
  if (number < min || number > max) {
    return Error{Errc::kInvalid, fmt::format("{} is outside {}..{}", number, min, max)};
  }
  return number;
}

// A member, or a member of `store`, as a key. A macro because the table needs plain functions of a
// member it names.
#define MQ_TEXT(key, member, meaning)                               \
  ConfigKey {                                                       \
    key, meaning,                                                   \
        [](BrokerConfig& c, std::string_view v) -> Result<void> {   \
          return c.member = v, Result<void>();                      \
        },                                                          \
        [](const BrokerConfig& c) { return std::string(c.member); } \
  }
#define MQ_BOOL(key, member, meaning)                                                  \
  ConfigKey {                                                                          \
    key, meaning,                                                                      \
        [](BrokerConfig& c, std::string_view v) -> Result<void> {                      \
          MQ_TRY(c.member, parse_bool(v));                                             \
          return {};                                                                   \
        },                                                                             \
        [](const BrokerConfig& c) { return std::string(c.member ? "true" : "false"); } \
  }
#define MQ_INT(key, member, min, max, meaning)                         \
  ConfigKey {                                                          \
    key, meaning,                                                      \
        [](BrokerConfig& c, std::string_view v) -> Result<void> {      \
          MQ_TRY(const std::int64_t number, parse_int(v, min, max));   \
          c.member = static_cast<decltype(+c.member)>(number);         \
          return {};                                                   \
        },                                                             \
        [](const BrokerConfig& c) { return std::to_string(c.member); } \
  }

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kGiB = 1LL << 30;
constexpr std::int64_t kTimerDelayMaxS = 10LL * 365 * 86'400;
constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

Result<void> set_flush_mode(BrokerConfig& c, std::string_view v) {
  if (v == "ASYNC_FLUSH") return c.store.flush_mode = store::FlushMode::kAsync, Result<void>();
  if (v == "SYNC_FLUSH") return c.store.flush_mode = store::FlushMode::kSync, Result<void>();
  return Error{Errc::kInvalid, fmt::format("'{}' is neither ASYNC_FLUSH nor SYNC_FLUSH", v)};
}

Result<void> set_role(BrokerConfig&, std::string_view v) {
  if (v == "ASYNC_MASTER" || v == "SYNC_MASTER") return {};
  if (v == "SLAVE") return Error{Errc::kInvalid, "SLAVE: replication is not built yet"};
  return Error{Errc::kInvalid, fmt::format("'{}' is not a role", v)};
}

Result<void> set_store_type(BrokerConfig&, std::string_view v) {
  if (v == "default") return {};
  return Error{Errc::kInvalid, fmt::format("'{}': only the file store is supported", v)};
}

// Rounded up to whole entries, as the reference does it.
template <std::int64_t kEntryBytes, std::int64_t store::StoreOptions::*kMember>
Result<void> set_queue_file_bytes(BrokerConfig& c, std::string_view v) {
  MQ_TRY(const std::int64_t bytes, parse_int(v, kEntryBytes, kGiB));
  c.store.*kMember = (bytes + kEntryBytes - 1) / kEntryBytes * kEntryBytes;
  return {};
}

Result<void> set_request_mode(BrokerConfig& c, std::string_view v) {
  if (v != "PULL" && v != "POP")
    return Error{Errc::kInvalid, fmt::format("'{}' is neither PULL nor POP", v)};
  c.pop_by_default = v == "POP";
  return {};
}

Result<void> set_delete_when(BrokerConfig& c, std::string_view v) {
  std::string_view rest = v;
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    MQ_CHECK(parse_int(rest.substr(0, end), 0, 23));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  c.store.delete_when = v;
  return {};
}

Result<void> set_delay_levels(BrokerConfig& c, std::string_view v) {
  MQ_CHECK(format::DelayLevels::parse(v));
  c.store.message_delay_level = v;
  return {};
}

Result<void> set_timer_precision(BrokerConfig& c, std::string_view v) {
  MQ_TRY(const std::int64_t ms, parse_int(v, 100, 1000));
  if (ms != 100 && ms != 200 && ms != 500 && ms != 1000)
    return Error{Errc::kInvalid, fmt::format("{} is none of 100, 200, 500, 1000", ms)};
  c.timer_precision_ms = ms;
  return {};
}

template <std::size_t I>
ConfigKey tls_key() {
  const net::TlsKey& key = net::tls_keys()[I];
  return {key.name, key.meaning,
          [](BrokerConfig& c, std::string_view v) { return net::tls_keys()[I].set(c.tls, v); },
          [](const BrokerConfig& c) { return net::tls_keys()[I].get(c.tls); }};
}
template <std::size_t... I>
void add_tls_keys(std::vector<ConfigKey>& keys, std::index_sequence<I...>) {
  (keys.push_back(tls_key<I>()), ...);
}

std::vector<ConfigKey> make_keys() {
  return {
      MQ_TEXT("brokerClusterName", cluster, "name of the cluster"),
      MQ_TEXT("brokerName", name, "name of this broker, the same for a master and its slaves"),
      MQ_INT("brokerId", id, 0, kInt32Max, "0 is the master"),
      MQ_TEXT("brokerIP1", ip, "address that clients are told and that records carry"),
      MQ_INT("listenPort", listen_port, 0, 65535, "port of the default listener on loopback"),
      MQ_INT("brokerPermission", perm, 0, 7, "4 read, 2 write"),
      MQ_TEXT("regionId", region, "property MSG_REGION of stored messages"),
      MQ_BOOL("traceOn", trace_on, "property TRACE_ON of stored messages"),
      MQ_TEXT("namesrvAddr", namesrv_addr, "name servers to register with, ';' between"),
      MQ_INT("registerNameServerPeriod", register_period_ms, 10'000, 60'000,
             "ms between two full registrations"),
      MQ_INT("registerBrokerTimeoutMills", register_timeout_ms, 100, kDayMs,
             "ms that one registration may take"),
      MQ_BOOL("forceRegister", force_register,
              "register in full without asking the name server whether its version differs"),
      MQ_BOOL("compressedRegister", compressed_register, "compress registrations"),
      MQ_BOOL("enableSlaveActingMaster", slave_acting_master,
              "tell name servers that a slave may act for this master, and send heartbeats"),
      MQ_INT("brokerHeartbeatInterval", broker_heartbeat_ms, 100, kDayMs,
             "ms between heartbeats to name servers"),
      MQ_INT("brokerNotActiveTimeoutMillis", broker_silence_ms, 1000, kDayMs,
             "ms of silence after which name servers take an acting-master broker out"),
      MQ_TEXT("brokerIP2", ha_ip, "address that replicas are told; empty: brokerIP1"),
      MQ_INT("haListenPort", ha_listen_port, 0, 65535,
             "port that replicas are told; 0: listenPort + 1"),
      ConfigKey{"brokerRole", "ASYNC_MASTER; SYNC_MASTER is taken as the same without slaves",
                set_role, [](const BrokerConfig&) { return std::string("ASYNC_MASTER"); }},
      ConfigKey{"storeType", "default: the file store", set_store_type,
                [](const BrokerConfig&) { return std::string("default"); }},

      MQ_TEXT("storePathRootDir", store.root, "directory of the store"),
      MQ_TEXT("storePathCommitLog", store.commit_log_path,
              "directory of the commit log, if elsewhere"),
      MQ_INT("mappedFileSizeCommitLog", store.commit_log_file_bytes, 4096, 4 * kGiB,
             "bytes of a commit log file"),
      ConfigKey{
          "mappedFileSizeConsumeQueue", "bytes of a consume queue file, rounded up to 20",
          set_queue_file_bytes<20, &store::StoreOptions::consume_queue_file_bytes>,
          [](const BrokerConfig& c) { return std::to_string(c.store.consume_queue_file_bytes); }},
      ConfigKey{
          "mapperFileSizeBatchConsumeQueue",
          "bytes of a file of a topic with queue.type=BatchCQ, rounded up to 46",
          set_queue_file_bytes<46, &store::StoreOptions::batch_queue_file_bytes>,
          [](const BrokerConfig& c) { return std::to_string(c.store.batch_queue_file_bytes); }},
      MQ_INT("maxHashSlotNum", store.index_shape.slots, 1, 100'000'000,
             "hash slots of an index file"),
      MQ_INT("maxIndexNum", store.index_shape.entries, 2, 100'000'000, "entries of an index file"),
      MQ_BOOL("messageIndexEnable", store.index_enable, "index keys"),
      MQ_INT("maxMessageSize", store.message_bytes_max, 10, 1 << 30, "largest body, bytes"),
      ConfigKey{"flushDiskType", "ASYNC_FLUSH, or SYNC_FLUSH: acknowledge after fsync",
                set_flush_mode,
                [](const BrokerConfig& c) {
                  return std::string(c.store.flush_mode == store::FlushMode::kSync ? "SYNC_FLUSH"
                                                                                   : "ASYNC_FLUSH");
                }},
      MQ_INT("flushIntervalCommitLog", store.flush_interval_ms, 1, kDayMs,
             "ms between asynchronous flushes"),
      MQ_INT("flushCommitLogLeastPages", store.flush_least_pages, 0, 1 << 20,
             "4 KiB pages that make a flush worth it"),
      MQ_INT("flushCommitLogThoroughInterval", store.flush_thorough_interval_ms, 1, kDayMs,
             "ms between full flushes"),
      MQ_INT("flushIntervalConsumeQueue", store.queue_flush_interval_ms, 1, kDayMs,
             "ms between queue flushes"),
      MQ_INT("flushConsumeQueueThoroughInterval", store.queue_flush_thorough_interval_ms, 1, kDayMs,
             "ms between full queue flushes"),
      MQ_INT("syncFlushTimeout", store.sync_flush_timeout_ms, 1, kDayMs, "ms to wait for an fsync"),
      MQ_BOOL("checkCRCOnRecover", store.check_crc_on_recover, "check bodies while recovering"),
      MQ_BOOL("warmMapedFileEnable", store.warm_files, "touch a whole new file at once"),
      MQ_BOOL("lockMappedFile", store.lock_files, "mlock the file being written (our own key)"),
      ConfigKey{"messageDelayLevel", "delays of the classic levels", set_delay_levels,
                [](const BrokerConfig& c) { return c.store.message_delay_level; }},
      ConfigKey{"deleteWhen", "hours of the day when expired files go, ';' between",
                set_delete_when, [](const BrokerConfig& c) { return c.store.delete_when; }},
      MQ_INT("fileReservedTime", store.file_reserved_hours, 0, 100'000'000,
             "hours that a full commit log file is kept"),
      MQ_INT("cleanResourceInterval", store.clean_interval_ms, 10, kDayMs,
             "ms between looks at what has expired"),
      MQ_INT("deleteCommitLogFilesInterval", store.delete_files_interval_ms, 0, kDayMs,
             "ms between two deletions"),
      MQ_INT("deleteFileBatchMax", store.delete_batch_max, 1, 100'000, "files deleted in one go"),
      MQ_INT("destroyMapedFileIntervalForcibly", store.destroy_forcibly_ms, 0, kDayMs,
             "ms after which a reader no longer keeps a deleted file"),
      MQ_INT("diskMaxUsedSpaceRatio", store.disk_used_percent_max, 10, 95,
             "percent of disk: expired files go at any hour"),
      MQ_INT("diskSpaceCleanForciblyRatio", store.disk_clean_percent, 30, 99,
             "percent of disk: unexpired files go"),
      MQ_INT("diskSpaceWarningLevelRatio", store.disk_warning_percent, 35, 99,
             "percent of disk: writes are refused"),
      MQ_BOOL("cleanFileForciblyEnable", store.clean_forcibly,
              "may unexpired files go for want of space (off: a full disk refuses writes instead)"),
      MQ_INT("osPageCacheBusyTimeOutMills", store.page_cache_busy_ms, 1, kDayMs,
             "ms of held append lock that mean busy"),
      MQ_BOOL("brokerFastFailureEnable", fast_failure,
              "refuse sends that stand behind one that is held up"),
      MQ_INT("waitTimeMillsInSendQueue", send_wait_max_ms, 1, kDayMs,
             "ms that a send may be held up by those before it"),
      MQ_INT("sendThreadPoolQueueCapacity", sends_waiting_max, 1, kInt32Max,
             "sends that wait for a slow disk at once"),
      MQ_INT("dispatchBacklogMax", store.dispatch_backlog_max, 1000, kGiB,
             "records not yet dispatched that slow puts (our own key)"),
      MQ_INT("maxTransferCountOnMessageInMemory", store.transfer_count_memory_max, 1, 1 << 20,
             "messages of one pull"),
      MQ_INT("maxTransferBytesOnMessageInMemory", store.transfer_bytes_memory_max, 1, kGiB,
             "bytes of one pull"),
      MQ_INT("maxTransferCountOnMessageInDisk", store.transfer_count_disk_max, 1, 1 << 20,
             "messages of one pull from disk"),
      MQ_INT("maxTransferBytesOnMessageInDisk", store.transfer_bytes_disk_max, 1, kGiB,
             "bytes of one pull from disk"),
      MQ_INT("maxFilterMessageSize", store.filter_bytes_max, 20, kGiB,
             "bytes of queue entries scanned by one pull"),
      MQ_INT("accessMessageInMemoryMaxRatio", store.memory_percent_max, 1, 100,
             "percent of memory that counts as in memory"),

      MQ_BOOL("autoCreateTopicEnable", auto_create_topic, "create unknown topics on send"),
      MQ_INT("defaultTopicQueueNums", default_topic_queues, 1, 4096, "queues of TBW102"),
      MQ_BOOL("autoCreateSubscriptionGroup", auto_create_group, "take unknown consumer groups"),
      MQ_BOOL("enableCreateSysGroup", create_system_groups,
              "take unknown groups of the system's own (CID_RMQ_SYS_)"),
      MQ_BOOL("clusterTopicEnable", cluster_topic_enable, "the cluster's own topic can be written"),
      MQ_BOOL("brokerTopicEnable", broker_topic_enable, "the broker's own topic can be written"),
      MQ_BOOL("traceTopicEnable", trace_topic_enable, "create the trace topic"),
      MQ_TEXT("msgTraceTopicName", trace_topic, "name of the trace topic"),
      MQ_INT("reviveQueueNum", revive_queues, 1, 4096, "queues of the pop revive topic"),
      MQ_INT("popFromRetryProbability", pop_from_retry_percent, 0, 100,
             "percent of pops that look at the retry topic first"),
      MQ_BOOL("enableRetryTopicV2", retry_topic_v2, "retries of pops go to %RETRY%group+topic"),
      MQ_BOOL("retrieveMessageFromPopRetryTopicV1", read_retry_topic_v1,
              "pops read %RETRY%group_topic, too, when retries go to the other"),
      MQ_BOOL("popResponseReturnActualRetryTopic", pop_actual_retry_topic,
              "popped retries say their retry topic"),
      MQ_BOOL("initPopOffsetByCheckMsgInMem", pop_init_by_memory,
              "a new group that wants the end of a young queue gets its beginning"),
      MQ_BOOL("skipWhenCKRePutReachMaxTimes", pop_drop_unreadable,
              "give up popped messages that cannot be read for hours"),
      MQ_INT("popPollingSize", pop_polls_each_max, 0, kInt32Max,
             "waiting pops of one topic, group and queue"),
      MQ_INT("maxPopPollingSize", pop_polls_max, 0, kInt32Max, "waiting pops of all"),
      MQ_BOOL("serverLoadBalancerEnable", assign_queues,
              "share queues out among members that ask the broker for theirs"),
      ConfigKey{
          "defaultMessageRequestMode", "how groups consume that ask and are not set to: PULL, POP",
          set_request_mode,
          [](const BrokerConfig& c) { return std::string(c.pop_by_default ? "POP" : "PULL"); }},
      MQ_INT("defaultPopShareQueueNum", pop_share_queues, -1, kInt32Max,
             "members whose queues a popping member shares; -1: all"),
      MQ_BOOL("timerWheelEnable", timer_wheel_enable, "take timed messages"),
      MQ_BOOL("enableLmq", lmq_enable,
              "there are light queues (%LMQ%...), and groups of such names"),
      MQ_BOOL("enableMultiDispatch", multi_dispatch_enable,
              "with enableLmq: messages have entries in the light queues that they list"),
      MQ_BOOL("enableMixedMessageType", mixed_topics, "topics may be of the type MIXED"),
      MQ_BOOL("enableTopicMessageTypeCheck", check_message_types,
              "refuse messages that are not of their topic's type (here our own key)"),
      MQ_BOOL("litePullMessageEnable", lite_pull_enable, "answer lite pulls"),
      MQ_BOOL("rejectTransactionMessage", reject_transactions, "refuse transactional messages"),
      MQ_INT("startAcceptSendRequestTimeStamp", accept_sends_from_ms, 0,
             std::numeric_limits<std::int64_t>::max(), "ms since 1970 from which sends are taken"),
      MQ_BOOL("longPollingEnable", long_polling,
              "hold pulls that find nothing as long as they ask"),
      MQ_INT("shortPollingTimeMills", short_polling_ms, 1, kDayMs,
             "ms to hold a pull when long polling is off"),
      MQ_BOOL("enablePropertyFilter", property_filter, "take SQL filters"),
      MQ_BOOL("filterSupportRetry", filter_retry,
              "filter a group's retries by its filter on their first topic"),
      MQ_INT("expectConsumerNumUseFilter", filter_bloom_expected, 1, 1 << 20,
             "groups a topic that size the Bloom filter of consumerFilter.json"),
      MQ_INT("maxErrorRateOfBloomFilter", filter_bloom_error_percent, 1, 99,
             "percent of error that size it"),
      MQ_INT("filterDataCleanTimeSpan", filter_dead_kept_ms, 0,
             std::numeric_limits<std::int64_t>::max(),
             "ms that the filter of a group that left is kept"),
      MQ_INT("flushConsumerOffsetInterval", offset_flush_interval_ms, 10, kDayMs,
             "ms between writes of consumerOffset.json"),
      MQ_INT("flushDelayOffsetInterval", delay_offset_flush_interval_ms, 10, kDayMs,
             "ms between writes of delayOffset.json"),
      MQ_INT("transactionTimeOut", transaction_timeout_ms, 0, kDayMs * 365,
             "ms after which a producer may be asked about its half message"),
      MQ_INT("transactionCheckMax", transaction_checks_max, 1, kInt32Max,
             "times that producers are asked about a half message"),
      MQ_INT("transactionCheckInterval", transaction_check_interval_ms, 10, kDayMs * 365,
             "ms between two rounds of asking"),
      MQ_INT("transactionOpMsgMaxSize", transaction_done_bytes_max, 1, 1 << 20,
             "bytes of a record of half messages that are done with"),
      MQ_INT("transactionOpBatchInterval", transaction_done_interval_ms, 0, kDayMs,
             "ms until such a record is written"),
      MQ_INT("transactionMetricFlushInterval", transaction_count_interval_ms, 10, kDayMs,
             "ms between writes of transactionMetrics"),
      MQ_BOOL("storeReplyMessageEnable", store_replies,
              "keep replies that were pushed to who asked"),
      MQ_BOOL("useServerSideResetOffset", server_side_reset,
              "offsets are reset here, not by the clients that are told to"),
      MQ_INT("mappedFileSizeTimerLog", timer_log_file_bytes, 128, kGiB,
             "bytes of a timer log file"),
      ConfigKey{"timerPrecisionMs", "ms of a tick: 100, 200, 500 or 1000", set_timer_precision,
                [](const BrokerConfig& c) { return std::to_string(c.timer_precision_ms); }},
      MQ_INT("timerRollWindowSlot", timer_roll_slots, 2, 604'740,
             "ticks that a timed message waits in one go"),
      MQ_INT("timerMaxDelaySec", timer_delay_max_s, 1, kTimerDelayMaxS,
             "seconds that a timed message waits at most"),
      MQ_INT("timerFlushIntervalMs", timer_flush_interval_ms, 10, kDayMs,
             "ms between writes of the timer's files"),
      MQ_INT("timerCongestNumEachSlot", timer_congested_at, 1, kInt32Max,
             "timed messages of one tick from which more are refused"),
      MQ_BOOL("recallMessageEnable", recall_enable, "take timed messages back when asked to"),
      MQ_INT("serverChannelMaxIdleTimeSeconds", idle_seconds, 1, 86'400,
             "seconds of silence that end a connection"),
      MQ_INT("serverSelectorThreads", net_threads, 1, 64, "I/O threads"),
      MQ_INT("defaultQueryMaxNum", query_count_max, 1, 64, "messages of a query by unique key"),
  };
}

void add_access_switches(std::vector<ConfigKey>& keys) {
  keys.push_back(MQ_BOOL("authenticationEnabled", access.authentication,
                         "requests of a broker's kind must be signed by a user"));
  keys.push_back(MQ_BOOL("authorizationEnabled", access.authorization,
                         "users may do only what their policies say"));
}

#undef MQ_TEXT
#undef MQ_BOOL
#undef MQ_INT

}  // namespace

Result<bool> parse_bool(std::string_view value) {
  if (value == "true" || value == "True" || value == "TRUE") return true;
  if (value == "false" || value == "False" || value == "FALSE") return false;
  return Error{Errc::kInvalid, fmt::format("'{}' is neither true nor false", value)};
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all = make_keys();
    add_tls_keys(all, std::make_index_sequence<net::kTlsKeyCount>());
    add_access_switches(all);
    add_access_keys(all);
    return all;
  }();
  return keys;
}

}  // namespace mq::broker
