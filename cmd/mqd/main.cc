#include <cstdio>
#include <exception>

#include <sysexits.h>

#include "run.h"

int main(int argc, char** argv) {
  try {
    auto options = mq::mqd::parse_options(argc, argv);
    if (!options) {
      const bool usage = options.error().code() == mq::Errc::kUnsupported;
      std::fprintf(stderr, "mqd: %s%s\n", options.error().text().c_str(),
                   usage ? " (mqd --help)" : "");
      return usage ? EX_USAGE : EX_CONFIG;
    }
    return mq::mqd::run(std::move(*options));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mqd: %s\n", e.what());
    return EX_SOFTWARE;
  }
}
