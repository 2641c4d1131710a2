#include "route/name_settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "net/tls_keys.h"

namespace mq::route {
namespace {

// Keys of a stock name server that change nothing here.
constexpr std::array<std::string_view, 27> kWithoutMeaning = {
    "rocketmqHome",
    "productEnvName",
    "clusterTest",
    "clientRequestThreadPoolNums",
    "defaultThreadPoolNums",
    "clientRequestThreadPoolQueueCapacity",
    "defaultThreadPoolQueueCapacity",
    "unRegisterBrokerQueueCapacity",
    "enableControllerInNamesrv",
    "configBlackList",
    "serverWorkerThreads",
    "serverCallbackExecutorThreads",
    "serverOnewaySemaphoreValue",
    "serverAsyncSemaphoreValue",
    "serverSocketSndBufSize",
    "serverSocketRcvBufSize",
    "serverSocketBacklog",
    "writeBufferHighWaterMark",
    "writeBufferLowWaterMark",
    "serverNettyWorkerGroupEnable",
    "serverPooledByteBufAllocatorEnable",
    "enableShutdownGracefully",
    "shutdownWaitTimeSeconds",
    "useEpollNativeSelector",
    "scanAvailableNameSrv",
    "listenBacklog",
    "clientOnewaySemaphoreValue"};

Result<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return Error{Errc::kInvalid, fmt::format("'{}' is neither true nor false", text)};
}

Result<std::int64_t> parse_number(std::string_view text, std::int64_t min, std::int64_t max) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end)
    return Error{Errc::kInvalid, fmt::format("'{}' is not a whole number", text)};
  if (number < min || number > max)
    return Error{Errc::kInvalid, fmt::format("{} is outside {}..{}", number, min, max)};
  return number;
}

// A member as a key: the table needs plain functions of a member that it names, hence a template
// over the member.
template <auto Member>
NameKey bool_key(const char* name, const char* meaning) {
  return {name, meaning, false,
          [](NameConfig& c, std::string_view text) -> Result<void> {
            MQ_TRY(c.*Member, parse_bool(text));
            return {};
          },
          [](const NameConfig& c) { return std::string(c.*Member ? "true" : "false"); }};
}
template <auto Member, std::int64_t Min, std::int64_t Max>
NameKey number_key(const char* name, const char* meaning, bool at_start) {
  return {name, meaning, at_start,
          [](NameConfig& c, std::string_view text) -> Result<void> {
            MQ_TRY(const std::int64_t number, parse_number(text, Min, Max));
            c.*Member = static_cast<std::remove_reference_t<decltype(c.*Member)>>(number);
            return {};
          },
          [](const NameConfig& c) { return std::to_string(c.*Member); }};
}
template <auto Member>
NameKey text_key(const char* name, const char* meaning) {
  return {name, meaning, true,
          [](NameConfig& c, std::string_view text) -> Result<void> {
            c.*Member = text;
            return {};
          },
          [](const NameConfig& c) { return c.*Member; }};
}

template <std::size_t I>
NameKey tls_key() {
  const net::TlsKey& key = net::tls_keys()[I];
  return {key.name, key.meaning, true,
          [](NameConfig& c, std::string_view text) { return net::tls_keys()[I].set(c.tls, text); },
          [](const NameConfig& c) { return net::tls_keys()[I].get(c.tls); }};
}
template <std::size_t... I>
void add_tls_keys(std::vector<NameKey>& keys, std::index_sequence<I...>) {
  (keys.push_back(tls_key<I>()), ...);
}

std::vector<NameKey> make_keys() {
  using C = NameConfig;
  return {
      text_key<&C::bind_address>("bindAddress", "address of the default listener"),
      text_key<&C::config_path>("configStorePath",
                                "file of what was changed while running (updateNamesrvConfig)"),
      bool_key<&C::delete_missing_topics>(
          "deleteTopicWithBrokerRegistration",
          "a registration takes away the broker's topics that it does not name"),
      bool_key<&C::all_topic_list>("enableAllTopicList", "answer with the list of all topics"),
      bool_key<&C::topic_list>("enableTopicList", "answer with the other lists of topics"),
      text_key<&C::kv_path>("kvConfigPath", "file of the key/value table"),
      number_key<&C::listen_port, 0, 65535>("listenPort", "port of the default listener", true),
      bool_key<&C::wait_for_service>("needWaitForService",
                                     "give no routes until brokers had time to register"),
      bool_key<&C::notify_min_id_changed>("notifyMinBrokerIdChanged",
                                          "tell brokers that their smallest id has changed"),
      bool_key<&C::order_messages>("orderMessageEnable",
                                   "routes carry the topic's order configuration"),
      bool_key<&C::return_order_conf>("returnOrderTopicConfigToBroker",
                                      "answers to registrations carry the ordered topics"),
      number_key<&C::scan_interval_ms, 10, 86'400'000>(
          "scanNotActiveBrokerInterval", "ms between looks for silent brokers", false),
      number_key<&C::idle_seconds, 1, 86'400>("serverChannelMaxIdleTimeSeconds",
                                              "seconds of silence that end a connection", true),
      number_key<&C::net_threads, 1, 64>("serverSelectorThreads", "I/O threads", true),
      bool_key<&C::support_acting_master>("supportActingMaster",
                                          "show the smallest slave as master while there is none"),
      number_key<&C::wait_seconds, 0, 86'400>(
          "waitSecondsForService", "seconds from start that needWaitForService means", false),
  };
}

