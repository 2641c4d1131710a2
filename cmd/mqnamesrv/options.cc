#include "mqnamesrv/options.h"

#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/options.h"
#include "fs/fs.h"

namespace mq::mqnamesrv {
namespace {

// The line as it stands.
struct Given {
  std::optional<std::string> config, state;
  std::vector<std::string> settings;  // -o KEY=VALUE
  bool print_config = false, version = false;
};

void add_options(cli::Command& command, Given& given, Options& options) {
  command
      .add_option("-c,--config", given.config, "a namesrv.conf, as Apache's name server takes it")
      ->type_name("FILE");
  command.add_option("-o,--option", given.settings, "one key of it; wins over the file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_option("--state", given.state, "directory of kvConfig.json and namesrv.properties")
      ->type_name("DIR");
  command
      .add_option("--listen", options.listen,
                  "unix:PATH or HOST:PORT, repeatable; replaces the default")
      ->type_name("ADDR")
      ->allow_extra_args(false);
  command.add_flag("--insecure", options.insecure,
                   "allow listeners beyond loopback: there is no authentication");
  command.add_flag("--print-config", given.print_config, "print every key with its value");
  command.add_option("--ready-fd", options.ready_fd, "write one byte there when ready")
      ->type_name("N")
      ->check(cli::at_least(0));
  command.add_flag("-q,--quiet", options.quiet, "log errors only");
  command.add_flag("-v,--verbose", options.verbose, "log more");
  command.add_flag("--version", given.version, "print the version");
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// systemd's StateDirectory first, then a user's own place, then the system's.
std::string default_state() {
  if (const std::string dir = environment("STATE_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':'));
  if (const std::string dir = environment("XDG_STATE_HOME"); !dir.empty())
    return dir + "/mqnamesrv";
  if (geteuid() == 0) return "/var/lib/mqnamesrv";
  return environment("HOME") + "/.local/state/mqnamesrv";
}

Result<void> take_values(const Given& given, Options& options) {
  options.state_directory = given.state ? *given.state : default_state();
  for (const std::string& pair : given.settings) {
    const std::size_t split = pair.find('=');
    if (split == std::string::npos)
      return Error{Errc::kUnsupported, fmt::format("-o {}: expected KEY=VALUE", pair)};
    options.settings.emplace_back(pair.substr(0, split), pair.substr(split + 1));
  }
  if (!given.config) return {};
  options.config_file = *given.config;
  auto text = fs::read_file(fs::posix(), options.config_file, 1 << 20);
  if (!text) return Error{Errc::kInvalid, text.error().text()};
  options.config_text = *std::move(text);
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
  std::vector<net::Address> out;
  for (const std::string& text : texts) {
    auto address = net::parse_address(text);
    if (!address)
      return Error{Errc::kUnsupported,
                   fmt::format("--listen {}: {}", text, address.error().text())};
    if (!address->is_loopback() && !options.insecure) {
      return Error{
          Errc::kInvalid,
          fmt::format("--listen {}: open to the network without authentication; say --insecure "
                      "if that is meant",
                      text)};
    }
    out.push_back(*std::move(address));
  }
  return out;
}

}  // namespace mq::mqnamesrv
