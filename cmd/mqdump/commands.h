// The command line of mqdump: one file a command. Each adds itself with its own options, and says
// what runs it; to add a command, write its file, declare its add_ function below and call it in
// main.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/output.h"
#include "cli/tool.h"
#include "watch.h"

namespace mq::mqdump {

// What every command has.
struct StoreOptions {
  std::string directory;
  bool json = false;
  const bool* quiet = nullptr;  // set by Commands::add, lives as long as the Commands
};

// What those have that may run for long.
struct RunOptions {
  int jobs = 1;
  bool progress = false;
};
void add_run_options(cli::Command& command, RunOptions& options, bool with_jobs = true);

class Commands {
 public:
  explicit Commands(cli::Command& app);
  // A command of DIR and -J; the caller adds the rest. `options` outlives the parsing; `run` is
  // called if the command line names the command, and returns the exit status.
  cli::Command* add(const char* name, const char* what, StoreOptions& options,
                    std::function<int()> run);
  // Commands of two words: `name`, then one that is added here.
  Commands group(const char* name, const char* what);
  // Call after a command line was parsed.
  [[nodiscard]] int run() const { return shared_->chosen(); }

 private:
  struct Shared {
    bool quiet = false;
    std::function<int()> chosen;
  };
  Commands(cli::Command& app, std::shared_ptr<Shared> shared)
      : app_(app), shared_(std::move(shared)) {}
  cli::Command& app_;
  std::shared_ptr<Shared> shared_;
};

void add_info(Commands& all);
void add_log(Commands& all);
void add_queue(Commands& all);
void add_index(Commands& all);
void add_timer(Commands& all);
void add_checkpoint(Commands& all);
void add_config(Commands& all);
void add_get(Commands& all);
void add_verify(Commands& all);
void add_rebuild(Commands& all);
void add_repair(Commands& all);
void add_grep(Commands& all);
void add_top(Commands& all);
void add_export(Commands& all);
void add_diff(Commands& all);
void add_copy(Commands& all);

// The end of a command: what is still in `output` is written and checked; a closed pipe ends the
// process quietly, and a signal that came meanwhile ends it as signals do. Returns `status` if
// `done` and that went well.
int finish(const Result<void>& done, cli::Output& output, int status = cli::kExitOk);

}  // namespace mq::mqdump
