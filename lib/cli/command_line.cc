#include "cli/command_line.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fs/fs.h"

namespace mq::cli {
namespace {

constexpr int kFromProfile = 1;
constexpr int kFromEnvironment = 2;
constexpr int kFromLine = 3;

bool takes_value(const CLI::Option& option) { return option.get_expected_max() != 0; }

// Options that a profile or the environment may set.
bool is_setting(const CLI::Option& option) {
  if (option.get_lnames().empty()) return false;
  const std::string& name = option.get_lnames().front();
  return name != "help" && name != "version" && name != "print-config" && name != "profile";
}

CLI::App* subcommand(CLI::App& app, const std::string& name) {
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
    if (sub->get_name() == name) return sub;
  return nullptr;
}

// "-fT": letters until one takes the rest, or the next word, as its value.
void note_cluster(Glance& seen, const std::string& word) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    const CLI::Option* option = seen.find(std::string{'-', word[i]});
    if (option == nullptr) return;
    if (!takes_value(*option)) {
      seen.given[option] = "true";
      continue;
    }
    seen.given[option] = word.substr(i + 1);
    if (i + 1 == word.size()) seen.open = option;
    return;
  }
}

void note_word(Glance& seen, const std::string& word) {
  if (seen.open != nullptr) {
    seen.given[seen.open] = word;
    seen.open = nullptr;
    return;
  }
  if (word.starts_with("--") && word.size() > 2) {
    const std::size_t equals = word.find('=');
    const CLI::Option* option = seen.find(word.substr(0, equals));
    if (option == nullptr) return;
    const bool alone = equals == std::string::npos;
    seen.given[option] = alone ? (takes_value(*option) ? "" : "true") : word.substr(equals + 1);
    if (alone && takes_value(*option)) seen.open = option;
  } else if (word.starts_with('-') && word.size() > 1) {
    note_cluster(seen, word);
  } else if (CLI::App* sub = seen.positionals == 0 ? subcommand(*seen.apps.back(), word) : nullptr;
             sub != nullptr) {
    seen.apps.push_back(sub);
  } else {
    ++seen.positionals;
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::string environment_name(std::string_view long_name) {
  std::string out = "MQ_";
  for (const char c : long_name)
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

CLI::Option* Glance::find(const std::string& name) const {
  for (auto app = apps.rbegin(); app != apps.rend(); ++app)
    if (CLI::Option* option = (*app)->get_option_no_throw(name)) return option;
  return nullptr;
}

const std::string* Glance::value_of(const std::string& name) const {
  const auto at = given.find(find(name));
  return at == given.end() ? nullptr : &at->second;
}

Glance glance(CLI::App& app, const std::vector<std::string>& words) {
  Glance seen;
  seen.apps.push_back(&app);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--" && seen.open == nullptr) {
      seen.positionals += words.size() - i - 1;
      break;
    }
    note_word(seen, words[i]);
  }
  return seen;
}

Result<Profile> load_profile(const std::string& name) {
  const std::string own = environment("HOME") + "/.config/mq/" + name + ".conf";
  const std::string system = "/etc/mq/" + name + ".conf";
  Profile out;
  out.path = fs::posix().exists(own) ? own : fs::posix().exists(system) ? system : std::string();
  if (out.path.empty()) {
    if (name == "default") return out;
    return Error{Errc::kNotFound,
                 fmt::format("--profile {}: neither {} nor {} is there", name, own, system)};
  }
  MQ_TRY(const std::string text, fs::read_file(fs::posix(), out.path, 1 << 20));
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Error{Errc::kInvalid,
                   fmt::format("{}:{}: '{}' is not key=value", out.path, number, line)};
    }
    out.values[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  }
  return out;
}

Layers::Layers(const Glance& seen, const Profile& profile) : seen_(seen), profile_(profile) {
  for (CLI::App* app : seen.apps) {
    for (CLI::Option* option : app->get_options()) {
      if (!is_setting(*option)) continue;
      const std::string& name = option->get_lnames().front();
      const std::string variable = environment_name(name);
      option->envname(variable);
      const auto value = profile.values.find(name);
      if (value == profile.values.end() || !environment(variable).empty()) continue;
      setenv(variable.c_str(), value->second.c_str(), 1);
      lent_.push_back(variable);
    }
  }
}

Layers::~Layers() {
  for (const std::string& variable : lent_) unsetenv(variable.c_str());
}

Layers::Origin Layers::of(const CLI::Option& option) const {
  if (seen_.given.contains(&option)) return {kFromLine, "flag"};
  if (!is_setting(option)) return {};
  const std::string variable = environment_name(option.get_lnames().front());
  if (std::find(lent_.begin(), lent_.end(), variable) != lent_.end())
    return {kFromProfile, profile_.path};
  if (!environment(variable).empty()) return {kFromEnvironment, "environment " + variable};
  return {};
}

std::string Layers::blame(const std::string& what) const {
  const CLI::Option* option = seen_.find(what.substr(0, what.find(':')));
  if (option == nullptr) return what;
  const Origin origin = of(*option);
  if (origin.rank == kFromProfile) return profile_.path + ": " + what;
  if (origin.rank == kFromEnvironment)
    return environment_name(option->get_lnames().front()) + " in the environment: " + what;
  return what;
}

void Layers::print() const {
  for (const CLI::App* app : seen_.apps) {
    for (const CLI::Option* option : app->get_options()) {
      if (!is_setting(*option) && option->get_lnames() != std::vector<std::string>{"profile"})
        continue;
      const std::string value = option->count() > 0 ? CLI::detail::join(option->results(), ",")
                                                    : option->get_default_str();
      std::printf("%s=%s  # %s\n", option->get_lnames().front().c_str(), value.c_str(),
                  of(*option).text.c_str());
    }
  }
}

}  // namespace mq::cli
