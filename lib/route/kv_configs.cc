#include "route/kv_configs.h"

#include <boost/json/object.hpp>

#include "base/json.h"

namespace mq::route {
namespace {

constexpr std::string_view kTable = "configTable";

std::string to_text(const std::map<std::string, KvConfigs::Table, std::less<>>& spaces) {
  json::object table;
  for (const auto& [name, pairs] : spaces) {
    json::object space;
    for (const auto& [key, value] : pairs) space[key] = json::string(value);
    table[name] = std::move(space);
  }
  return to_pretty_json(json::object{{"configTable", std::move(table)}});
}

std::string text_of(json::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Result<void> KvConfigs::load() {
  if (path_.empty() || !fs_.exists(path_)) return {};
  MQ_TRY(const std::string text, fs::read_file(fs_, path_));
  auto value = parse_json(text);
  if (!value) return std::move(value).error().within(path_);
  const json::value* const table = member(*value, kTable);
  Spaces spaces;
  if (table != nullptr && table->is_object()) {
    for (const auto& [name, pairs] : table->get_object()) {
      if (!pairs.is_object()) continue;
      Table& space = spaces[text_of(name)];
      for (const auto& [key, one] : pairs.get_object()) space[text_of(key)] = string_or(&one, "");
    }
  }
  const MutexLock lock(mu_);
  spaces_ = std::move(spaces);
  return {};
}

Result<void> KvConfigs::put(std::string_view name_space, std::string_view key,
                            std::string_view value) {
  const MutexLock lock(mu_);
  Spaces changed = spaces_;
  changed[std::string(name_space)][std::string(key)] = value;
  return replace(std::move(changed));
}

Result<void> KvConfigs::remove(std::string_view name_space, std::string_view key) {
  const MutexLock lock(mu_);
  Spaces changed = spaces_;
  const auto space = changed.find(name_space);
  if (space == changed.end() || space->second.erase(std::string(key)) == 0) return {};
  return replace(std::move(changed));
}

Result<void> KvConfigs::replace(Spaces changed) {
  if (!path_.empty())
    MQ_CHECK(fs::write_file_atomically(fs_, path_, to_text(changed), /*keep_backup=*/true));
  spaces_ = std::move(changed);
  return {};
}

std::optional<std::string> KvConfigs::get(std::string_view name_space, std::string_view key) const {
  const MutexLock lock(mu_);
  const auto space = spaces_.find(name_space);
  if (space == spaces_.end()) return std::nullopt;
  const auto at = space->second.find(std::string(key));
  if (at == space->second.end()) return std::nullopt;
  return at->second;
}

std::optional<KvConfigs::Table> KvConfigs::all(std::string_view name_space) const {
  const MutexLock lock(mu_);
  const auto space = spaces_.find(name_space);
  if (space == spaces_.end()) return std::nullopt;
  return space->second;
}

}  // namespace mq::route
