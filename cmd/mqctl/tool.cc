#include "tool.h"

#include <csignal>
#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/where.h"

namespace mq::mqctl {

Tool::Tool() : app_("Changes brokers: topics, groups, dead letters, configuration.", "mqctl") {
  cli::add_common(app_, common_);
  app_.require_subcommand(1);
  app_.fallthrough();
}

cli::Command* Tool::noun(const char* name, const char* what) {
  cli::Command* noun = app_.add_subcommand(name, what);
  noun->require_subcommand(1);
  noun->fallthrough();
  return noun;
}

cli::Command* Tool::verb(cli::Command* noun, const char* name, const char* what, Work work) {
  cli::Command* verb = noun->add_subcommand(name, what);
  verb->callback([this, work = std::move(work)] { work_ = work; });
  return verb;
}

cli::Command* Tool::command(const char* name, const char* what, Work work) {
  return verb(&app_, name, what, std::move(work));
}

int Tool::run(int argc, char** argv) {
  if (auto exit = cli::parse(app_, common_, argc, argv)) return *exit;
  auto status = work_();
  if (!status && status.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
  if (!status) return cli::fail(status.error());
  if (auto closed = out_.close(); !closed) {
    if (closed.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
    return cli::fail(closed.error());
  }
  return *status;
}

Result<client::Cluster*> Tool::cluster() {
  if (!cluster_) {
    MQ_TRY(auto opened, cli::open_cluster(common_));
    cluster_.emplace(std::move(opened));
  }
  return &*cluster_;
}

Result<void> Tool::each_broker(const Visit& visit) {
  MQ_TRY(client::Cluster* const cluster, this->cluster());
  MQ_TRY(const auto brokers, cluster->brokers());
  for (const client::BrokerAt& broker : brokers) {
    MQ_TRY(client::Rpc* const rpc, cluster->rpc(broker));
    MQ_CHECK(visit(broker, *rpc));
  }
  return {};
}

void Tool::print(std::string_view line) {
  out_.buffer() += line;
  out_.buffer() += '\n';
}

Result<void> Tool::write(std::string_view text) {
  out_.buffer() += text;
  return out_.settle();
}

void Tool::add_json(cli::Command* command) {
  command->add_flag("-J,--json", json_, "a JSON object a line");
}
void Tool::add_dry_run(cli::Command* command) {
  command->add_flag("--dry-run", dry_run_, "print old -> new, change nothing");
}
void Tool::add_yes(cli::Command* command) {
  add_dry_run(command);
  command->add_flag("--yes", yes_, "do not ask");
}

bool Tool::is_real(std::string_view what, std::string_view old_state, std::string_view new_state) {
  if (!dry_run_) return true;
  print(fmt::format("{}: {} -> {}", what, old_state, new_state));
  return false;
}

Result<bool> Tool::may(const std::string& deed) {
  if (yes_ || dry_run_) return true;
  if (isatty(0) == 0) {
    return Error{Errc::kInvalid, fmt::format("to {} needs --yes when nobody can be asked", deed)};
  }
  std::cerr << deed << "? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace mq::mqctl
