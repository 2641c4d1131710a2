#include "options.h"

namespace mq::mqdump {

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  CLI::App app("Shows the files of a RocketMQ store, ours or Apache's; never writes to it.",
               "mqdump");
  cli::CommonOptions common;
  app.require_subcommand(1);
  app.fallthrough();
  app.add_flag("-q,--quiet", o.quiet, "errors only");
  app.add_flag("--print-config", common.print_config,
               "print each option with its value and origin");
  const auto command = [&](const char* name, const char* what) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_option("directory", o.directory,
                    "store directory; for log and get also one commit log file")
        ->type_name("DIR")
        ->required();
    sub->add_flag("-J,--json", o.json, "a JSON object a line");
    sub->callback([&o, name] { o.command = name; });
    return sub;
  };
  command("info", "what it is: files, sizes, offsets, topics, times, clean or crashed");
  CLI::App* log = command("log", "the commit log, a record a line");
  log->add_option("range", o.argument, "FROM:TO, physical offsets or @TIME")->type_name("RANGE");
  log->add_option("-F,--format", o.format,
                  "%s body %k keys %t topic %p queue %o offset %P physical offset ...")
      ->type_name("FMT");
  log->add_option("-c,--count", o.count, "stop after N records")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  log->add_flag("--all-properties", o.all_properties, "with -J: every property as stored");
  CLI::App* cq = command("cq", "the entries of a topic's consume queues");
  cq->add_option("topic", o.argument, "topic, or topic/queue")
      ->type_name("TOPIC[/QUEUE]")
      ->required();
  CLI::App* index = command("index", "the entries of the index files");
  index->add_option("-k,--key", o.key, "those of this key: TOPIC#KEY")->type_name("KEY");
  command("checkpoint", "the checkpoint file");
  command("config", "the state files, as standard JSON");
  CLI::App* get = command("get", "one message");
  get->add_option("what", o.argument, "@PHYSICAL, an id, or TOPIC/QUEUE/OFFSET")
      ->type_name("WHAT")
      ->required();
  get->add_flag("--hex", o.hex, "every field, its bytes, its meaning");
  get->add_option("-F,--format", o.format, "as in log")->type_name("FMT");
  get->add_flag("--all-properties", o.all_properties, "with -J: every property as stored");
  return cli::parse(app, common, argc, argv);
}

}  // namespace mq::mqdump