const NameKey* find_key(std::string_view name) {
  for (const NameKey& key : name_keys())
    if (name == key.name) return &key;
  return nullptr;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\f";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Calls `take(line number, key, value)` for each line that is neither empty nor a comment.
template <typename Take>
Result<void> for_each_line(std::string_view text, Take take) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return Error{Errc::kInvalid, fmt::format("expected key=value, found '{}'", line)};
    MQ_CHECK(take(number, trim(line.substr(0, equals)), trim(line.substr(equals + 1))));
  }
  return {};
}

Result<void> set_in(NameConfig& config, std::string_view name, std::string_view value) {
  const NameKey* const key = find_key(name);
  if (key == nullptr) {
    const bool known =
        std::find(kWithoutMeaning.begin(), kWithoutMeaning.end(), name) != kWithoutMeaning.end();
    if (known) return {};
    return Error{Errc::kInvalid, fmt::format("unknown key '{}'", name)};
  }
  auto done = key->set(config, value);
  if (!done) return std::move(done).error().within(name);
  return {};
}

}  // namespace

const std::vector<NameKey>& name_keys() {
  static const std::vector<NameKey> keys = [] {
    std::vector<NameKey> all = make_keys();
    add_tls_keys(all, std::make_index_sequence<net::kTlsKeyCount>());
    return all;
  }();
  return keys;
}

Result<void> NameSettings::set(std::string_view key, std::string_view value) {
  const MutexLock lock(mu_);
  return set_in(config_, key, value);
}

Result<void> NameSettings::parse(std::string_view text, std::string_view file_name) {
  const MutexLock lock(mu_);
  NameConfig config = config_;
  MQ_CHECK(for_each_line(
      text, [&](int number, std::string_view key, std::string_view value) -> Result<void> {
        auto done = set_in(config, key, value);
        if (!done) return std::move(done).error().within(fmt::format("{}:{}", file_name, number));
        return {};
      }));
  config_ = std::move(config);
  return {};
}

Result<void> NameSettings::keep_in(fs::Fs& fs, std::string path) {
  const MutexLock lock(mu_);
  fs_ = &fs;
  path_ = path;
  if (!fs.exists(path)) return {};
  MQ_TRY(const std::string text, fs::read_file(fs, path, 1 << 20));
  NameConfig config = config_;
  auto changed = changed_;
  MQ_CHECK(for_each_line(
      text, [&](int number, std::string_view key, std::string_view value) -> Result<void> {
        auto done = set_in(config, key, value);
        if (!done) return std::move(done).error().within(fmt::format("{}:{}", path, number));
        changed[std::string(key)] = value;
        return {};
      }));
  config_ = std::move(config);
  changed_ = std::move(changed);
  return {};
}

Result<void> NameSettings::update(std::string_view properties) {
  const MutexLock lock(mu_);
  NameConfig config = config_;
  auto changed = changed_;
  auto done = for_each_line(
      properties, [&](int, std::string_view name, std::string_view value) -> Result<void> {
        const NameKey* const key = find_key(name);
        if (key != nullptr && key->at_start)
          return Error{Errc::kDenied, fmt::format("{} can be set at start alone", name)};
        if (key != nullptr) changed[std::string(name)] = value;
        return set_in(config, name, value);
      });
  if (!done) return done;
  if (fs_ != nullptr && changed != changed_) {
    std::string text;
    for (const auto& [key, value] : changed)
      fmt::format_to(std::back_inserter(text), "{}={}\n", key, value);
    MQ_CHECK(fs::write_file_atomically(*fs_, path_, text, /*keep_backup=*/false));
  }
  config_ = std::move(config);
  changed_ = std::move(changed);
  return {};
}

NameConfig NameSettings::get() const {
  const MutexLock lock(mu_);
  return config_;
}

std::string NameSettings::to_properties() const {
  const NameConfig config = get();
  std::string out;
  for (const NameKey& key : name_keys())
    fmt::format_to(std::back_inserter(out), "{}={}\n", key.name, key.get(config));
  return out;
}

}  // namespace mq::route
