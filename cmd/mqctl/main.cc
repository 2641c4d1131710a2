#include <csignal>
#include <exception>

#include "tool.h"

int main(int argc, char** argv) {
  mq::cli::set_tool_name("mqctl");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    mq::mqctl::Tool tool;
    mq::mqctl::add_topic(tool);
    mq::mqctl::add_group(tool);
    mq::mqctl::add_dlq(tool);
    mq::mqctl::add_broker(tool);
    mq::mqctl::add_ns(tool);
    mq::mqctl::add_user(tool);
    mq::mqctl::add_acl(tool);
    mq::mqctl::add_apply(tool);
    return tool.run(argc, argv);
  } catch (const std::exception& e) {
    mq::cli::say(e.what());
    return mq::cli::kExitSoftware;
  }
}
