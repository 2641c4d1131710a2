#include "cli/exit.h"

#include <cstdio>

#include <fmt/format.h>

namespace mq::cli {
namespace {

const char* name_of_tool = "mq";

}  // namespace

int exit_for(const Error& error) noexcept {
  switch (error.code()) {
    case Errc::kInvalid:
      return kExitUsage;
    case Errc::kCorrupt:
      return kExitData;
    case Errc::kNotFound:
      return kExitNoInput;
    case Errc::kUnavailable:
      return kExitUnavailable;
    case Errc::kNoSpace:
    case Errc::kBusy:
    case Errc::kTimeout:
    case Errc::kClosed:
      return kExitTemporary;
    case Errc::kIo:
      return kExitIo;
    case Errc::kExists:
      return kExitCantCreate;
    case Errc::kDenied:
      return kExitDenied;
    case Errc::kProtocol:
    case Errc::kRemote:
    case Errc::kUnsupported:
    case Errc::kShort:
      return kExitProtocol;
  }
  return kExitSoftware;
}

void set_tool_name(const char* name) noexcept { name_of_tool = name; }
const char* tool_name() noexcept { return name_of_tool; }
void say(std::string_view text) { to_stderr(fmt::format("{}: {}\n", name_of_tool, text)); }
void to_stderr(std::string_view text) noexcept {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
}
int fail(const Error& error) {
  say(error.text().empty() ? error.to_string() : error.text());
  return exit_for(error);
}

}  // namespace mq::cli
