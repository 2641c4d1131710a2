#include "broker/group_configs.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "broker/state_file.h"
#include "format/light_queues.h"
#include "format/names.h"

namespace mq::broker {
namespace {

using format::GroupConfig;

constexpr std::string_view kSystemPrefix = "CID_RMQ_SYS_";
constexpr std::array<std::string_view, 8> kBuiltIn = {
    "TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",  "CID_RMQ_SYS_TRANS"};

GroupConfigs::Group with_defaults(std::string_view name) {
  GroupConfig config;
  config.name = name;
  return std::make_shared<const GroupConfig>(std::move(config));
}

}  // namespace

GroupConfigs::GroupConfigs(fs::Fs& fs, Clock& clock, const BrokerConfig& config, std::string path)
    : fs_(fs), clock_(clock), config_(config), path_(std::move(path)) {}

Result<void> GroupConfigs::load() {
  format::GroupTable stored;
  MQ_CHECK(load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(stored, format::parse_subscription_group_json(text));
    return {};
  }));
  Table next;
  for (const std::string_view name : kBuiltIn) next.groups[std::string(name)] = with_defaults(name);
  for (auto& [name, config] : stored.groups)
    next.groups[name] = std::make_shared<const GroupConfig>(std::move(config));
  stored.groups.clear();
  next.rest = std::move(stored);
  const MutexLock lock(mu_);
  table_ = std::move(next);
  return {};
}

template <typename Modify>
Result<format::DataVersion> GroupConfigs::write(const Modify& modify) {
  Table next;
  {
    const MutexLock lock(mu_);
    next = table_;
    unwritten_ = false;
  }
  modify(next);
  next.rest.version.bump(clock_.now_ms());
  format::GroupTable file = next.rest;
  for (const auto& [name, config] : next.groups) file.groups.emplace(name, *config);
  auto done = fs::write_file_atomically(fs_, path_, format::to_subscription_group_json(file),
                                        /*keep_backup=*/true);
  if (done) return file.version;
  const MutexLock lock(mu_);
  unwritten_ = true;
  return std::move(done).error();
}

template <typename Modify>
Result<void> GroupConfigs::change(const Modify& modify) {
  const MutexLock writing(file_mu_);
  MQ_TRY(const format::DataVersion version, write(modify));
  const MutexLock lock(mu_);
  modify(table_);  // others may have made groups meanwhile: those stay
  table_.rest.version = version;
  return {};
}

Result<void> GroupConfigs::flush() {
  const MutexLock writing(file_mu_);
  {
    const MutexLock lock(mu_);
    if (!unwritten_) return {};
  }
  MQ_TRY(const format::DataVersion version, write([](Table&) {}));
  const MutexLock lock(mu_);
  table_.rest.version = version;
  return {};
}

GroupConfigs::Group GroupConfigs::find(std::string_view group) const {
  const MutexLock lock(mu_);
  if (const auto at = table_.groups.find(group); at != table_.groups.end()) return at->second;
  return config_.lmq_enable && format::is_light(group) ? with_defaults(group) : nullptr;
}

GroupConfigs::Group GroupConfigs::find_or_create(std::string_view group) {
  if (Group known = find(group)) return known;
  const bool allowed = config_.auto_create_group ||
                       (config_.create_system_groups && group.starts_with(kSystemPrefix));
  if (!allowed || !format::check_group_name(group)) return nullptr;
  const MutexLock lock(mu_);
  const auto [at, is_new] = table_.groups.try_emplace(std::string(group));
  if (is_new) at->second = with_defaults(group), unwritten_ = true;
  return at->second;
}

format::GroupTable GroupConfigs::all() const {
  const MutexLock lock(mu_);
  format::GroupTable out = table_.rest;
  for (const auto& [name, config] : table_.groups) out.groups.emplace(name, *config);
  return out;
}

Result<void> GroupConfigs::put(GroupConfig wanted) {
  MQ_CHECK(format::check_group_name(wanted.name));
  if (!wanted.attributes.empty()) {
    return Error{Errc::kInvalid, fmt::format("group '{}': attribute '{}' is not known", wanted.name,
                                             wanted.attributes.begin()->first)};
  }
  if (const Group known = find(wanted.name)) {  // what another broker left there stays
    wanted.attributes = known->attributes;
    wanted.extra = known->extra;
  }
  const Group made = std::make_shared<const GroupConfig>(std::move(wanted));
  return change([&](Table& table) { table.groups[made->name] = made; });
}

Result<void> GroupConfigs::remove(std::string_view group) {
  if (find(group) == nullptr) return {};
  return change([&](Table& table) {
    if (const auto at = table.groups.find(group); at != table.groups.end()) table.groups.erase(at);
  });
}

bool GroupConfigs::is_read_forbidden(std::string_view group, std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto& forbidden = table_.rest.forbidden;
  if (forbidden.empty()) return false;  // nearly always
  const auto topics = forbidden.find(std::string(group));
  if (topics == forbidden.end()) return false;
  const auto bits = topics->second.find(std::string(topic));
  return bits != topics->second.end() && (bits->second & format::kPermRead) != 0;
}

Result<void> GroupConfigs::forbid_read(std::string_view group, std::string_view topic,
                                       bool forbidden) {
  if (is_read_forbidden(group, topic) == forbidden) return {};
  return change([&](Table& table) {
    auto& topics = table.rest.forbidden[std::string(group)];
    std::int32_t& bits = topics[std::string(topic)];
    bits = forbidden ? bits | format::kPermRead : bits & ~format::kPermRead;
    // An entry that forbids nothing goes; those of other topics stay (the reference drops them).
    if (bits == 0) topics.erase(std::string(topic));
    if (topics.empty()) table.rest.forbidden.erase(std::string(group));
  });
}

}  // namespace mq::broker
