#include <cstdio>
#include <exception>

#include <sysexits.h>

#include "mqnamesrv/run.h"

int main(int argc, char** argv) {
  try {
    auto options = mq::mqnamesrv::parse_options(argc, argv);
    if (!options) {
      const bool usage = options.error().code() == mq::Errc::kUnsupported;
      std::fprintf(stderr, "mqnamesrv: %s%s\n", options.error().text().c_str(),
                   usage ? " (mqnamesrv --help)" : "");
      return usage ? EX_USAGE : EX_CONFIG;
    }
    return mq::mqnamesrv::run(*options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mqnamesrv: %s\n", e.what());
    return EX_SOFTWARE;
  }
}
