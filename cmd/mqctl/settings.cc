#include "settings.h"

#include <fmt/format.h>

#include "base/json.h"

namespace mq::mqctl {

Result<Settings> Settings::parse(const std::vector<std::string>& words) {
  Settings out;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (word.empty() || equals == 0)
      return Error{Errc::kInvalid, fmt::format("'{}': expected KEY or KEY=VALUE", word)};
    if (equals == std::string::npos) {
      out.keys.push_back(word);
    } else {
      out.changes[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  if (!out.keys.empty() && !out.changes.empty())
    return Error{Errc::kInvalid, "KEY shows and KEY=VALUE changes: one of them at a time"};
  return out;
}

Result<void> Settings::apply(Tool& tool, const std::string& whose, bool name_it,
                             const wire::KvTable& current, const Put& put) const {
  const auto no_key = [&](const std::string& key) {
    return Error{Errc::kNotFound, fmt::format("{} has no setting '{}'", whose, key)};
  };
  wire::KvTable wanted;
  for (const std::string& key : keys) {
    const auto at = current.find(key);
    if (at == current.end()) return no_key(key);
    wanted.insert(*at);
  }
  if (changes.empty()) {
    print_table(tool, "of", whose, name_it, keys.empty() ? current : wanted);
    return {};
  }
  for (const auto& [key, value] : changes) {
    const auto at = current.find(key);
    if (at == current.end()) return no_key(key);
    (void)tool.is_real(fmt::format("{} of {}", key, whose), at->second, value);
  }
  return tool.is_dry() ? Result<void>() : put(changes);
}

void print_table(Tool& tool, const char* name, const std::string& whose, bool name_it,
                 const wire::KvTable& table) {
  if (!tool.json()) {
    for (const auto& [key, value] : table)
      tool.print(fmt::format("{}{}={}", name_it ? whose + " " : "", key, value));
    return;
  }
  json::object object{{name, whose}};
  for (const auto& [key, value] : table) object[key] = value;
  tool.print(to_json(object));
}

}  // namespace mq::mqctl
