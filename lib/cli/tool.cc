#include "cli/tool.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/units.h"
#include "client/admin.h"

namespace mq::cli {
namespace {

const char* tool_name = "mq";

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : std::string(value);
}

// "--foo-bar" is MQ_FOO_BAR.
std::string environment_name(const std::string& long_name) {
  std::string out = "MQ_";
  for (const char c : long_name)
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// The profile is needed before the options are parsed, as it supplies some of them.
std::string profile_name(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--profile" && i + 1 < argc) return argv[i + 1];
    if (argument.starts_with("--profile=")) return std::string(argument.substr(10));
  }
  const std::string from_environment = environment("MQ_PROFILE");
  return from_environment.empty() ? "default" : from_environment;
}

std::string profile_path(const std::string& name) {
  const std::string own = environment("HOME") + "/.config/mq/" + name + ".conf";
  if (access(own.c_str(), R_OK) == 0) return own;
  const std::string system = "/etc/mq/" + name + ".conf";
  return access(system.c_str(), R_OK) == 0 ? system : std::string();
}

bool stands_in_file(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t end = line.find_first_of(" =");
    if (end != std::string::npos && line.substr(0, end) == key) return true;
  }
  return false;
}

void print_options(const CLI::App& app, const std::string& profile, int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "print-config") continue;
    std::string origin = "built-in";
    const bool on_line = std::any_of(arguments.begin(), arguments.end(), [&](const std::string& a) {
      if (a.starts_with("--")) return a.substr(2, a.find('=') - 2) == name;
      return !option->get_snames().empty() && a.size() >= 2 && a[0] == '-' &&
             a[1] == option->get_snames().front()[0];
    });
    if (on_line) {
      origin = "flag";
    } else if (!environment(environment_name(name)).empty()) {
      origin = "environment " + environment_name(name);
    } else if (!profile.empty() && stands_in_file(profile, name)) {
      origin = profile;
    }
    const std::string value =
        option->count() > 0 ? CLI::detail::join(option->results(), ",") : option->get_default_str();
    std::printf("%s=%s  # %s\n", name.c_str(), value.c_str(), origin.c_str());
  }
}

std::vector<std::string> local_sockets() {
  std::vector<std::string> out;
  if (const std::string dir = environment("XDG_RUNTIME_DIR"); !dir.empty())
    out.push_back("unix:" + dir + "/mqd/mqd.sock");
  out.emplace_back("unix:/run/mqd/mqd.sock");
  return out;
}

Result<net::Address> broker_from_namesrv(const std::string& list, std::int64_t timeout_ms) {
  std::string tried;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    const std::string_view one = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    auto address = net::parse_address(one);
    if (!address) return std::move(address).error();
    auto rpc =
        client::Rpc::connect(*address, {.connect_timeout_ms = 3000, .timeout_ms = timeout_ms});
    auto info = rpc ? client::cluster_info(*rpc) : Result<wire::ClusterInfo>(rpc.error());
    if (!info) {
      fmt::format_to(std::back_inserter(tried), "{}{}", tried.empty() ? "" : "; ",
                     info.error().text());
      continue;
    }
    for (const auto& [name, broker] : info->brokers) {
      if (const auto master = broker.addrs.find(0); master != broker.addrs.end())
        return net::parse_address(master->second);
    }
    return Error{Errc::kUnavailable, fmt::format("name server {} knows no broker", one)};
  }
  return Error{Errc::kUnavailable, "no name server answers: " + tried};
}

}  // namespace

int exit_for(const Error& error) noexcept {
  switch (error.code()) {
    case Errc::kInvalid:
      return kExitUsage;
    case Errc::kCorrupt:
      return kExitData;
    case Errc::kNotFound:
      return kExitNoInput;
    case Errc::kUnavailable:
      return kExitUnavailable;
    case Errc::kNoSpace:
    case Errc::kBusy:
    case Errc::kTimeout:
    case Errc::kClosed:
      return kExitTemporary;
    case Errc::kIo:
      return kExitIo;
    case Errc::kExists:
      return kExitCantCreate;
    case Errc::kDenied:
      return kExitDenied;
    case Errc::kProtocol:
    case Errc::kRemote:
    case Errc::kUnsupported:
    case Errc::kShort:
      return kExitProtocol;
  }
  return kExitSoftware;
}

void set_tool_name(const char* name) noexcept { tool_name = name; }
void say(std::string_view text) { fmt::print(stderr, "{}: {}\n", tool_name, text); }
int fail(const Error& error) {
  say(error.text().empty() ? error.to_string() : error.text());
  return exit_for(error);
}

