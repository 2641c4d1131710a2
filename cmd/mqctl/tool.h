// What the commands of mqctl share: the cluster, the output, and the manners of a change.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/output.h"
#include "cli/tool.h"
#include "client/cluster.h"

namespace mq::mqctl {

class Tool {
 public:
  Tool();
  int run(int argc, char** argv);  // exit status

  // mqctl NOUN ... and mqctl NOUN VERB ...; `work` runs when that command was given, and its value
  // is the exit status.
  using Work = std::function<Result<int>()>;
  cli::Command* noun(const char* name, const char* what);
  cli::Command* verb(cli::Command* noun, const char* name, const char* what, Work work);
  cli::Command* command(const char* name, const char* what, Work work);

  // The brokers that the command is about, connected on first use.
  Result<client::Cluster*> cluster();
  // Every one of them. Errors: those of `visit`, which end it.
  using Visit = std::function<Result<void>(const client::BrokerAt& broker, client::Rpc& rpc)>;
  Result<void> each_broker(const Visit& visit);

  void print(std::string_view line);  // with a line end
  // Text as it is, in bulk; and all of it is with the system. Errors: those of Output.
  Result<void> write(std::string_view text);
  Result<void> flush() { return out_.flush(); }
  [[nodiscard]] const cli::CommonOptions& common() const { return common_; }
  [[nodiscard]] bool json() const { return json_; }

  // Flags of commands: -J; --dry-run; --yes besides.
  void add_json(cli::Command* command);
  void add_dry_run(cli::Command* command);
  void add_yes(cli::Command* command);
  // True when the change is to be made. With --dry-run it prints `what: old -> new` and says no.
  bool is_real(std::string_view what, std::string_view old_state, std::string_view new_state);
  // Before something is lost for good: true with --yes, or when the user at the terminal says so;
  // false when the user says no. Errors: kInvalid when nobody can be asked.
  Result<bool> may(const std::string& deed);
  [[nodiscard]] bool is_dry() const { return dry_run_; }

 private:
  Result<int> work();

  cli::Command app_;
  cli::CommonOptions common_;
  std::optional<client::Cluster> cluster_;
  cli::Output out_;
  Work work_;
  bool json_ = false, dry_run_ = false, yes_ = false;
};

// Each adds its commands.
void add_topic(Tool& tool);
void add_group(Tool& tool);
void add_group_positions(Tool& tool, cli::Command* group);
void add_dlq(Tool& tool);
void add_broker(Tool& tool);
void add_ns(Tool& tool);
void add_user(Tool& tool);
void add_acl(Tool& tool);
void add_apply(Tool& tool);

}  // namespace mq::mqctl
