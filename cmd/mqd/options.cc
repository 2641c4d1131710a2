#include "options.h"

#include <charconv>
#include <cstdlib>
#include <sstream>

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "broker/live_config.h"
#include "fs/fs.h"

namespace mq::mqd {
namespace {

namespace po = boost::program_options;

po::options_description described() {
  po::options_description d("Options");
  // clang-format off
  d.add_options()
    ("config,c", po::value<std::string>()->value_name("FILE"), "a broker.conf, as Apache's broker takes it")
    ("option,o", po::value<std::vector<std::string>>()->value_name("KEY=VALUE")->composing(), "one key of it; wins over the file")
    ("store", po::value<std::string>()->value_name("DIR"), "directory of the store")
    ("listen", po::value<std::vector<std::string>>()->value_name("ADDR")->composing(), "unix:PATH or HOST:PORT, repeatable; replaces the defaults")
    ("advertise", po::value<std::string>()->value_name("HOST[:PORT]"), "address that clients are told")
    ("namesrv,n", po::value<std::string>()->value_name("ADDR[;ADDR]..."), "name servers to register with; wins over namesrvAddr")
    ("insecure", "allow listeners beyond loopback: there is no authentication yet")
    ("check", "test configuration and store, do not start")
    ("print-config", po::value<std::string>()->implicit_value("all")->value_name("all|changed"), "print every key with its value and origin, or those that were set")
    ("recover-only", "open the store, recover it, close it")
    ("ephemeral", "temporary store, free port; prints NAMESRV_ADDR= and MQ_BROKER= when ready")
    ("ready-fd", po::value<int>()->value_name("N"), "write one byte there when ready")
    ("quiet,q", "log errors only")
    ("verbose,v", "log more")
    ("version", "print the version")
    ("help,h", "print this");
  // clang-format on
  return d;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// systemd's StateDirectory first, then a user's own place, then the system's.
std::string default_store() {
  if (const std::string dir = environment("STATE_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':')) + "/store";
  if (const std::string dir = environment("XDG_STATE_HOME"); !dir.empty())
    return dir + "/mqd/store";
  if (geteuid() == 0) return "/var/lib/mqd/store";
  return environment("HOME") + "/.local/state/mqd/store";
}

std::string default_socket() {
  if (const std::string dir = environment("RUNTIME_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':')) + "/mqd.sock";
  if (const std::string dir = environment("XDG_RUNTIME_DIR"); !dir.empty())
    return dir + "/mqd/mqd.sock";
  return "/run/mqd/mqd.sock";
}

Result<void> read_settings(const po::variables_map& given, broker::Settings& settings) {
  if (given.count("config") != 0) {
    const auto& path = given["config"].as<std::string>();
    auto text = fs::read_file(fs::posix(), path, 1 << 20);
    if (!text) return Error{Errc::kInvalid, text.error().text()};
    MQ_CHECK(settings.parse(*text, path));
  }
  if (given.count("option") != 0) {
    for (const std::string& pair : given["option"].as<std::vector<std::string>>()) {
      const std::size_t split = pair.find('=');
      if (split == std::string::npos)
        return Error{Errc::kUnsupported, fmt::format("-o {}: expected KEY=VALUE", pair)};
      MQ_CHECK(settings.set(pair.substr(0, split), pair.substr(split + 1), "-o"));
    }
  }
  if (given.count("store") != 0)
    MQ_CHECK(settings.set("storePathRootDir", given["store"].as<std::string>(), "--store"));
  if (given.count("namesrv") != 0)
    MQ_CHECK(settings.set("namesrvAddr", given["namesrv"].as<std::string>(), "-n"));
  if (settings.config().store.root.empty()) settings.config().store.root = default_store();
  return broker::take_kept_settings(fs::posix(), broker::kept_settings_path(settings.config()),
                                    settings);
}

Result<void> set_ephemeral(Options& options) {
  const std::string base = environment("TMPDIR");
  std::string dir = (base.empty() ? "/tmp" : base) + "/mqd-ephemeral.XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) return Error::from_errno(errno, dir);
  options.ephemeral = true;
  options.settings.config().store.root = dir;
  MQ_TRY(auto tcp, net::parse_address("127.0.0.1:0"));
  MQ_TRY(auto local, net::parse_address("unix:" + dir + "/mqd.sock"));
  options.listeners = {std::move(tcp), std::move(local)};
  return {};
}

Result<void> set_listeners(const po::variables_map& given, Options& options) {
  std::vector<std::string> texts;
  if (given.count("listen") != 0) {
    texts = given["listen"].as<std::vector<std::string>>();
  } else {
    texts = {"unix:" + default_socket(),
             fmt::format("127.0.0.1:{}", options.settings.config().listen_port), "127.0.0.1:9876"};
  }
  for (const std::string& text : texts) {
    auto address = net::parse_address(text);
    if (!address)
      return Error{Errc::kUnsupported,
                   fmt::format("--listen {}: {}", text, address.error().text())};
    if (!address->is_loopback() && given.count("insecure") == 0) {
      return Error{
          Errc::kInvalid,
          fmt::format("--listen {}: open to the network without authentication; say --insecure "
                      "if that is meant",
                      text)};
    }
    options.listeners.push_back(std::move(*address));
  }
  return {};
}

Result<void> set_advertised(const po::variables_map& given, Options& options) {
  if (given.count("advertise") == 0) return {};
  const auto& text = given["advertise"].as<std::string>();
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

Options::Action action_of(const po::variables_map& given) {
  if (given.count("help") != 0) return Options::Action::kHelp;
  if (given.count("version") != 0) return Options::Action::kVersion;
  if (given.count("check") != 0) return Options::Action::kCheck;
  if (given.count("recover-only") != 0) return Options::Action::kRecoverOnly;
  if (given.count("print-config") == 0) return Options::Action::kServe;
  return given["print-config"].as<std::string>() == "changed" ? Options::Action::kPrintChanged
                                                              : Options::Action::kPrintConfig;
}

}  // namespace

std::string usage() {
  std::ostringstream out;
  out << "usage: mqd [-c FILE] [-o KEY=VALUE]... [--store DIR] [--listen ADDR]... [--advertise "
         "HOST[:PORT]] [-n ADDR[;ADDR]...]\n\n"
      << described()
      << "\nWithout options: a complete service on loopback and on its Unix socket. See mqd(8).\n";
  return out.str();
}

Result<Options> parse_options(int argc, char** argv) {
  po::variables_map given;
  try {
    const po::positional_options_description none;
    po::store(po::command_line_parser(argc, argv).options(described()).positional(none).run(),
              given);
  } catch (const po::error& e) {  // the library's only way to say it
    return Error{Errc::kUnsupported, e.what()};
  }
  Options options;
  options.action = action_of(given);
  options.quiet = given.count("quiet") != 0;
  options.verbose = given.count("verbose") != 0;
  if (options.action == Options::Action::kHelp || options.action == Options::Action::kVersion)
    return options;
  if (given.count("ready-fd") != 0) options.ready_fd = given["ready-fd"].as<int>();
  MQ_CHECK(read_settings(given, options.settings));
  options.adopted = options.settings.adopt_store_sizes(fs::posix());
  MQ_CHECK(options.settings.check());
  MQ_CHECK(set_advertised(given, options));
  MQ_CHECK(set_name_servers(options));
  if (given.count("ephemeral") != 0) {
    MQ_CHECK(set_ephemeral(options));
  } else {
    MQ_CHECK(set_listeners(given, options));
  }
  return options;
}

}  // namespace mq::mqd
