#include "cli/tool.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/complete.h"
#include "cli/units.h"

namespace mq::cli {
namespace {

// The profile is needed before the options are parsed, as it supplies some of them.
std::string profile_name(const Glance& seen) {
  if (const std::string* given = seen.value_of("--profile")) return *given;
  const std::string name = environment("MQ_PROFILE");
  return name.empty() ? "default" : name;
}

// Nearest wins: the line, then $MQ_BROKER, $MQ_NAMESRV or $NAMESRV_ADDR, then the profile.
std::optional<int> settle_where(CLI::App& app, CommonOptions& common, const Layers& layers) {
  const CLI::Option* broker = app.get_option_no_throw("--broker");
  const CLI::Option* namesrv = app.get_option_no_throw("--namesrv");
  if (broker == nullptr || namesrv == nullptr) return std::nullopt;
  const int broker_rank = layers.of(*broker).rank;
  int namesrv_rank = layers.of(*namesrv).rank;
  constexpr int kFlag = 3;
  constexpr int kEnvironment = 2;
  if (broker_rank == kFlag && namesrv_rank == kFlag) {
    say(fmt::format("-b and -n exclude each other ({} --help)", tool_name()));
    return kExitUsage;
  }
  const std::string usual = environment("NAMESRV_ADDR");
  if (namesrv_rank < kEnvironment && !usual.empty()) {
    common.namesrv = usual;
    namesrv_rank = kEnvironment;
  }
  if (namesrv_rank > broker_rank) common.broker.clear();
  if (!common.broker.empty()) common.namesrv.clear();
  return std::nullopt;
}

std::string version_text() {
  return fmt::format("{} " MQ_VERSION " (remoting protocol of RocketMQ 5.3.3, file store)",
                     tool_name());
}

CLI::Validator checked_by(std::function<Result<std::int64_t>(std::string_view)> parse_value) {
  return {[parse_value = std::move(parse_value)](std::string& text) {
            auto value = parse_value(text);
            return value ? std::string() : value.error().text();
          },
          ""};
}

}  // namespace

std::int64_t CommonOptions::timeout_ms() const {
  return parse_duration_ms(timeout).value_or(15'000);
}
std::int64_t CommonOptions::drain_ms() const { return parse_duration_ms(drain).value_or(5000); }

CLI::Validator is_duration() {
  return checked_by([](std::string_view text) { return parse_duration_ms(text); });
}
CLI::Validator is_size() {
  return checked_by([](std::string_view text) { return parse_size(text); });
}
CLI::Validator at_least(std::int64_t least) {
  return checked_by([least](std::string_view text) -> Result<std::int64_t> {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end && value >= least) return value;
    return Error{Errc::kInvalid, fmt::format("'{}' is not a whole number from {} on", text, least)};
  });
}
CLI::Validator above_zero() {
  return checked_by([](std::string_view text) -> Result<std::int64_t> {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end && value > 0 && std::isfinite(value)) return 1;
    return Error{Errc::kInvalid, fmt::format("'{}' is not a number above 0", text)};
  });
}

void add_common(CLI::App& app, CommonOptions& common, bool with_timeout) {
  app.add_option("-b,--broker", common.broker, "broker: unix:PATH or HOST:PORT")->type_name("ADDR");
  app.add_option("-n,--namesrv", common.namesrv, "name servers: HOST:PORT[;HOST:PORT...]")
      ->type_name("ADDR");
  app.add_option("--profile", common.profile,
                 "options from ~/.config/mq/NAME.conf or /etc/mq/NAME.conf")
      ->type_name("NAME")
      ->capture_default_str();
  if (with_timeout) {
    app.add_option("--timeout", common.timeout, "how long to wait for an answer")
        ->type_name("DURATION")
        ->capture_default_str()
        ->check(is_duration());
  }
  app.add_flag("-q,--quiet", common.quiet, "errors only");
  app.add_flag("-v,--verbose", common.verbose, "say more");
  app.add_flag("--print-config", common.print_config,
               "print each option with its value and origin");
}

void add_moving(CLI::App& app, CommonOptions& common) {
  app.add_option("--drain", common.drain, "how long to finish what is under way after a signal")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(is_duration());
  app.add_flag("--progress", common.progress, "show progress even when stderr is no terminal");
}

std::optional<int> parse(CLI::App& app, CommonOptions& common, int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  app.set_version_flag("--version", version_text());
  if (!words.empty() && words.front() == "--complete") {
    words.erase(words.begin());
    return complete(app, words);
  }
  const Glance seen = glance(app, words);
  auto profile = load_profile(profile_name(seen));
  if (!profile) {
    say(profile.error().text());
    return kExitConfig;
  }
  const Layers layers(seen, *profile);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    // Nothing but --print-config: subcommands are no matter then.
    if (seen.value_of("--print-config") != nullptr && seen.positionals == 0) {
      layers.print();
      return kExitOk;
    }
    say(fmt::format("{} ({} --help)", layers.blame(e.what()), tool_name()));
    return kExitUsage;
  }
  if (auto exit = settle_where(app, common, layers)) return exit;
  if (common.print_config) {
    layers.print();
    return kExitOk;
  }
  return std::nullopt;
}

}  // namespace mq::cli
