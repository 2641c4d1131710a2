#include "cli/complete.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/exit.h"
#include "cli/live_names.h"

namespace mq::cli {
namespace {

struct Candidate {
  std::string word;
  std::string what;
};
using Candidates = std::vector<Candidate>;

// The type of a value says what it may be: "skip|fail|fill=TEXT" is a choice, TOPIC and GROUP are
// names; all else in capital letters the user writes.
void add_values(const Glance& seen, const CLI::Option& option, Candidates& out) {
  const std::string type = option.get_type_name();
  for (std::size_t at = 0; at <= type.size();) {
    const std::size_t end = std::min(type.find('|', at), type.size());
    std::string word = type.substr(at, end - at);
    at = end + 1;
    if (word.starts_with("TOPIC") || word.starts_with("GROUP")) {
      const Names which = word.starts_with("TOPIC") ? Names::kTopics : Names::kGroups;
      for (std::string& name : live_names(seen, which)) out.push_back({std::move(name), ""});
      continue;
    }
    if (const std::size_t equals = word.find('='); equals != std::string::npos)
      word.resize(equals + 1);
    const bool literal = type.find('|') != std::string::npos &&
                         std::none_of(word.begin(), word.end(),
                                      [](unsigned char c) { return std::isupper(c) != 0; });
    if (literal) out.push_back({word, ""});
  }
}

void add_flags(const Glance& seen, Candidates& out) {
  for (const CLI::App* app : seen.apps) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames())
        out.push_back({"--" + name, option->get_description()});
      for (const std::string& name : option->get_snames())
        out.push_back({"-" + name, option->get_description()});
    }
  }
}

// Subcommands, or the positional argument whose turn it is.
void add_words(const Glance& seen, Candidates& out) {
  if (seen.positionals == 0) {
    for (const CLI::App* sub :
         seen.apps.back()->get_subcommands([](const CLI::App*) { return true; }))
      out.push_back({sub->get_name(), sub->get_description()});
  }
  std::size_t left = seen.positionals;
  for (const CLI::Option* option : seen.apps.back()->get_options()) {
    if (option->nonpositional()) continue;
    const auto takes = static_cast<std::size_t>(option->get_items_expected_max());
    if (left >= takes) {
      left -= takes;
      continue;
    }
    return add_values(seen, *option, out);
  }
}

}  // namespace

int complete(CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) return kExitUsage;
  const std::string& begun = words.back();
  const Glance seen = glance(app, {words.begin(), words.end() - 1});
  Candidates candidates;
  std::string before;  // of a value behind "--flag="
  const std::size_t equals = begun.starts_with("--") ? begun.find('=') : std::string::npos;
  if (seen.open != nullptr) {
    add_values(seen, *seen.open, candidates);
  } else if (equals != std::string::npos) {
    before = begun.substr(0, equals + 1);
    if (const CLI::Option* option = seen.find(begun.substr(0, equals)))
      add_values(seen, *option, candidates);
  } else if (begun.starts_with('-')) {
    add_flags(seen, candidates);
  } else {
    add_words(seen, candidates);
  }
  for (const Candidate& one : candidates) {
    const std::string word = before + one.word;
    if (word.starts_with(begun)) std::printf("%s\t%s\n", word.c_str(), one.what.c_str());
  }
  return kExitOk;
}

}  // namespace mq::cli
