#include <csignal>
#include <exception>

#include "cli/exit.h"
#include "run.h"

int main(int argc, char** argv) {
  mq::cli::set_tool_name("mqrecv");
  std::signal(SIGPIPE,
              SIG_IGN);  // a lost connection is an error to report; standard output is checked
  try {
    mq::mqrecv::Options options;
    if (auto exit = mq::mqrecv::parse_options(argc, argv, options)) return *exit;
    return mq::mqrecv::run(options);
  } catch (const std::exception& e) {
    mq::cli::say(e.what());
    return mq::cli::kExitSoftware;
  }
}
