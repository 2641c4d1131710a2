// What all tools share: exit codes, the line on stderr, options with environment and profile,
// finding the broker.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "client/rpc.h"

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
void say(std::string_view text);
// Says the error and returns its exit code.
int fail(const Error& error);

struct CommonOptions {
  std::string broker;   // -b
  std::string namesrv;  // -n
  std::string profile = "default";
  bool quiet = false;
  bool verbose = false;
  bool print_config = false;
  std::string timeout = "15s";
  [[nodiscard]] std::int64_t timeout_ms() const;  // checked by then
};
// Without `with_timeout` the tool has a --timeout of its own meaning.
void add_common(CLI::App& app, CommonOptions& common, bool with_timeout = true);

// Parses; every long flag may come from MQ_FOO_BAR and the profile, too. Returns the exit code if
// the tool is to end here (help, version, print-config, a wrong command line).
std::optional<int> parse(CLI::App& app, CommonOptions& common, int argc, char** argv);

// Connects to -b, or to a broker that the name server of -n knows, or to whichever local daemon
// answers. Errors: kUnavailable naming every address tried and how to start a daemon.
struct Connected {
  client::Rpc rpc;
  net::Address address;
};
Result<Connected> connect_broker(const CommonOptions& common);
// Where that went; for connections of one's own.
Result<net::Address> find_broker(const CommonOptions& common);

// A topic as one broker has it.
struct TopicAt {
  std::string broker;
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
};
// Errors: kNotFound (exit 66).
Result<TopicAt> look_up_topic(client::Rpc& rpc, std::string_view topic);

}  // namespace mq::cli
