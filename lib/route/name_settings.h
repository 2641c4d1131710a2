// What a name server can be told: keys and values of the reference's namesrv.conf, at start and,
// most of them, while it runs (R 318, 319).
//
// What is changed while running is kept in a file of its own (the reference rewrites the
// configuration file that it was started with) and taken again at the next start, over the
// configuration file and under the command line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "fs/fs.h"
#include "net/tls.h"

namespace mq::route {

struct NameConfig {
  bool order_messages = false;           // orderMessageEnable
  bool return_order_conf = true;         // returnOrderTopicConfigToBroker
  bool support_acting_master = false;    // supportActingMaster
  bool notify_min_id_changed = false;    // notifyMinBrokerIdChanged
  bool all_topic_list = true;            // enableAllTopicList
  bool topic_list = true;                // enableTopicList
  bool delete_missing_topics = false;    // deleteTopicWithBrokerRegistration
  std::int64_t scan_interval_ms = 5000;  // scanNotActiveBrokerInterval
  bool wait_for_service = false;         // needWaitForService
  std::int64_t wait_seconds = 45;        // waitSecondsForService
  // At start alone.
  std::int32_t listen_port = 9876;  // listenPort
  std::string bind_address;         // bindAddress; empty: 127.0.0.1
  std::int64_t idle_seconds = 120;  // serverChannelMaxIdleTimeSeconds
  std::int32_t net_threads = 1;     // serverSelectorThreads
  std::string kv_path;              // kvConfigPath
  std::string config_path;          // configStorePath: what was changed while running
  net::TlsOptions tls;              // tls.*
};

struct NameKey {
  const char* name;
  const char* meaning;
  bool at_start;  // and not while running
  Result<void> (*set)(NameConfig& config, std::string_view value);
  std::string (*get)(const NameConfig& config);
};
[[nodiscard]] const std::vector<NameKey>& name_keys();

// Any thread.
class NameSettings {
 public:
  // One key, at start. Errors: kInvalid naming what is wrong; a key that a stock name server knows
  // and that has no meaning here is passed over.
  Result<void> set(std::string_view key, std::string_view value);
  // Lines of `key=value`, `#` and `!` comments. Errors: as set, with the line.
  Result<void> parse(std::string_view text, std::string_view file_name);
  // Takes what an earlier update() kept in `path`, and keeps later ones there. `fs` is borrowed.
  // Errors: as parse; kIo.
  Result<void> keep_in(fs::Fs& fs, std::string path);
  // R(318), all lines or none. Errors: kDenied (a key that is fixed at start), kInvalid, kIo.
  Result<void> update(std::string_view properties);

  [[nodiscard]] NameConfig get() const;
  // R(319): `key=value` lines of every key.
  [[nodiscard]] std::string to_properties() const;

 private:
  mutable Mutex mu_;
  NameConfig config_ MQ_GUARDED_BY(mu_);
  std::map<std::string, std::string> changed_ MQ_GUARDED_BY(mu_);
  fs::Fs* fs_ MQ_GUARDED_BY(mu_) = nullptr;
  std::string path_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::route
