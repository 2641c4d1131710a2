#include "broker/live_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"

namespace mq::broker {
namespace {

const ConfigKey* find_key(std::string_view name) {
  for (const ConfigKey& key : config_keys())
    if (name == key.name) return &key;
  return nullptr;
}

// What earlier updates kept, key to value.
Result<std::map<std::string, std::string>> read_kept(fs::Fs& fs, const std::string& path) {
  std::map<std::string, std::string> out;
  if (!fs.exists(path)) return out;
  MQ_TRY(const std::string text, fs::read_file(fs, path, 1 << 20));
  auto done = for_each_setting(text, path,
                               [&](std::string_view key, std::string_view value, std::string_view) {
                                 out[std::string(key)] = value;
                                 return Result<void>();
                               });
  if (!done) return std::move(done).error();
  return out;
}

}  // namespace

const std::vector<std::string_view>& live_keys() {
  static const std::vector<std::string_view> keys = {
      "autoCreateSubscriptionGroup",
      "autoCreateTopicEnable",
      "brokerFastFailureEnable",
      "brokerPermission",
      "cleanFileForciblyEnable",
      "defaultQueryMaxNum",
      "deleteWhen",
      "diskMaxUsedSpaceRatio",
      "diskSpaceCleanForciblyRatio",
      "diskSpaceWarningLevelRatio",
      "enableMixedMessageType",
      "enableTopicMessageTypeCheck",
      "fileReservedTime",
      "flushConsumerOffsetInterval",
      "litePullMessageEnable",
      "longPollingEnable",
      "recallMessageEnable",
      "rejectTransactionMessage",
      "shortPollingTimeMills",
      "startAcceptSendRequestTimeStamp",
      "traceOn",
      "waitTimeMillsInSendQueue",
  };
  return keys;
}

bool is_live_key(std::string_view name) {
  return std::binary_search(live_keys().begin(), live_keys().end(), name);
}

LiveConfig::LiveConfig(fs::Fs& fs, Clock& clock, BrokerConfig& config, std::string path)
    : fs_(fs), clock_(clock), path_(std::move(path)), config_(config) {}

void LiveConfig::on_change(Changed listener) {
  const MutexLock lock(mu_);
  listener_ = std::move(listener);
}

Result<void> LiveConfig::update(std::string_view properties) {
  const MutexLock lock(mu_);
  BrokerConfig wanted = config_;
  std::vector<std::pair<const ConfigKey*, std::string>> changes;
  MQ_CHECK(for_each_setting(
      properties, "update",
      [&](std::string_view name, std::string_view value, std::string_view) -> Result<void> {
        const ConfigKey* const key = find_key(name);
        if (key == nullptr) {
          if (is_known_without_meaning(name)) return {};
          return Error{Errc::kInvalid, fmt::format("unknown key '{}'", name)};
        }
        if (!is_live_key(name)) {
          return Error{Errc::kDenied,
                       fmt::format("{} takes effect at start: set it in broker.conf", name)};
        }
        const std::string before = key->get(wanted);
        if (auto set = key->set(wanted, value); !set) return std::move(set).error().within(name);
        if (key->get(wanted) != before) changes.emplace_back(key, std::string(value));
        return {};
      }));
  MQ_CHECK(check_together(wanted));
  if (changes.empty()) return {};
  MQ_TRY(auto kept, read_kept(fs_, path_));
  for (const auto& [key, value] : changes) kept[key->name] = value;
  std::string text = "# Changed while the broker ran; wins over broker.conf.\n";
  for (const auto& [key, value] : kept)
    fmt::format_to(std::back_inserter(text), "{}={}\n", key, value);
  MQ_CHECK(fs::write_file_atomically(fs_, path_, text, /*keep_backup=*/false));
  std::vector<std::string> names;
  for (const auto& [key, value] : changes) {
    log::info("configuration: {} is now {} (was {})", key->name, value, key->get(config_));
    MQ_CHECK(key->set(config_, value));
    names.emplace_back(key->name);
  }
  version_.bump(clock_.now_ms());
  if (listener_) listener_(names);
  return {};
}

std::string LiveConfig::value(std::string_view name) const {
  const ConfigKey* const key = find_key(name);
  const MutexLock lock(mu_);
  return key == nullptr ? std::string() : key->get(config_);
}

std::string LiveConfig::properties() const {
  const MutexLock lock(mu_);
  return to_properties_text(config_);
}

format::DataVersion LiveConfig::version() const {
  const MutexLock lock(mu_);
  return version_;
}

Result<void> take_kept_settings(fs::Fs& fs, const std::string& path, Settings& settings) {
  if (!fs.exists(path)) return {};
  MQ_TRY(const std::string text, fs::read_file(fs, path, 1 << 20));
  return for_each_setting(
      text, path, [&](std::string_view key, std::string_view value, std::string_view origin) {
        if (settings.origin_of(key).starts_with("-")) return Result<void>();
        return settings.set(key, value, origin);
      });
}

}  // namespace mq::broker
