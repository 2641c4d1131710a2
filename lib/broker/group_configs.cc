#include "broker/group_configs.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "broker/state_file.h"
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
  auto next = std::make_shared<Table>();
  for (const std::string_view name : kBuiltIn)
    next->groups[std::string(name)] = with_defaults(name);
  for (auto& [name, config] : stored.groups)
    next->groups[name] = std::make_shared<const GroupConfig>(std::move(config));
  stored.groups.clear();
  next->rest = std::move(stored);
  const MutexLock lock(mu_);
  table_ = std::move(next);
  return {};
}

GroupConfigs::TablePtr GroupConfigs::table() const {
  const MutexLock lock(mu_);
  return table_;
}

Result<void> GroupConfigs::commit(Table next) {
  next.rest.version.bump(clock_.now_ms());
  format::GroupTable file = next.rest;
  for (const auto& [name, config] : next.groups) file.groups.emplace(name, *config);
  MQ_CHECK(fs::write_file_atomically(fs_, path_, format::to_subscription_group_json(file),
                                     /*keep_backup=*/true));
  auto made = std::make_shared<const Table>(std::move(next));
  const MutexLock lock(mu_);
  table_ = std::move(made);
  return {};
}

GroupConfigs::Group GroupConfigs::find(std::string_view group) const {
  const MutexLock lock(mu_);
  const auto at = table_->groups.find(group);
  return at == table_->groups.end() ? nullptr : at->second;
}

GroupConfigs::Group GroupConfigs::find_or_create(std::string_view group) {
  if (Group known = find(group)) return known;
  const bool allowed = config_.auto_create_group ||
                       (config_.create_system_groups && group.starts_with(kSystemPrefix));
  if (!allowed || !format::check_group_name(group)) return nullptr;
  const MutexLock changing(change_mu_);
  if (Group known = find(group)) return known;  // somebody was faster
  Table next = *table();
  Group made = with_defaults(group);
  next.groups.emplace(group, made);
  if (auto done = commit(std::move(next)); !done) {
    log::error("group '{}' was not made: {}", group, done.error().to_string());
    return nullptr;
  }
  return made;
}

format::GroupTable GroupConfigs::all() const {
  const TablePtr now = table();
  format::GroupTable out = now->rest;
  for (const auto& [name, config] : now->groups) out.groups.emplace(name, *config);
  return out;
}

Result<void> GroupConfigs::put(GroupConfig wanted) {
  MQ_CHECK(format::check_group_name(wanted.name));
  if (!wanted.attributes.empty()) {
    return Error{Errc::kInvalid, fmt::format("group '{}': attribute '{}' is not known", wanted.name,
                                             wanted.attributes.begin()->first)};
  }
  const MutexLock changing(change_mu_);
  Table next = *table();
  Group& slot = next.groups[wanted.name];
  if (slot != nullptr) {  // what another broker left there stays
    wanted.attributes = slot->attributes;
    wanted.extra = slot->extra;
  }
  slot = std::make_shared<const GroupConfig>(std::move(wanted));
  return commit(std::move(next));
}

Result<void> GroupConfigs::remove(std::string_view group) {
  const MutexLock changing(change_mu_);
  Table next = *table();
  const auto at = next.groups.find(group);
  if (at == next.groups.end()) return {};
  next.groups.erase(at);
  return commit(std::move(next));
}

bool GroupConfigs::is_read_forbidden(std::string_view group, std::string_view topic) const {
  const TablePtr now = table();
  if (now->rest.forbidden.empty()) return false;
  const auto topics = now->rest.forbidden.find(std::string(group));
  if (topics == now->rest.forbidden.end()) return false;
  const auto bits = topics->second.find(std::string(topic));
  return bits != topics->second.end() && (bits->second & format::kPermRead) != 0;
}

Result<void> GroupConfigs::forbid_read(std::string_view group, std::string_view topic,
                                       bool forbidden) {
  const MutexLock changing(change_mu_);
  if (is_read_forbidden(group, topic) == forbidden) return {};
  Table next = *table();
  auto& topics = next.rest.forbidden[std::string(group)];
  std::int32_t& bits = topics[std::string(topic)];
  bits ^= format::kPermRead;
  // An entry that forbids nothing goes; those of other topics stay (the reference drops them).
  if (bits == 0) topics.erase(std::string(topic));
  if (topics.empty()) next.rest.forbidden.erase(std::string(group));
  return commit(std::move(next));
}

}  // namespace mq::broker
