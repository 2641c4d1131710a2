#include "cli/tool.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command_line.h"
#include "cli/complete.h"
#include "client/channel.h"

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

// Secrets have no option: anybody sees command lines.
std::optional<int> settle_credentials(const CommonOptions& common) {
  if (common.access_key.empty()) {
    if (common.secret_file.empty()) return std::nullopt;
    say(fmt::format("--secret-file needs --access-key ({} --help)", tool_name()));
    return kExitUsage;
  }
  std::string secret = environment("MQ_SECRET_KEY");
  if (!common.secret_file.empty()) {
    auto line = read_secret(common.secret_file);
    if (!line) {
      say("--secret-file: " + line.error().text());
      return kExitConfig;
    }
    secret = *std::move(line);
  }
  if (secret.empty()) {
    say("--access-key needs a secret: --secret-file FILE, or $MQ_SECRET_KEY");
    return kExitUsage;
  }
  client::sign_as({.access_key = common.access_key, .secret = std::move(secret)});
  return std::nullopt;
}

std::string version_text() {
  return fmt::format("{} " MQ_VERSION " (remoting protocol of RocketMQ 5.3.3, file store)",
                     tool_name());
}

}  // namespace

std::optional<int> parse(Command& command, CommonOptions& common, int argc, char** argv) {
  CLI::App& app = command.app();
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
  return settle_credentials(common);
}

}  // namespace mq::cli
