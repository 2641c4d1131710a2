#include "broker/config.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::broker {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\f";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Number of edits between two names, upper and lower case taken as the same.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) ==
                        std::tolower(static_cast<unsigned char>(b[j - 1]));
      const std::size_t best = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (same ? 0U : 1U)});
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[b.size()];
}

std::string nearest_key(std::string_view name) {
  const auto& keys = config_keys();
  const auto best =
      std::min_element(keys.begin(), keys.end(), [&](const ConfigKey& a, const ConfigKey& b) {
        return distance(name, a.name) < distance(name, b.name);
      });
  return distance(name, best->name) <= std::max<std::size_t>(3, name.size() / 3) ? best->name
                                                                                 : std::string();
}

const ConfigKey* find_key(std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (name == key.name) return &key;
  }
  return nullptr;
}

}  // namespace

Result<void> Settings::set(std::string_view name, std::string_view value, std::string_view origin) {
  name = trim(name);
  value = trim(value);
  const ConfigKey* key = find_key(name);
  if (key == nullptr) {
    if (is_known_without_meaning(name)) {
      without_meaning_.emplace_back(name);
      return {};
    }
    const std::string near = nearest_key(name);
    return Error{Errc::kInvalid,
                 fmt::format("{}: unknown key '{}'{}", origin, name,
                             near.empty() ? "" : fmt::format("; did you mean '{}'?", near))};
  }
  if (auto done = key->set(config_, value); !done) {
    return Error{Errc::kInvalid, fmt::format("{}: {}: {}", origin, name, done.error().text())};
  }
  origins_[std::string(name)] = origin;
  return {};
}

Result<void> for_each_setting(
    std::string_view text, std::string_view name,
    const std::function<Result<void>(std::string_view, std::string_view, std::string_view)>& take) {
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    const std::string origin = fmt::format("{}:{}", name, number);
    const std::size_t split = line.find('=');
    if (split == std::string_view::npos) {
      return Error{Errc::kInvalid, fmt::format("{}: expected key=value, found '{}'", origin, line)};
    }
    MQ_CHECK(take(trim(line.substr(0, split)), trim(line.substr(split + 1)), origin));
  }
  return {};
}

Result<void> Settings::parse(std::string_view text, std::string_view file_name) {
  return for_each_setting(text, file_name,
                          [this](std::string_view key, std::string_view value,
                                 std::string_view origin) { return set(key, value, origin); });
}

std::string Settings::print(bool changed_only) const {
  std::string out;
  for (const ConfigKey& key : config_keys()) {
    const auto origin = origins_.find(key.name);
    if (changed_only && origin == origins_.end()) continue;
    fmt::format_to(std::back_inserter(out), "{}={}  # {}\n", key.name, key.get(config_),
                   origin == origins_.end() ? "default" : origin->second);
  }
  return out;
}

Result<void> Settings::check() const {
  const store::StoreOptions& s = config_.store;
  if (s.message_bytes_max + 65'536LL + 8 > s.commit_log_file_bytes && was_set("maxMessageSize")) {
    return Error{Errc::kInvalid, fmt::format("maxMessageSize={}: the largest record would not fit "
                                             "into a commit log file of {} bytes",
                                             s.message_bytes_max, s.commit_log_file_bytes)};
  }
  // Policies of a user that anybody may say to be would protect nothing.
  if (config_.access.authorization && !config_.access.authentication) {
    return Error{Errc::kInvalid,
                 "authorizationEnabled=true needs authenticationEnabled=true: without signatures "
                 "nobody knows who asks"};
  }
  return check_together(config_);
}

Result<void> check_together(const BrokerConfig& config) {
  const store::StoreOptions& s = config.store;
  if (s.disk_clean_percent > s.disk_warning_percent) {
    return Error{
        Errc::kInvalid,
        fmt::format("diskSpaceCleanForciblyRatio={} is above diskSpaceWarningLevelRatio={}",
                    s.disk_clean_percent, s.disk_warning_percent)};
  }
  return {};
}

std::string to_properties_text(const BrokerConfig& config) {
  std::string out;
  for (const ConfigKey& key : config_keys()) {
    fmt::format_to(std::back_inserter(out), "{}={}\n", key.name, key.get(config));
  }
  return out;
}

}  // namespace mq::broker
