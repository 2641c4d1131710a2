// How a tool ends and what it says on stderr.
#pragma once

#include <string_view>

#include "base/result.h"

namespace mq::cli {

enum Exit : int {
  kExitOk = 0,
  kExitNo = 1,  // a question answered "no"
  kExitUsage = 64,
  kExitData = 65,
  kExitNoInput = 66,
  kExitUnavailable = 69,
  kExitSoftware = 70,
  kExitOs = 71,
  kExitCantCreate = 73,
  kExitIo = 74,
  kExitTemporary = 75,
  kExitProtocol = 76,
  kExitDenied = 77,
  kExitConfig = 78,
};
[[nodiscard]] int exit_for(const Error& error) noexcept;

// "mqsend: text" on stderr. Set the name once, in main.
void set_tool_name(const char* name) noexcept;
[[nodiscard]] const char* tool_name() noexcept;
void say(std::string_view text);
// As it is. Who has closed stderr does not read it: no error.
void to_stderr(std::string_view text) noexcept;
// Says the error and returns its exit code.
int fail(const Error& error);

}  // namespace mq::cli
