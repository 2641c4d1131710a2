#include "options.h"

#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "broker/live_config.h"
#include "cli/command_line.h"
#include "fs/fs.h"

namespace mq::mqd {
namespace {

// The line as it stands.
struct Given {
  daemon::ConfigOptions config;
  std::optional<std::string> store, advertise, namesrv;
  std::vector<std::string> listen;
  bool insecure = false, check = false, recover_only = false, ephemeral = false, version = false;
  std::string print_config;  // "all" or "changed"
};

void add_options(cli::Command& command, Given& given, Options& options) {
  daemon::add_config(command, given.config, "a broker.conf, as Apache's broker takes it");
  command.add_option("--store", given.store, "directory of the store")->type_name("DIR");
  daemon::add_listen(command, given.listen, "the defaults");
  command.add_option("--advertise", given.advertise, "address that clients are told")
      ->type_name("HOST[:PORT]");
  command
      .add_option("-n,--namesrv", given.namesrv,
                  "name servers to register with; wins over namesrvAddr")
      ->type_name("ADDR[;ADDR]...");
  command.add_flag("--insecure", given.insecure,
                   "allow listeners beyond loopback without authenticationEnabled=true");
  command.add_flag("--check", given.check, "test configuration and store, do not start");
  command.add_flag("--print-config{all}", given.print_config,
                   "print every key with its value and origin; with =changed those that were set");
  command.add_flag("--recover-only", given.recover_only, "open the store, recover it, close it");
  command.add_flag("--ephemeral", given.ephemeral,
                   "temporary store, free port; prints NAMESRV_ADDR= and MQ_BROKER= when ready");
  daemon::add_run(command, options.run, given.version);
}

std::string default_store() { return daemon::state_directory("mqd") + "/store"; }

std::string default_socket() {
  if (const std::string dir = cli::environment("RUNTIME_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':')) + "/mqd.sock";
  if (const std::string dir = cli::environment("XDG_RUNTIME_DIR"); !dir.empty())
    return dir + "/mqd/mqd.sock";
  return "/run/mqd/mqd.sock";
}

Result<void> read_settings(const Given& given, broker::Settings& settings) {
  if (given.config.file) {
    MQ_TRY(const std::string text, daemon::config_text(given.config));
    MQ_CHECK(settings.parse(text, *given.config.file));
  }
  MQ_TRY(const auto key_values, daemon::key_values(given.config));
  for (const auto& [key, value] : key_values) MQ_CHECK(settings.set(key, value, "-o"));
  if (given.store) MQ_CHECK(settings.set("storePathRootDir", *given.store, "--store"));
  if (given.namesrv) MQ_CHECK(settings.set("namesrvAddr", *given.namesrv, "-n"));
  if (settings.config().store.root.empty()) settings.config().store.root = default_store();
  return broker::take_kept_settings(fs::posix(), broker::kept_settings_path(settings.config()),
                                    settings);
}

Result<void> set_ephemeral(Options& options) {
  const std::string base = cli::environment("TMPDIR");
  std::string dir = (base.empty() ? "/tmp" : base) + "/mqd-ephemeral.XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) return Error::from_errno(errno, dir);
  options.ephemeral = true;
  options.settings.config().store.root = dir;
  MQ_TRY(auto tcp, net::parse_address("127.0.0.1:0"));
  MQ_TRY(auto local, net::parse_address("unix:" + dir + "/mqd.sock"));
  options.listeners = {std::move(tcp), std::move(local)};
  return {};
}

Result<void> set_listeners(const Given& given, Options& options) {
  std::vector<std::string> texts = given.listen;
  if (texts.empty()) {
    texts = {"unix:" + default_socket(),
             fmt::format("127.0.0.1:{}", options.settings.config().listen_port), "127.0.0.1:9876"};
  }
  MQ_TRY(options.listeners,
         daemon::listeners(texts, given.insecure || options.settings.config().access.authentication,
                           "set authenticationEnabled=true, or say --insecure if that is meant"));
  return {};
}

Result<void> set_advertised(const Given& given, Options& options) {
  if (!given.advertise) return {};
  const std::string& text = *given.advertise;
  const std::size_t colon = text.rfind(':');
  options.advertise_host = text.substr(0, colon);
  if (colon == std::string::npos) return {};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, options.advertise_port);
  if (error != std::errc{} || stop != end || options.advertise_port < 1 ||
      options.advertise_port > 65535) {
    return Error{Errc::kUnsupported,
                 fmt::format("--advertise {}: '{}' is not a port", text, text.substr(colon + 1))};
  }
  return {};
}

Result<void> set_name_servers(Options& options) {
  auto servers = net::parse_addresses(options.settings.config().namesrv_addr);
  if (!servers)
    return Error{Errc::kInvalid, fmt::format("namesrvAddr: {}", servers.error().text())};
  options.name_servers = *std::move(servers);
  return {};
}

Options::Action action_of(const Given& given) {
  if (given.version) return Options::Action::kVersion;
  if (given.check) return Options::Action::kCheck;
  if (given.recover_only) return Options::Action::kRecoverOnly;
  if (given.print_config.empty()) return Options::Action::kServe;
  return given.print_config == "changed" ? Options::Action::kPrintChanged
                                         : Options::Action::kPrintConfig;
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
  cli::Command command(
      "The daemon. Without options: a complete service on loopback and on its Unix socket. See "
      "mqd(8).",
      "mqd");
  Given given;
  Options options;
  add_options(command, given, options);
  MQ_TRY(const bool wants_help, command.parse(argc, argv));
  options.action = wants_help ? Options::Action::kHelp : action_of(given);
  if (wants_help) options.help = command.help();
  if (wants_help || given.version) return options;
  MQ_CHECK(read_settings(given, options.settings));
  options.adopted = options.settings.adopt_store_sizes(fs::posix());
  MQ_CHECK(options.settings.check());
  MQ_CHECK(set_advertised(given, options));
  MQ_CHECK(set_name_servers(options));
  if (given.ephemeral) {
    MQ_CHECK(set_ephemeral(options));
  } else {
    MQ_CHECK(set_listeners(given, options));
  }
  return options;
}

}  // namespace mq::mqd
