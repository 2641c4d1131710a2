#include "options.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/message_format.h"
#include "cli/tool.h"
#include "cli/units.h"
#include "field_format.h"
#include "format/properties.h"

namespace mq::mqsend {
namespace {

// What only the broker or the client library may set.
constexpr std::array<std::string_view, 16> kReserved = {
    "KEYS",       "TAGS",       "UNIQ_KEY",    "WAIT",
    "DELAY",      "REAL_TOPIC", "REAL_QID",    "INNER_NUM",
    "INNER_BASE", "MSG_REGION", "TRACE_ON",    "CLUSTER",
    "TRAN_MSG",   "POP_CK",     "RETRY_TOPIC", "ORIGIN_MESSAGE_ID"};

struct Raw {
  std::string delimiter = "\\n";
  bool nul = false, length = false, whole = false;
  std::string key_delimiter;
  std::vector<std::string> properties;
  std::string batch = "128K", linger = "2ms", empty = "skip", oversize = "fail", body_max = "4M";
  std::vector<std::string> use;
  std::string size = "1K", duration = "10s";
  std::string delay, at;
};

Result<void> set_input(const Raw& raw, Options& o) {
  if (raw.nul + raw.length + raw.whole > 1)
    return Error{Errc::kInvalid, "-0, -L and -B exclude each other"};
  if (raw.length) o.split = Split::kLengthPrefix;
  if (raw.whole) o.split = Split::kWhole;
  MQ_TRY(o.delimiter,
         raw.nul ? Result<std::string>(std::string(1, '\0')) : cli::unescape(raw.delimiter));
  if (o.delimiter.empty()) return Error{Errc::kInvalid, "-D: an empty delimiter separates nothing"};
  MQ_TRY(o.key_delimiter, cli::unescape(raw.key_delimiter));
  if (o.json && !o.format.empty()) return Error{Errc::kInvalid, "-J and -F exclude each other"};
  if (!o.shard_by.empty() && o.queue >= 0)
    return Error{Errc::kInvalid, "-p and --shard-by exclude each other"};
  if (o.body && !o.files.empty()) return Error{Errc::kInvalid, "-m and files exclude each other"};
  if (!o.resume.empty() && (o.body || o.files.size() > 1))
    return Error{Errc::kInvalid, "--resume goes with one input"};
  return {};
}

// What a record says of itself is passed over unless it is asked for.
Result<void> set_use(const Raw& raw, Options& o) {
  for (const std::string& what : raw.use) {
    if (what == "topic") o.use_topic = true;
    if (what == "queue") o.use_queue = true;
  }
  if (raw.use.empty()) return {};
  if (!o.json && o.format.empty())
    return Error{Errc::kInvalid, "--use: only -J and -F have fields to use"};
  if (o.use_queue && (o.queue >= 0 || !o.shard_by.empty()))
    return Error{Errc::kInvalid, "--use queue excludes -p and --shard-by"};
  return {};
}

Result<void> set_delay(const Raw& raw, Options& o) {
  const int given = (raw.delay.empty() ? 0 : 1) + (raw.at.empty() ? 0 : 1) + (o.delay_level > 0);
  if (given > 1) return Error{Errc::kInvalid, "--delay, --at and --delay-level exclude each other"};
  if (!raw.delay.empty()) {
    MQ_TRY(o.delay_ms, cli::parse_duration_ms(raw.delay));
    if (o.delay_ms <= 0) return Error{Errc::kInvalid, "--delay: expected more than nothing"};
  }
  if (!raw.at.empty()) {
    MQ_TRY(o.deliver_ms, cli::parse_time_ms(raw.at, system_clock().now_ms()));
    if (o.deliver_ms <= 0) return Error{Errc::kInvalid, "--at: before the beginning of time"};
  }
  return {};
}

Result<void> set_bench(const Raw& raw, Options& o) {
  MQ_TRY(o.bench_size, cli::parse_size(raw.size));
  MQ_TRY(o.bench_duration_ms, cli::parse_duration_ms(raw.duration));
  if (!o.bench) return {};
  if (o.body || !o.files.empty())
    return Error{Errc::kInvalid, "--bench makes its own messages: it goes with no input"};
  if (o.bench_size < 1 || o.bench_size > o.body_max)
    return Error{Errc::kInvalid, fmt::format("--size: expected 1 to {}", o.body_max)};
  return {};
}

Result<void> set_limits(const Raw& raw, Options& o) {
  MQ_TRY(o.batch_bytes, cli::parse_size(raw.batch));
  MQ_TRY(o.linger_ms, cli::parse_duration_ms(raw.linger));
  MQ_TRY(o.body_max, cli::parse_size(raw.body_max));
  if (o.batch_bytes < 1 || o.batch_bytes > 4 << 20)
    return Error{Errc::kInvalid, "--batch: expected 1 to 4M"};
  if (raw.empty == "skip") {
    o.empty = Empty::kSkip;
  } else if (raw.empty == "fail") {
    o.empty = Empty::kFail;
  } else if (raw.empty.starts_with("fill=") && raw.empty.size() > 5) {
    o.empty = Empty::kFill;
    o.fill = raw.empty.substr(5);
  } else {
    return Error{Errc::kInvalid,
                 fmt::format("--empty {}: expected skip, fail or fill=TEXT", raw.empty)};
  }
  if (raw.oversize != "fail" && raw.oversize != "skip")
    return Error{Errc::kInvalid, "--oversize: expected fail or skip"};
  o.oversize_skip = raw.oversize == "skip";
  return {};
}

Result<void> set_properties(const Raw& raw, Options& o) {
  for (const std::string& key : o.keys) {
    if (auto done = format::check_property(format::kKeys, key); !done)
      return std::move(done).error().within("-k");
  }
  if (!o.tag.empty()) {
    if (auto done = format::check_property(format::kTags, o.tag); !done)
      return std::move(done).error().within("-T");
  }
  for (const std::string& text : raw.properties) {
    const std::size_t split = text.find('=');
    const std::string name = text.substr(0, split);
    const std::string value = split == std::string::npos ? std::string() : text.substr(split + 1);
    if (auto done = format::check_property(name, value); !done)
      return std::move(done).error().within("-H " + text);
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
        is_set_on_the_way(name)) {
      return Error{Errc::kInvalid, fmt::format("-H {}: the name is reserved{}", text,
                                               name == "KEYS"   ? ", use -k"
                                               : name == "TAGS" ? ", use -T"
                                                                : "")};
    }
    o.properties.emplace_back(name, value);
  }
  return {};
}

// One group a run: nobody else is asked about its half messages, or answers for them.
Result<void> set_transaction(Options& o) {
  if (!o.transaction) return {};
  if (o.oneway) return Error{Errc::kInvalid, "--transaction and --oneway exclude each other"};
  if (o.bench) return Error{Errc::kInvalid, "--transaction and --bench exclude each other"};
  // These speak of single messages, and until the end none has been delivered.
  if (o.tee || !o.receipts.empty() || !o.resume.empty()) {
    return Error{
        Errc::kInvalid,
        "--transaction is all or nothing: it goes with none of --tee, --receipts, --resume"};
  }
  if (is_delayed(o)) {
    return Error{
        Errc::kInvalid,
        "--transaction excludes --delay-level, --delay and --at: it is delivered when it ends"};
  }
  o.producer_group = fmt::format("mqsend_{}_{}", getpid(), system_clock().now_ms());
  return {};
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  Raw raw;
  cli::Command app(
      "Sends messages to a topic: lines of standard input, files, JSON, or one literal body.",
      "mqsend");
  cli::add_common(app, o.common);
  cli::add_moving(app, o.common);
  app.add_option("topic", o.topic, "topic to send to")->type_name("TOPIC");
  app.add_option("files", o.files, "each file one message; with -l split like standard input")
      ->type_name("FILE");
  app.add_option("-m,--message", o.body, "the body itself; standard input is left alone")
      ->type_name("BODY");
  app.add_option("-D,--delimiter", raw.delimiter, "ends a record; \\n \\t \\xNN, any length")
      ->type_name("S")
      ->capture_default_str();
  app.add_flag("-0,--null", raw.nul, "records end with NUL");
  app.add_flag("-L,--length-prefix", raw.length, "4 bytes of big-endian length before each record");
  app.add_flag("-B,--whole", raw.whole, "the whole input is one message");
  app.add_flag("-l,--lines", o.lines, "split files like standard input");
  app.add_flag("-J,--json", o.json, "a JSON object a line, as mqrecv -J prints them");
  app.add_flag("--lax", o.lax, "pass over unknown JSON fields");
  app.add_option("-F,--format", o.format, "fields of a record: %k %g %s %H{NAME} with text between")
      ->type_name("FMT");
  app.add_option("-K,--key-delimiter", raw.key_delimiter, "key before this in each record")
      ->type_name("S");
  app.add_option("-k,--key", o.keys, "key of every message, repeatable")
      ->type_name("KEY")
      ->allow_extra_args(false);
  app.add_option("-T,--tag", o.tag, "tag of every message")->type_name("TAG");
  app.add_option("-H,--property", raw.properties, "user property of every message, repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("-p,--queue", o.queue, "queue id")->type_name("QUEUE")->check(cli::at_least(0));
  app.add_option("--shard-by", o.shard_by, "queue by hash of the key or a property")
      ->type_name("key|NAME");
  app.add_option("--use", raw.use, "with -J and -F: send to the topic, the queue of the record")
      ->type_name("topic|queue")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(cli::one_of({"topic", "queue"}));
  app.add_option("--delay", raw.delay, "deliver so long after it was sent")->type_name("DURATION");
  app.add_option("--at", raw.at, "deliver at that time, to the second")->type_name("TIME");
  app.add_option("--delay-level", o.delay_level, "one of the broker's delay levels, from 1")
      ->type_name("N")
      ->check(cli::at_least(1));
  app.add_option("--batch", raw.batch, "how much goes out together")
      ->type_name("SIZE")
      ->capture_default_str()
      ->check(cli::is_size());
  app.add_option("--linger", raw.linger, "how long a lone record waits")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(cli::is_duration());
  app.add_option("--inflight", o.inflight, "requests under way at once")
      ->type_name("N")
      ->capture_default_str()
      ->check(cli::at_least(1));
  app.add_flag("--oneway", o.oneway, "do not wait for acknowledgements");
  app.add_flag("--sync", o.sync, "succeed only when it is on disk");
  app.add_flag("--transaction", o.transaction, "all of the input or nothing");
  app.add_option("--rate", o.rate, "at most N messages a second")
      ->type_name("N")
      ->check(cli::above_zero());
  app.add_option("-c,--count", o.count, "stop after N messages")
      ->type_name("N")
      ->check(cli::at_least(1));
  app.add_option("--empty", raw.empty, "empty records: skip, fail or fill=TEXT")
      ->type_name("skip|fail|fill=TEXT")
      ->capture_default_str();
  app.add_option("--oversize", raw.oversize, "too large records: fail or skip")
      ->type_name("fail|skip")
      ->capture_default_str();
  app.add_option("--max-size", raw.body_max, "largest body, the broker's maxMessageSize")
      ->type_name("SIZE")
      ->capture_default_str()
      ->check(cli::is_size());
  app.add_option("--retries", o.retries, "tries again after a temporary refusal")
      ->type_name("N")
      ->capture_default_str()
      ->check(cli::at_least(0));
  app.add_flag("--tee", o.tee, "copy the input to standard output once acknowledged");
  app.add_option("--receipts", o.receipts, "a line for each acknowledged message")
      ->type_name("FILE");
  app.add_option("-R,--receipt-format", o.receipt_format, "of receipts: %n %x %i %b %p %o %e")
      ->type_name("FMT")
      ->capture_default_str();
  app.add_option("--resume", o.resume, "journal of acknowledged input; a rerun goes on behind it")
      ->type_name("FILE");
  app.add_option("--create", o.create, "create the topic with N queues if it does not exist")
      ->type_name("N")
      ->check(cli::at_least(1));
  app.add_flag("--dry-run", o.dry_run, "parse and count only");
  app.add_flag("--stats", o.stats, "a summary with latencies at the end");
  app.add_flag("--bench", o.bench, "make messages and measure: no input is read");
  app.add_option("--size", raw.size, "with --bench: bytes of a body")
      ->type_name("SIZE")
      ->capture_default_str()
      ->check(cli::is_size());
  app.add_option("--duration", raw.duration, "with --bench: how long, unless -c says how many")
      ->type_name("DURATION")
      ->capture_default_str()
      ->check(cli::is_duration());
  app.add_option("--clients", o.bench_clients, "with --bench: connections at once")
      ->type_name("N")
      ->capture_default_str()
      ->check(cli::at_least(1));
  app.add_flag("--csv", o.csv, "with --bench: a line a second, comma-separated");
  if (auto exit = cli::parse(app, o.common, argc, argv)) return exit;
  if (o.topic.empty()) {
    cli::say("no topic given (mqsend --help)");
    return cli::kExitUsage;
  }
  for (const auto& done :
       {set_input(raw, o), set_use(raw, o), set_limits(raw, o), set_properties(raw, o),
        set_delay(raw, o), set_bench(raw, o), set_transaction(o)}) {
    if (!done) return cli::fail(done.error());
  }
  return std::nullopt;
}

}  // namespace mq::mqsend
