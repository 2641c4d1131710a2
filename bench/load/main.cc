#include <cstdio>

#include <CLI/CLI.hpp>

#include "load.h"

int main(int argc, char** argv) {
  mq::bench::Options o;
  CLI::App app("load generator of the benchmarks; prints one JSON object");
  app.require_subcommand(1);
  mq::Result<void> (*run)(const mq::bench::Options&) = nullptr;
  const auto command = [&](const char* name, const char* what,
                           mq::Result<void> (*function)(const mq::bench::Options&)) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_option("-b,--broker", o.broker, "address; for the limits: unix or tcp");
    sub->add_option("-t,--topic", o.topic);
    sub->add_option("--queues", o.queues)->check(CLI::PositiveNumber);
    sub->add_option("--topics", o.topics)->check(CLI::PositiveNumber);
    sub->add_option("--size", o.size)->check(CLI::PositiveNumber);
    sub->add_option("--count", o.count)->check(CLI::PositiveNumber);
    sub->add_option("--batch", o.batch)->check(CLI::PositiveNumber);
    sub->add_option("--inflight", o.inflight)->check(CLI::PositiveNumber);
    sub->add_option("--connections", o.connections)->check(CLI::PositiveNumber);
    sub->add_option("--rate", o.rate)->check(CLI::PositiveNumber);
    sub->add_option("--deliver-ms", o.deliver_ms)->check(CLI::PositiveNumber);
    sub->add_option("--file", o.file);
    sub->add_flag("--sync", o.sync);
    sub->callback([&run, function] { run = function; });
  };
  command("send", "acknowledged sends", mq::bench::send);
  command("drain", "everything in the topic", mq::bench::drain);
  command("end-to-end", "from send to receive at a steady rate", mq::bench::end_to_end);
  command("echo", "limit: request and answer over a bare socket", mq::bench::echo);
  command("stream", "limit: a mapped file into a socket", mq::bench::stream);
  command("fdatasync", "limit: forced writes", mq::bench::fdatasync_rate);
  CLI11_PARSE(app, argc, argv);
  if (auto done = run(o); !done) {
    std::fprintf(stderr, "load: %s\n", done.error().to_string().c_str());
    return 75;
  }
  return 0;
}
