// The configuration while the broker runs: what R(26) shows and R(25) changes.
//
// Only keys of a list can be changed; the others take effect at start, and pretending otherwise
// would be worse than refusing. Changes are kept in a file of their own, config/broker.properties,
// that wins over broker.conf at the next start and loses to the command line (the reference
// rewrites the broker.conf it was started with).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/config.h"
#include "format/state_files.h"
#include "fs/fs.h"

namespace mq::broker {

// Can the key be changed while the broker runs? Its member of BrokerConfig is a Live one, or is
// read by LiveConfig's listener alone.
[[nodiscard]] bool is_live_key(std::string_view name);
[[nodiscard]] const std::vector<std::string_view>& live_keys();

// Any thread.
class LiveConfig {
 public:
  // Borrowed; `config` is what everybody reads. `path` holds what earlier updates kept.
  LiveConfig(fs::Fs& fs, Clock& clock, BrokerConfig& config, std::string path);

  // Called for each update with the keys that have a new value, once it is kept, before update()
  // returns. Set before the first.
  using Changed = std::function<void(const std::vector<std::string>& keys)>;
  void on_change(Changed listener);

  // Lines of `key=value`, all or none. Keys without meaning here are passed over. Errors: kDenied
  // (a key that takes effect at start), kInvalid (unknown, or a value that does not fit), kIo.
  Result<void> update(std::string_view properties);

  // Of one key, as text; "" for one that is not known. For members of BrokerConfig that are not
  // Live.
  [[nodiscard]] std::string value(std::string_view key) const;
  // `key=value` lines of every key, and how often it was changed since the start.
  [[nodiscard]] std::string properties() const;
  [[nodiscard]] format::DataVersion version() const;

 private:
  fs::Fs& fs_;
  Clock& clock_;
  const std::string path_;
  mutable Mutex mu_;
  BrokerConfig& config_;  // written under mu_, its Live members read by all
  format::DataVersion version_ MQ_GUARDED_BY(mu_);
  Changed listener_ MQ_GUARDED_BY(mu_);
};

// Into `settings`, over what files said and under what the command line did. No file: nothing.
// Errors: kInvalid with the line, kIo.
Result<void> take_kept_settings(fs::Fs& fs, const std::string& path, Settings& settings);
[[nodiscard]] inline std::string kept_settings_path(const BrokerConfig& config) {
  return config.store.root + "/config/broker.properties";
}

}  // namespace mq::broker
