// mqdump verify: every file of a store and every link between them, a finding a line.
#include "inspect/verify.h"

#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "cli/inflate.h"
#include "cli/units.h"
#include "commands.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions, RunOptions {
  bool deep = false;
};

// Names and values come from damaged files: control bytes must not reach a terminal.
void append_plain(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

void append_text(std::string& out, const inspect::VerifyFinding& f) {
  std::string line = fmt::format("{} {}", name_of(f.severity), f.file);
  if (f.at >= 0) line += fmt::format(" at {}", f.at);
  line += ": " + f.what;
  if (!f.expected.empty()) line += ": expected " + f.expected;
  if (!f.found.empty()) line += (f.expected.empty() ? ": found " : ", found ") + f.found;
  if (!f.mend.empty()) line += "; mend: " + f.mend;
  append_plain(out, line);
  out += '\n';
}

void append_json(std::string& out, const inspect::VerifyFinding& f) {
  out += R"({"severity":)";
  append_json_string(out, name_of(f.severity));
  const auto member = [&out](const char* name, const std::string& value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
    append_json_string(out, value);
  };
  member("file", f.file);
  if (f.at >= 0) fmt::format_to(std::back_inserter(out), ",\"offset\":{}", f.at);
  member("what", f.what);
  member("expected", f.expected);
  member("found", f.found);
  member("mend", f.mend);
  out += "}\n";
}

void append_summary(std::string& out, const Options& o, const inspect::VerifySummary& s) {
  const char* const state = s.live ? "open" : s.crashed ? "crashed" : "closed";
  if (o.json) {
    json::object summary{{"store", o.directory},
                         {"state", state},
                         {"logFiles", s.log_files},
                         {"records", s.records},
                         {"logBytes", s.log_bytes},
                         {"queues", s.queues},
                         {"queueEntries", s.queue_entries},
                         {"indexFiles", s.index_files},
                         {"indexEntries", s.index_entries},
                         {"damage", s.damage},
                         {"normal", s.normal},
                         {"notes", s.notes}};
    out += to_json(json::object{{"summary", std::move(summary)}}) + "\n";
    return;
  }
  fmt::format_to(std::back_inserter(out),
                 "{} records of {} in {} files, {} entries of {} queues, {} of {} index files; "
                 "{}: {} damage, {} normal, {} notes\n",
                 s.records, cli::human_bytes(static_cast<double>(s.log_bytes)), s.log_files,
                 s.queue_entries, s.queues, s.index_entries, s.index_files, state, s.damage,
                 s.normal, s.notes);
}

int run(const Options& o) {
  inspect::VerifyOptions options;
  options.jobs = o.jobs;
  std::string inflated;
  if (o.deep) {
    options.check_body = [&inflated](const format::Record& record) -> Result<void> {
      MQ_CHECK(cli::message_body(record, inflated));
      return {};
    };
  }
  cli::Output out;
  Result<void> written;
  const auto tell = [&](const inspect::VerifyFinding& finding) {
    (o.json ? append_json : append_text)(out.buffer(), finding);
    if (written) written = out.settle();
  };
  Result<inspect::VerifySummary> summary = inspect::VerifySummary{};
  {
    Watch progress({.asked = o.progress, .quiet = *o.quiet, .unit = ""});
    options.progress = [&](std::int64_t done, std::int64_t total) {
      progress.total = total;
      progress.reach(done);
    };
    summary = inspect::verify(fs::posix(), o.directory, options, tell);
  }
  if (!summary) {
    (void)out.close();
    return cli::fail(summary.error());
  }
  append_summary(out.buffer(), o, *summary);
  return finish(written, out, summary->damage > 0 ? cli::kExitData : cli::kExitOk);
}

}  // namespace

void add_verify(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* verify = all.add("verify", "check every file and every link between them", *o,
                                 [o] { return run(*o); });
  verify->add_flag("--deep", o->deep, "inflate bodies, too");
  add_run_options(*verify, *o);
}

}  // namespace mq::mqdump
