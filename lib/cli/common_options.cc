#include "cli/common_options.h"

#include "cli/options.h"
#include "cli/units.h"
#include "fs/fs.h"

namespace mq::cli {

std::int64_t CommonOptions::timeout_ms() const {
  return parse_duration_ms(timeout).value_or(15'000);
}
std::int64_t CommonOptions::drain_ms() const { return parse_duration_ms(drain).value_or(5000); }

void add_common(Command& command, CommonOptions& common, bool with_timeout) {
  command.add_option("-b,--broker", common.broker, "broker: unix:PATH or HOST:PORT")
      ->type_name("ADDR");
  command.add_option("-n,--namesrv", common.namesrv, "name servers: HOST:PORT[;HOST:PORT...]")
      ->type_name("ADDR");
  command
      .add_option("--profile", common.profile,
                  "options from ~/.config/mq/NAME.conf or /etc/mq/NAME.conf")
      ->type_name("NAME")
      ->capture_default_str();
  command.add_option("--access-key", common.access_key, "user to sign requests as")
      ->type_name("KEY");
  command
      .add_option("--secret-file", common.secret_file,
                  "file of the user's secret; otherwise $MQ_SECRET_KEY")
      ->type_name("FILE");
  if (with_timeout) {
    command.add_option("--timeout", common.timeout, "how long to wait for an answer")
        ->type_name("DURATION")
        ->capture_default_str()
        ->check(is_duration());
  }
  command.add_flag("-q,--quiet", common.quiet, "errors only");
  command.add_flag("-v,--verbose", common.verbose, "say more");
  command.add_flag("--print-config", common.print_config,
                   "print each option with its value and origin");
}

void add_moving(Command& command, CommonOptions& common) {
  command
      .add_option("--drain", common.drain, "how long to finish what is under way after a signal")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(is_duration());
  command.add_flag("--progress", common.progress, "show progress even when stderr is no terminal");
}

Result<std::string> read_secret(const std::string& path) {
  MQ_TRY(const std::string text, fs::read_file(fs::posix(), path, 1 << 16));
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace mq::cli
