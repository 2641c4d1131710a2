#include <csignal>
#include <exception>

#include "options.h"

int main(int argc, char** argv) {
  using namespace mq;
  cli::set_tool_name("mqdump");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    mqdump::Options o;
    if (auto exit = mqdump::parse_options(argc, argv, o)) return *exit;
    if (o.command == "info") return mqdump::info(o);
    if (o.command == "log") return mqdump::log(o);
    if (o.command == "cq") return mqdump::queue(o);
    if (o.command == "index") return mqdump::index(o);
    if (o.command == "checkpoint") return mqdump::checkpoint(o);
    if (o.command == "config") return mqdump::config(o);
    return mqdump::get(o);
  } catch (const std::exception& e) {
    cli::say(e.what());
    return cli::kExitSoftware;
  }
}
