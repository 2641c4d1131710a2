#include "cli/options.h"

#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/units.h"

namespace mq::cli {
namespace {

Check checked_by(std::function<Result<std::int64_t>(std::string_view)> parse_value) {
  return Check(CLI::Validator(
      [parse_value = std::move(parse_value)](std::string& text) {
        auto value = parse_value(text);
        return value ? std::string() : value.error().text();
      },
      ""));
}

}  // namespace

Check::Check(const CLI::Validator& validator)
    : validator_(std::make_shared<const CLI::Validator>(validator)) {}

Check is_duration() {
  return checked_by([](std::string_view text) { return parse_duration_ms(text); });
}
Check is_size() {
  return checked_by([](std::string_view text) { return parse_size(text); });
}
Check at_least(std::int64_t least) {
  return checked_by([least](std::string_view text) -> Result<std::int64_t> {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end && value >= least) return value;
    return Error{Errc::kInvalid, fmt::format("'{}' is not a whole number from {} on", text, least)};
  });
}
Check above_zero() {
  return checked_by([](std::string_view text) -> Result<std::int64_t> {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end && value > 0 && std::isfinite(value)) return 1;
    return Error{Errc::kInvalid, fmt::format("'{}' is not a number above 0", text)};
  });
}
Check is_positive() { return Check(CLI::PositiveNumber); }
Check in_range(std::int64_t least, std::int64_t most) { return Check(CLI::Range(least, most)); }
Check one_of(const std::vector<std::string>& words) { return Check(CLI::IsMember(words)); }
Check one_of_any_case(const std::vector<std::string>& words) {
  return Check(CLI::IsMember(words, CLI::ignore_case));
}

Option* Option::type_name(const std::string& name) {
  option_.type_name(name);
  return this;
}
Option* Option::capture_default_str() {
  option_.capture_default_str();
  return this;
}
Option* Option::required() {
  option_.required();
  return this;
}
Option* Option::check(const Check& check) {
  option_.check(*check.validator_);
  return this;
}
Option* Option::transform(const Check& check) {
  option_.transform(*check.validator_);
  return this;
}
Option* Option::allow_extra_args(bool allow) {
  option_.allow_extra_args(allow);
  return this;
}
Option* Option::delimiter(char between) {
  option_.delimiter(between);
  return this;
}
Option* Option::excludes(Option* other) {
  option_.excludes(&other->option_);
  return this;
}

Command::Command(const std::string& what, const std::string& name)
    : own_(std::make_unique<CLI::App>(what, name)), app_(*own_) {}
Command::Command(CLI::App& app) : app_(app) {}
Command::~Command() = default;

Option* Command::keep(CLI::Option& option) {
  return options_.emplace_back(std::make_unique<Option>(option)).get();
}

Option* Command::add_option(const std::string& names, std::string& value, const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, std::optional<std::string>& value,
                            const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, std::vector<std::string>& value,
                            const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, int& value, const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, std::int64_t& value,
                            const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, std::size_t& value, const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_option(const std::string& names, double& value, const std::string& what) {
  return keep(*app_.add_option(names, value, what));
}
Option* Command::add_flag(const std::string& names, bool& value, const std::string& what) {
  return keep(*app_.add_flag(names, value, what));
}
Option* Command::add_flag(const std::string& names, std::string& value, const std::string& what) {
  return keep(*app_.add_flag(names, value, what));
}

Command* Command::add_subcommand(const std::string& name, const std::string& what) {
  CLI::App* const app = app_.add_subcommand(name, what);
  return subcommands_.emplace_back(std::unique_ptr<Command>(new Command(*app))).get();
}
void Command::require_subcommand(int number) { app_.require_subcommand(number); }
void Command::fallthrough() { app_.fallthrough(); }
void Command::callback(std::function<void()> call) { app_.callback(std::move(call)); }
std::size_t Command::count(const std::string& name) const { return app_.count(name); }

Result<bool> Command::parse(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
    return false;
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ParseError& e) {  // the library's only way to say it
    return Error{Errc::kUnsupported, e.what()};
  }
}
std::string Command::help() const { return app_.help(); }

}  // namespace mq::cli
