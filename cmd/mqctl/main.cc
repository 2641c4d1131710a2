#include <csignal>
#include <exception>

#include "topic.h"

namespace {

std::optional<int> parse_options(int argc, char** argv, mq::mqctl::TopicOptions& o) {
  CLI::App app("Changes a broker: topics, their queues, permissions and attributes.", "mqctl");
  mq::cli::add_common(app, o.common);
  app.require_subcommand(1);
  app.fallthrough();
  CLI::App* topic = app.add_subcommand("topic", "topics of the broker");
  topic->require_subcommand(1);
  topic->fallthrough();
  const auto action = [&](const char* name, const char* what, bool named) {
    CLI::App* sub = topic->add_subcommand(name, what);
    if (named)
      sub->add_option("topic", o.topic, "name of the topic")->type_name("TOPIC")->required();
    sub->callback([&o, name] { o.action = name; });
    return sub;
  };
  CLI::App* list = action("list", "names of all topics", false);
  list->add_flag("--all", o.all, "the broker's own topics, too");
  list->add_flag("-J,--json", o.json, "a JSON object a line");
  action("show", "one topic", true)->add_flag("-J,--json", o.json, "as a JSON object");
  CLI::App* create = action("create", "a new topic", true);
  CLI::App* alter = action("alter", "change a topic", true);
  CLI::App* remove = action("delete", "a topic with all its queues", true);
  for (CLI::App* sub : {create, alter}) {
    sub->add_option("--queues", o.queues, "queues to read and to write")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    sub->add_option("--read-queues", o.read_queues, "queues to read")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    sub->add_option("--write-queues", o.write_queues, "queues to write")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    sub->add_option("--perm", o.perm, "letters of RWX, or 0 to 7")->type_name("PERM");
    sub->add_flag("--order", o.order, "an ordered topic");
    sub->add_option("--attribute", o.attributes, "+KEY=VALUE or -KEY, repeatable")
        ->type_name("CHANGE")
        ->allow_extra_args(false);
  }
  create->add_flag("--if-not-exists", o.if_not_exists, "fine if it exists");
  alter->add_flag("--if-exists", o.if_exists, "fine if it does not exist");
  remove->add_flag("--if-exists", o.if_exists, "fine if it does not exist");
  remove->add_flag("--yes", o.yes, "do not ask");
  for (CLI::App* sub : {create, alter, remove})
    sub->add_flag("--dry-run", o.dry_run, "print old -> new, change nothing");
  return mq::cli::parse(app, o.common, argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  mq::cli::set_tool_name("mqctl");
  std::signal(SIGPIPE, SIG_IGN);
  try {
    mq::mqctl::TopicOptions options;
    if (auto exit = parse_options(argc, argv, options)) return *exit;
    return mq::mqctl::topic(options);
  } catch (const std::exception& e) {
    mq::cli::say(e.what());
    return mq::cli::kExitSoftware;
  }
}
