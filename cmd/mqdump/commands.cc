#include "commands.h"

#include <csignal>

#include <sched.h>

#include "inspect/log_reader.h"

namespace mq::mqdump {
namespace {

// A broker that has the store open comes first: what we take of the processors then is what it
// leaves. (With nice 19 it would still wait for the end of our turn.)
void yield_to_broker(const std::string& directory) {
  const sched_param none{};
  if (inspect::is_held(fs::posix(), directory + "/lock")) sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace

void add_run_options(cli::Command& command, RunOptions& options, bool with_jobs) {
  if (with_jobs)
    command.add_option("-j,--jobs", options.jobs, "threads, each with files of its own")
        ->type_name("N")
        ->check(cli::in_range(1, 256));
  command.add_flag("--progress", options.progress, "show progress even when stderr is no terminal");
}

Commands::Commands(cli::Command& app) : Commands(app, std::make_shared<Shared>()) {
  app.add_flag("-q,--quiet", shared_->quiet, "errors only");
}

cli::Command* Commands::add(const char* name, const char* what, StoreOptions& options,
                            std::function<int()> run) {
  cli::Command* sub = app_.add_subcommand(name, what);
  sub->add_option("directory", options.directory, "store directory")->type_name("DIR")->required();
  sub->add_flag("-J,--json", options.json, "a JSON object a line");
  options.quiet = &shared_->quiet;
  sub->callback([shared = shared_, run = std::move(run), &options] {
    shared->chosen = [run, &options] {
      yield_to_broker(options.directory);
      return run();
    };
  });
  return sub;
}

Commands Commands::group(const char* name, const char* what) {
  cli::Command* const sub = app_.add_subcommand(name, what);
  sub->require_subcommand(1);
  return Commands(*sub, shared_);
}

int finish(const Result<void>& done, cli::Output& output, int status) {
  const Result<void> all = done ? output.close() : done;
  if (!all && all.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  if (all && cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
  return all ? status : cli::fail(all.error());
}

}  // namespace mq::mqdump
