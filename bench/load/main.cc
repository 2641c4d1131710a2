#include <cstdio>

#include "cli/exit.h"
#include "cli/options.h"
#include "load.h"

int main(int argc, char** argv) {
  mq::bench::Options o;
  mq::cli::Command app("load generator of the benchmarks; prints one JSON object", "load");
  app.require_subcommand(1);
  const mq::cli::Check positive = mq::cli::is_positive();
  mq::Result<void> (*run)(const mq::bench::Options&) = nullptr;
  const auto command = [&](const char* name, const char* what,
                           mq::Result<void> (*function)(const mq::bench::Options&)) {
    mq::cli::Command* sub = app.add_subcommand(name, what);
    sub->add_option("-b,--broker", o.broker, "address; for the limits: unix or tcp");
    sub->add_option("-t,--topic", o.topic, "");
    sub->add_option("--queues", o.queues, "")->check(positive);
    sub->add_option("--topics", o.topics, "")->check(positive);
    sub->add_option("--size", o.size, "")->check(positive);
    sub->add_option("--count", o.count, "")->check(positive);
    sub->add_option("--batch", o.batch, "")->check(positive);
    sub->add_flag("--closed", o.closed, "");
    sub->add_option("--inflight", o.inflight, "")->check(positive);
    sub->add_option("--connections", o.connections, "")->check(positive);
    sub->add_option("--rate", o.rate, "")->check(positive);
    sub->add_option("--deliver-ms", o.deliver_ms, "")->check(positive);
    sub->add_option("--file", o.file, "");
    sub->add_flag("--sync", o.sync, "");
    sub->callback([&run, function] { run = function; });
  };
  command("send", "acknowledged sends", mq::bench::send);
  command("drain", "everything in the topic", mq::bench::drain);
  command("end-to-end", "from send to receive at a steady rate", mq::bench::end_to_end);
  command("echo", "limit: request and answer over a bare socket", mq::bench::echo);
  command("stream", "limit: a mapped file into a socket", mq::bench::stream);
  command("fdatasync", "limit: forced writes", mq::bench::fdatasync_rate);
  const auto wants_help = app.parse(argc, argv);
  if (!wants_help) {
    std::fprintf(stderr, "load: %s\n", wants_help.error().text().c_str());
    return mq::cli::kExitUsage;
  }
  if (*wants_help) return std::fputs(app.help().c_str(), stdout) < 0 ? mq::cli::kExitIo : 0;
  if (auto done = run(o); !done) {
    std::fprintf(stderr, "load: %s\n", done.error().to_string().c_str());
    return 75;
  }
  return 0;
}
