// The words of a command line held against the options of a tool, before they are parsed: which
// subcommands are meant, which options stand there, and what the environment and the profile say of
// the others.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mq::cli {

// "--foo-bar" is MQ_FOO_BAR.
[[nodiscard]] std::string environment_name(std::string_view long_name);
[[nodiscard]] std::string environment(const std::string& name);  // "" when unset

// A quick look at the words: no values are checked.
struct Glance {
  std::vector<CLI::App*> apps;                      // the tool, then the subcommands that are named
  std::map<const CLI::Option*, std::string> given;  // options that stand there, with their value
  const CLI::Option* open = nullptr;                // its value is missing: the words end behind it
  std::size_t positionals = 0;                      // other words, behind the last subcommand

  [[nodiscard]] CLI::Option* find(const std::string& name) const;  // "--foo" or "-f"; null: none
  [[nodiscard]] const std::string* value_of(const std::string& name) const;  // null: not given
};
[[nodiscard]] Glance glance(CLI::App& app, const std::vector<std::string>& words);

// `key=value` lines of ~/.config/mq/NAME.conf, or else /etc/mq/NAME.conf; keys are long flags,
// `#` begins a comment.
struct Profile {
  std::string path;  // "": there is none
  std::map<std::string, std::string> values;
};
// Errors: kInvalid (a line that is none), kNotFound (a name other than "default" without a file),
// kIo.
Result<Profile> load_profile(const std::string& name);

// Where values come from when an option is not on the line: the environment, then the profile. For
// the time of a parse the profile's values stand in the environment, where CLI11 finds them for the
// options of the subcommands that are meant.
class Layers {
 public:
  Layers(const Glance& seen, const Profile& profile);
  ~Layers();  // takes the profile's values out again
  Layers(const Layers&) = delete;
  Layers& operator=(const Layers&) = delete;

  // "flag", "environment MQ_FOO", the profile's path, or "built-in"; and their rank, flag highest.
  struct Origin {
    int rank = 0;
    std::string text = "built-in";
  };
  [[nodiscard]] Origin of(const CLI::Option& option) const;
  // "MQ_COUNT: " in front of what is wrong with an option that is not on the line.
  [[nodiscard]] std::string blame(const std::string& what) const;
  // name=value  # origin
  void print() const;

 private:
  const Glance& seen_;
  const Profile& profile_;
  std::vector<std::string> lent_;
};

}  // namespace mq::cli
