// The options of a program: which there are, what they are for, where their values go. All of the
// project that knows the library behind it (CLI11) is in this room, as its headers take longer to
// compile than anything else here.
//
// A Command owns its options and subcommands: pointers to them are good as long as it lives. Values
// are written by a parse into the variables that the options were given, which outlive it.
// One thread. Calls that make no sense, as a name given twice, throw std::exception.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

namespace mq::cli {

// What a value must be. Some say so in --help behind the type of the value.
class Check {
 public:
  explicit Check(const CLI::Validator& validator);

 private:
  friend class Option;
  std::shared_ptr<const CLI::Validator> validator_;
};
[[nodiscard]] Check is_duration();
[[nodiscard]] Check is_size();
[[nodiscard]] Check at_least(std::int64_t least);  // whole
[[nodiscard]] Check above_zero();                  // fractions, too
[[nodiscard]] Check is_positive();                 // ditto, and --help says so
[[nodiscard]] Check in_range(std::int64_t least, std::int64_t most);
[[nodiscard]] Check one_of(const std::vector<std::string>& words);
// For Option::transform: upper and lower case are the same, and become that of `words`.
[[nodiscard]] Check one_of_any_case(const std::vector<std::string>& words);

class Option {
 public:
  explicit Option(CLI::Option& option) : option_(option) {}

  Option* type_name(const std::string& name);  // of its value: in --help, and for completions
  Option* capture_default_str();               // --help says what its variable holds now
  Option* required();
  Option* check(const Check& check);
  Option* transform(const Check& check);  // the value becomes what the check makes of it
  Option* allow_extra_args(bool allow);   // of a list: may one option take several words?
  Option* delimiter(char between);        // of a list: splits a word
  Option* excludes(Option* other);

 private:
  CLI::Option& option_;
};

class Command {
 public:
  // A whole program, `what` it is for in a sentence.
  Command(const std::string& what, const std::string& name);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // `names` are "-f,--foo" for an option, "foo" for a positional argument.
  Option* add_option(const std::string& names, std::string& value, const std::string& what);
  Option* add_option(const std::string& names, std::optional<std::string>& value,
                     const std::string& what);
  Option* add_option(const std::string& names, std::vector<std::string>& value,
                     const std::string& what);
  Option* add_option(const std::string& names, int& value, const std::string& what);
  Option* add_option(const std::string& names, std::int64_t& value, const std::string& what);
  Option* add_option(const std::string& names, std::size_t& value, const std::string& what);
  Option* add_option(const std::string& names, double& value, const std::string& what);
  Option* add_flag(const std::string& names, bool& value, const std::string& what);
  // "--foo{word}": alone it says `word`, --foo=OTHER says OTHER.
  Option* add_flag(const std::string& names, std::string& value, const std::string& what);

  Command* add_subcommand(const std::string& name, const std::string& what);
  void require_subcommand(int number);
  void fallthrough();                         // its own options may stand behind a subcommand, too
  void callback(std::function<void()> call);  // when the line names it, at the end of the parse

  // Takes the values from the line alone; parse() of tool.h, for the tools, from more places. True:
  // --help was asked for. Errors: kUnsupported, saying what is wrong with the line.
  Result<bool> parse(int argc, char** argv);
  [[nodiscard]] std::string help() const;  // of the subcommand that the parsed line names, if any

  // How often the option was given, by whatever layer. The name must be that of an option.
  [[nodiscard]] std::size_t count(const std::string& name) const;

  // For this room.
  [[nodiscard]] CLI::App& app() { return app_; }

 private:
  explicit Command(CLI::App& app);  // a subcommand, which its parent owns
  Option* keep(CLI::Option& option);

  std::unique_ptr<CLI::App> own_;
  CLI::App& app_;
  std::vector<std::unique_ptr<Option>> options_;
  std::vector<std::unique_ptr<Command>> subcommands_;
};

}  // namespace mq::cli
