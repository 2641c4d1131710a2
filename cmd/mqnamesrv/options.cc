#include "mqnamesrv/options.h"

#include <cstdlib>
#include <sstream>

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "fs/fs.h"

namespace mq::mqnamesrv {
namespace {

namespace po = boost::program_options;

po::options_description described() {
  po::options_description d("Options");
  // clang-format off
  d.add_options()
    ("config,c", po::value<std::string>()->value_name("FILE"), "a namesrv.conf, as Apache's name server takes it")
    ("option,o", po::value<std::vector<std::string>>()->value_name("KEY=VALUE")->composing(), "one key of it; wins over the file")
    ("state", po::value<std::string>()->value_name("DIR"), "directory of kvConfig.json and namesrv.properties")
    ("listen", po::value<std::vector<std::string>>()->value_name("ADDR")->composing(), "unix:PATH or HOST:PORT, repeatable; replaces the default")
    ("insecure", "allow listeners beyond loopback: there is no authentication")
    ("print-config", "print every key with its value")
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
std::string default_state() {
  if (const std::string dir = environment("STATE_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':'));
  if (const std::string dir = environment("XDG_STATE_HOME"); !dir.empty())
    return dir + "/mqnamesrv";
  if (geteuid() == 0) return "/var/lib/mqnamesrv";
  return environment("HOME") + "/.local/state/mqnamesrv";
}

Options::Action action_of(const po::variables_map& given) {
  if (given.count("help") != 0) return Options::Action::kHelp;
  if (given.count("version") != 0) return Options::Action::kVersion;
  if (given.count("print-config") != 0) return Options::Action::kPrintConfig;
  return Options::Action::kServe;
}

Result<void> take_values(const po::variables_map& given, Options& options) {
  options.state_directory =
      given.count("state") != 0 ? given["state"].as<std::string>() : default_state();
  if (given.count("listen") != 0) options.listen = given["listen"].as<std::vector<std::string>>();
  if (given.count("ready-fd") != 0) options.ready_fd = given["ready-fd"].as<int>();
  if (given.count("option") != 0) {
    for (const std::string& pair : given["option"].as<std::vector<std::string>>()) {
      const std::size_t split = pair.find('=');
      if (split == std::string::npos)
        return Error{Errc::kUnsupported, fmt::format("-o {}: expected KEY=VALUE", pair)};
      options.settings.emplace_back(pair.substr(0, split), pair.substr(split + 1));
    }
  }
  if (given.count("config") == 0) return {};
  options.config_file = given["config"].as<std::string>();
  auto text = fs::read_file(fs::posix(), options.config_file, 1 << 20);
  if (!text) return Error{Errc::kInvalid, text.error().text()};
  options.config_text = *std::move(text);
  return {};
}

}  // namespace

std::string usage() {
  std::ostringstream out;
  out << "usage: mqnamesrv [-c FILE] [-o KEY=VALUE]... [--state DIR] [--listen ADDR]...\n\n"
      << described() << "\nWithout options: a name server on 127.0.0.1:9876. See mqnamesrv(8).\n";
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
  options.insecure = given.count("insecure") != 0;
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
