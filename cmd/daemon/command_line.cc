#include "daemon/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command_line.h"
#include "fs/fs.h"

namespace mq::daemon {

void add_config(cli::Command& command, ConfigOptions& config, const std::string& what) {
  command.add_option("-c,--config", config.file, what)->type_name("FILE");
  command.add_option("-o,--option", config.settings, "one key of it; wins over the file")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

Result<std::string> config_text(const ConfigOptions& config) {
  auto text = fs::read_file(fs::posix(), *config.file, 1 << 20);
  if (!text) return Error{Errc::kInvalid, text.error().text()};
  return text;
}

Result<std::vector<std::pair<std::string, std::string>>> key_values(const ConfigOptions& config) {
  std::vector<std::pair<std::string, std::string>> out;
  out.reserve(config.settings.size());
  for (const std::string& pair : config.settings) {
    const std::size_t split = pair.find('=');
    if (split == std::string::npos)
      return Error{Errc::kUnsupported, fmt::format("-o {}: expected KEY=VALUE", pair)};
    out.emplace_back(pair.substr(0, split), pair.substr(split + 1));
  }
  return out;
}

void add_listen(cli::Command& command, std::vector<std::string>& listen, const std::string& what) {
  command.add_option("--listen", listen, "unix:PATH or HOST:PORT, repeatable; replaces " + what)
      ->type_name("ADDR")
      ->allow_extra_args(false);
}

Result<std::vector<net::Address>> listeners(const std::vector<std::string>& listen,
                                            bool may_be_open, std::string_view advice) {
  std::vector<net::Address> out;
  out.reserve(listen.size());
  for (const std::string& text : listen) {
    auto address = net::parse_address(text);
    if (!address)
      return Error{Errc::kUnsupported,
                   fmt::format("--listen {}: {}", text, address.error().text())};
    if (!address->is_loopback() && !may_be_open) {
      return Error{
          Errc::kInvalid,
          fmt::format("--listen {}: open to the network without authentication; {}", text, advice)};
    }
    out.push_back(*std::move(address));
  }
  return out;
}

void add_run(cli::Command& command, RunOptions& run, bool& version) {
  command.add_option("--ready-fd", run.ready_fd, "write one byte there when ready")
      ->type_name("N")
      ->check(cli::at_least(0));
  command.add_flag("-q,--quiet", run.quiet, "log errors only");
  command.add_flag("-v,--verbose", run.verbose, "log more");
  command.add_flag("--version", version, "print the version");
}

void set_log_level(const RunOptions& run) {
  if (run.quiet) log::set_level(log::Level::kError);
  if (run.verbose) log::set_level(log::Level::kDebug);
}

void tell_ready(const RunOptions& run) {
  if (run.ready_fd < 0) return;
  if (write(run.ready_fd, "R", 1) != 1) log::warn("--ready-fd {}: nobody listens", run.ready_fd);
  close(run.ready_fd);
}

std::string state_directory(const std::string& program) {
  if (const std::string dir = cli::environment("STATE_DIRECTORY"); !dir.empty())
    return dir.substr(0, dir.find(':'));
  if (const std::string dir = cli::environment("XDG_STATE_HOME"); !dir.empty())
    return dir + "/" + program;
  if (geteuid() == 0) return "/var/lib/" + program;
  return cli::environment("HOME") + "/.local/state/" + program;
}

}  // namespace mq::daemon