std::int64_t CommonOptions::timeout_ms() const {
  return parse_duration_ms(timeout).value_or(15'000);
}

void add_common(CLI::App& app, CommonOptions& common, bool with_timeout) {
  app.add_option("-b,--broker", common.broker, "broker: unix:PATH or HOST:PORT")->type_name("ADDR");
  app.add_option("-n,--namesrv", common.namesrv, "name servers: HOST:PORT[;HOST:PORT...]")
      ->type_name("ADDR");
  app.add_option("--profile", common.profile,
                 "options from ~/.config/mq/NAME.conf or /etc/mq/NAME.conf")
      ->type_name("NAME")
      ->capture_default_str();
  if (with_timeout)
  app.add_option("--timeout", common.timeout, "how long to wait for an answer")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check([](const std::string& text) {
        auto d = parse_duration_ms(text);
        return d ? std::string() : d.error().text();
      });
  app.add_flag("-q,--quiet", common.quiet, "errors only");
  app.add_flag("-v,--verbose", common.verbose, "say more");
  app.add_flag("--print-config", common.print_config,
               "print each option with its value and origin");
}

std::optional<int> parse(CLI::App& app, CommonOptions& common, int argc, char** argv) {
  std::string profile;
  try {
    app.set_version_flag("--version", std::string(tool_name) +
                                          " " MQ_VERSION
                                          " (remoting protocol of RocketMQ 5.3.3, file store)");
    for (CLI::Option* option : app.get_options()) {
      if (!option->get_lnames().empty())
        option->envname(environment_name(option->get_lnames().front()));
    }
    profile = profile_path(profile_name(argc, argv));
    if (!profile.empty()) app.set_config("--profile-file", profile)->group("");
    app.allow_config_extras(true);  // a profile serves all tools; each takes what it knows
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForVersion& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    say(fmt::format("{} ({} --help)", e.what(), tool_name));
    return dynamic_cast<const CLI::FileError*>(&e) != nullptr ? kExitConfig : kExitUsage;
  }
  if (common.namesrv.empty() && common.broker.empty()) common.namesrv = environment("NAMESRV_ADDR");
  if (common.print_config) {
    print_options(app, profile, argc, argv);
    return kExitOk;
  }
  return std::nullopt;
}

Result<net::Address> find_broker(const CommonOptions& common) {
  if (!common.broker.empty()) return net::parse_address(common.broker);
  if (!common.namesrv.empty()) return broker_from_namesrv(common.namesrv, common.timeout_ms());
  std::string tried;
  for (const std::string& text : local_sockets()) {
    MQ_TRY(auto address, net::parse_address(text));
    if (auto stream = net::Stream::connect(address, 1000)) return address;
    fmt::format_to(std::back_inserter(tried), "{}{}", tried.empty() ? "" : ", ", text);
  }
  return Error{Errc::kUnavailable, fmt::format("no daemon answers at {}; start one with 'mqd' (or "
                                               "'systemctl start mqd'), or name one with -b",
                                               tried)};
}

Result<Connected> connect_broker(const CommonOptions& common) {
  MQ_TRY(auto address, find_broker(common));
  auto rpc = client::Rpc::connect(address,
                                  {.connect_timeout_ms = 3000, .timeout_ms = common.timeout_ms()});
  if (!rpc) {
    return Error{Errc::kUnavailable, fmt::format("no daemon answers at {}: {}; is mqd running?",
                                                 net::to_string(address), rpc.error().text())};
  }
  return Connected{std::move(*rpc), std::move(address)};
}

Result<TopicAt> look_up_topic(client::Rpc& rpc, std::string_view topic) {
  auto route = client::topic_route(rpc, topic);
  if (route && !route->queues.empty()) {
    const wire::QueueData& q = route->queues.front();
    return TopicAt{q.broker_name, q.read_queues, q.write_queues};
  }
  if (!route && route.error().code() == Errc::kNotFound) {
    return Error{Errc::kNotFound, fmt::format("topic '{}' does not exist", topic)};
  }
  // A stock broker is no name server.
  auto config = client::topic_config(rpc, topic);
  if (!config) {
    if (config.error().code() != Errc::kNotFound) return std::move(config).error();
    return Error{Errc::kNotFound, fmt::format("topic '{}' does not exist", topic)};
  }
  std::string name;
  if (auto settings = client::broker_config(rpc)) name = (*settings)["brokerName"];
  return TopicAt{std::move(name), config->read_queues, config->write_queues};
}

}  // namespace mq::cli
