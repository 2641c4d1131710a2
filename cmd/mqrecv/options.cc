#include "options.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/message_format.h"
#include "cli/tool.h"
#include "cli/units.h"

namespace mq::mqrecv {
namespace {

struct Raw {
  std::string range = "first", since, until, by = "store", delimiter = "\\n", idle, timeout, style;
  std::string rotate, invisible;
  bool nul = false;
};

Result<void> set_times(const Raw& raw, Options& o) {
  const std::int64_t now = system_clock().now_ms();
  MQ_TRY(o.range, parse_range(raw.range, now));
  o.range_given = raw.range != "first";
  if (!raw.since.empty()) {
    MQ_TRY(o.since_ms, cli::parse_time_ms(raw.since, now));
  }
  if (!raw.until.empty()) {
    MQ_TRY(o.until_ms, cli::parse_time_ms(raw.until, now));
  }
  if (!raw.idle.empty()) {
    MQ_TRY(o.idle_ms, cli::parse_duration_ms(raw.idle));
  }
  if (!raw.timeout.empty()) {
    MQ_TRY(o.timeout_ms, cli::parse_duration_ms(raw.timeout));
  }
  if (raw.by != "store" && raw.by != "born")
    return Error{Errc::kInvalid, "--by: expected store or born"};
  o.by_born = raw.by == "born";
  return {};
}

Result<void> set_output(const Raw& raw, Options& o) {
  MQ_TRY(o.delimiter,
         raw.nul ? Result<std::string>(std::string(1, '\0')) : cli::unescape(raw.delimiter));
  if (raw.style == "json") {
    o.json = true;
  } else if (raw.style == "short") {
    o.format = "%T{strftime:%F %T} %t/%p/%o %s\\n";
  } else if (raw.style == "verbose") {
    o.format = "%T{strftime:%F %T} %t/%p/%o id=%i keys=%k tag=%g properties=%h\\n%s\\n";
  } else if (!raw.style.empty() && raw.style != "cat") {
    return Error{Errc::kInvalid,
                 fmt::format("--style {}: expected cat, short, verbose or json", raw.style)};
  }
  if (o.json && !o.format.empty()) return Error{Errc::kInvalid, "-J and -F exclude each other"};
  if (o.sort && o.follow)
    return Error{Errc::kInvalid, "--sort needs an end: it does not go with -f"};
  if (o.follow && !o.store.empty())
    return Error{Errc::kInvalid, "-f needs a daemon: it does not go with --store"};
  if (!o.key.empty() && !o.id.empty())
    return Error{Errc::kInvalid, "--key and --id exclude each other"};
  if (o.follow && (o.range.end || o.until_ms))
    return Error{Errc::kInvalid, "-f has no end: neither -U nor the end of a range go with it"};
  if (!o.cursor_file.empty() && (o.tail >= 0 || !o.key.empty() || !o.id.empty()))
    return Error{Errc::kInvalid, "--cursor-file goes with neither --tail nor --key nor --id"};
  return {};
}

Result<void> set_files(const Raw& raw, Options& o) {
  if (!raw.rotate.empty()) {
    MQ_TRY(o.rotate_bytes, cli::parse_size(raw.rotate));
  }
  if (o.directory.empty() && (o.gzip || !raw.rotate.empty()))
    return Error{Errc::kInvalid, "--rotate and --gzip go with --dir"};
  if (!raw.rotate.empty() && o.rotate_bytes <= 0)
    return Error{Errc::kInvalid, "--rotate: expected a size above 0"};
  return {};
}

// What a member of a group cannot do, and what only a member can.
Result<void> set_group(const Raw& raw, Options& o) {
  if (o.group.empty()) {
    if (o.broadcast || o.orderly || !o.exec.empty() || o.pop)
      return Error{Errc::kInvalid, "--broadcast, --orderly, --exec and --pop go with -g"};
    return {};
  }
  using Kind = Bound::Kind;
  const Kind begin = o.range.begin.kind;
  if (o.range.end || (begin != Kind::kFirst && begin != Kind::kLast && begin != Kind::kTime)) {
    return Error{Errc::kInvalid, fmt::format("-o {}: a group that is new begins at first, last or "
                                             "@TIME, and has no end",
                                             raw.range)};
  }
  if (!o.store.empty() || o.tail >= 0 || o.sort || o.queue >= 0 || o.until_ms || o.by_born ||
      !o.key.empty() || !o.id.empty()) {
    return Error{Errc::kInvalid,
                 "-g goes with none of --store --tail --sort -p -U --by --key --id"};
  }
  if (o.broadcast && o.orderly)
    return Error{Errc::kInvalid, "--broadcast and --orderly exclude each other"};
  if (!o.cursor_file.empty() && !o.broadcast)
    return Error{Errc::kInvalid,
                 "-g: the broker keeps the positions; --cursor-file goes with --broadcast"};
  if (!o.exec.empty() && !o.directory.empty())
    return Error{Errc::kInvalid, "--exec and --dir exclude each other"};
  if (o.pop && (o.broadcast || o.orderly || !o.exec.empty() || begin == Kind::kTime))
    return Error{Errc::kInvalid, "--pop goes with none of --broadcast --orderly --exec -o @TIME"};
  if (!o.pop && !raw.invisible.empty()) return Error{Errc::kInvalid, "--invisible goes with --pop"};
  if (!raw.invisible.empty()) {
    MQ_TRY(o.invisible_ms, cli::parse_duration_ms(raw.invisible));
  }
  return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  Raw raw;
  cli::Command app("Prints messages of topics, from the first to the end as seen at the start.",
                   "mqrecv");
  cli::add_common(app, o.common, /*with_timeout=*/false);
  cli::add_moving(app, o.common);
  app.add_option("topics", o.topics, "topics to read")->type_name("TOPIC...");
  app.add_option("-g,--group", o.group, "as a member of this group, until interrupted")
      ->type_name("GROUP");
  app.add_flag("--broadcast", o.broadcast, "with -g: every member gets everything");
  app.add_flag("--orderly", o.orderly, "with -g: a queue has one member at a time");
  app.add_flag("--pop", o.pop, "with -g: messages from any queue, nobody waits for other members");
  app.add_option("--invisible", raw.invisible,
                 "with --pop: what is not written by then comes again (30s)")
      ->type_name("DURATION")
      ->check(cli::is_duration());
  app.add_option("--exec", o.exec, "with -g: a process for each message, its body on stdin")
      ->type_name("CMD");
  app.add_option("--jobs", o.jobs, "with --exec: so many processes at once")
      ->type_name("N")
      ->capture_default_str()
      ->check(cli::at_least(1));
  app.add_option("--store", o.store, "read the files of this store, no daemon")->type_name("DIR");
  app.add_flag("-f,--follow", o.follow, "from now on, until interrupted");
  app.add_option("--tail", o.tail, "the last N over all queues first")
      ->type_name("N")
      ->check(cli::at_least(0));
  app.add_option("-o,--offset", raw.range,
                 "first, last, N, +N, -N, N:M, :M, @T, @T1:@T2, per queue")
      ->type_name("RANGE")
      ->capture_default_str();
  app.add_option("-p,--queue", o.queue, "one queue")->type_name("QUEUE")->check(cli::at_least(0));
  app.add_option("-S,--since", raw.since, "stored at that time or later")->type_name("TIME");
  app.add_option("-U,--until", raw.until, "stored at that time or earlier")->type_name("TIME");
  app.add_option("--by", raw.by, "which time -S and -U mean: store or born")
      ->type_name("store|born")
      ->capture_default_str();
  app.add_option("--key", o.key, "messages with this key, through the index")->type_name("KEY");
  app.add_option("--id", o.id, "the message with this id")->type_name("MSGID");
  app.add_flag("--sort", o.sort, "queues merged by store time");
  app.add_option("-c,--count", o.count, "stop after N messages")
      ->type_name("N")
      ->check(cli::at_least(1));
  app.add_option("--idle", raw.idle, "stop after so long without a message")
      ->type_name("DURATION")
      ->check(cli::is_duration());
  app.add_option("--timeout", raw.timeout, "stop after so long")
      ->type_name("DURATION")
      ->check(cli::is_duration());
  app.add_flag("--exit-empty", o.exit_empty, "exit 1 when nothing came");
  app.add_option("-T,--tag", o.tags, "tags, at the broker and exact: 'A||B'")->type_name("TAGS");
  app.add_option("--sql", o.sql, "SQL-92 filter over properties, at the broker")->type_name("EXPR");
  app.add_option("-G,--grep", o.grep, "bodies that match the regular expression")->type_name("RE");
  app.add_flag("-J,--json", o.json, "a JSON object a line");
  app.add_option("-F,--format", o.format,
                 "%s body %S length %k keys %g tag %t topic %p queue %o offset ...")
      ->type_name("FMT");
  app.add_option("-D,--delimiter", raw.delimiter, "ends each body")
      ->type_name("S")
      ->capture_default_str();
  app.add_flag("-0,--null", raw.nul, "bodies end with NUL");
  app.add_flag("-L,--length-prefix", o.length_prefix,
               "4 bytes of big-endian length before each body");
  app.add_option("--style", raw.style, "cat, short, verbose or json")
      ->type_name("cat|short|verbose|json");
  app.add_option("--cursor-file", o.cursor_file, "remember positions there, go on from them")
      ->type_name("FILE");
  app.add_option("--dir", o.directory, "messages into files there, synced, not to standard output")
      ->type_name("DIR");
  app.add_option("--rotate", raw.rotate, "with --dir: the next file begins at that size")
      ->type_name("SIZE")
      ->check(cli::is_size());
  app.add_flag("--gzip", o.gzip, "with --dir: compressed");
  app.add_flag("--sync", o.sync, "a position counts only when the output is on disk");
  app.add_flag("--headers-only", o.headers_only, "no bodies");
  app.add_flag("--all-properties", o.all_properties, "with -J: every property as stored");
  app.add_flag("-a,--all", o.raw, "do not escape control bytes on a terminal");
  if (auto exit = cli::parse(app, o.common, argc, argv)) return exit;
  if (o.topics.empty() && o.id.empty()) {
    cli::say("no topic given (mqrecv --help)");
    return cli::kExitUsage;
  }
  for (const auto& done :
       {set_times(raw, o), set_output(raw, o), set_files(raw, o), set_group(raw, o)}) {
    if (!done) return cli::fail(done.error());
  }
  return std::nullopt;
}

}  // namespace mq::mqrecv
