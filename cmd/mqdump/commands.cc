#include "commands.h"

#include <csignal>

namespace mq::mqdump {

CLI::App* Commands::add(const char* name, const char* what, StoreOptions& options,
                        std::function<int()> run) {
  CLI::App* sub = app_.add_subcommand(name, what);
  sub->add_option("directory", options.directory, "store directory")->type_name("DIR")->required();
  sub->add_flag("-J,--json", options.json, "a JSON object a line");
  sub->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
  return sub;
}

Commands Commands::group(const char* name, const char* what) {
  CLI::App* const sub = app_.add_subcommand(name, what);
  sub->require_subcommand(1);
  return Commands(*sub, chosen_);
}

int finish(const Result<void>& done, cli::Output& output, int status) {
  const Result<void> all = done ? output.close() : done;
  if (!all && all.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  return all ? status : cli::fail(all.error());
}

}  // namespace mq::mqdump
