#include "mqnamesrv/options.h"

#include <fmt/format.h>

#include "fs/fs.h"

namespace mq::mqnamesrv {
namespace {

// The line as it stands.
struct Given {
  daemon::ConfigOptions config;
  std::optional<std::string> state;
  bool print_config = false, version = false;
};

void add_options(cli::Command& command, Given& given, Options& options) {
  daemon::add_config(command, given.config, "a namesrv.conf, as Apache's name server takes it");
  command.add_option("--state", given.state, "directory of kvConfig.json and namesrv.properties")
      ->type_name("DIR");
  daemon::add_listen(command, options.listen, "the default");
  command.add_flag("--insecure", options.insecure,
                   "allow listeners beyond loopback: there is no authentication");
  command.add_flag("--print-config", given.print_config, "print every key with its value");
  daemon::add_run(command, options.run, given.version);
}

Result<void> take_values(const Given& given, Options& options) {
  options.state_directory = given.state ? *given.state : daemon::state_directory("mqnamesrv");
  MQ_TRY(options.settings, daemon::key_values(given.config));
  if (!given.config.file) return {};
  options.config_file = *given.config.file;
  MQ_TRY(options.config_text, daemon::config_text(given.config));
  return {};
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  cli::Command command("A name server. Without options: on 127.0.0.1:9876. See mqnamesrv(8).",
                       "mqnamesrv");
  Given given;
  Options options;
  add_options(command, given, options);
  MQ_TRY(const bool wants_help, command.parse(argc, argv));
  if (wants_help) {
    options.action = Options::Action::kHelp;
    options.help = command.help();
    return options;
  }
  if (given.version) {
    options.action = Options::Action::kVersion;
  } else if (given.print_config) {
    options.action = Options::Action::kPrintConfig;
  }
  MQ_CHECK(take_values(given, options));
  return options;
}

Result<void> read_settings(const Options& options, route::NameSettings& settings) {
  MQ_CHECK(settings.parse(options.config_text, options.config_file));
  const std::string kept = settings.get().config_path;
  MQ_CHECK(settings.keep_in(fs::posix(),
                            kept.empty() ? options.state_directory + "/namesrv.properties" : kept));
  for (const auto& [key, value] : options.settings)
    if (auto done = settings.set(key, value); !done) return std::move(done).error().within("-o");
  return {};
}

std::string kv_path(const Options& options, const route::NameConfig& config) {
  return config.kv_path.empty() ? options.state_directory + "/kvConfig.json" : config.kv_path;
}

Result<std::vector<net::Address>> listeners(const Options& options,
                                            const route::NameConfig& config) {
  std::vector<std::string> texts = options.listen;
  if (texts.empty()) {
    texts.push_back(fmt::format("{}:{}",
                                config.bind_address.empty() ? "127.0.0.1" : config.bind_address,
                                config.listen_port));
  }
  return daemon::listeners(texts, options.insecure, "say --insecure if that is meant");
}

}  // namespace mq::mqnamesrv
