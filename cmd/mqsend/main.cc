#include <csignal>
#include <exception>

#include "bench.h"
#include "cli/exit.h"
#include "run.h"

int main(int argc, char** argv) {
  mq::cli::set_tool_name("mqsend");
  std::signal(SIGPIPE,
              SIG_IGN);  // a lost connection is an error to report; standard output is checked
  try {
    mq::mqsend::Options options;
    if (auto exit = mq::mqsend::parse_options(argc, argv, options)) return *exit;
    return options.bench ? mq::mqsend::bench(options) : mq::mqsend::run(options);
  } catch (const std::exception& e) {
    mq::cli::say(e.what());
    return mq::cli::kExitSoftware;
  }
}
