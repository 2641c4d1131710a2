#include <csignal>
#include <exception>

#include "commands.h"

int main(int argc, char** argv) {
  using namespace mq;
  cli::set_tool_name("mqdump");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    cli::Command app("Shows, rebuilds and repairs the files of a RocketMQ store, ours or Apache's.",
                     "mqdump");
    cli::CommonOptions common;
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--print-config", common.print_config,
                 "print each option with its value and origin");
    mqdump::Commands commands(app);
    mqdump::add_info(commands);
    mqdump::add_log(commands);
    mqdump::add_queue(commands);
    mqdump::add_index(commands);
    mqdump::add_timer(commands);
    mqdump::add_checkpoint(commands);
    mqdump::add_config(commands);
    mqdump::add_get(commands);
    mqdump::add_verify(commands);
    mqdump::add_rebuild(commands);
    mqdump::add_repair(commands);
    mqdump::add_grep(commands);
    mqdump::add_top(commands);
    mqdump::add_export(commands);
    mqdump::add_diff(commands);
    mqdump::add_copy(commands);
    if (auto exit = cli::parse(app, common, argc, argv)) return *exit;
    return commands.run();
  } catch (const std::exception& e) {
    cli::say(e.what());
    return cli::kExitSoftware;
  }
}
