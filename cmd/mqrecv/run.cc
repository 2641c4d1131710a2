#include "run.h"

#include <csignal>

#include "cli/exit.h"
#include "cli/output.h"
#include "cursor.h"
#include "files.h"
#include "group.h"
#include "pop.h"
#include "printer.h"
#include "reader.h"
#include "remote.h"

namespace mq::mqrecv {
namespace {

class Run {
 public:
  explicit Run(const Options& options) : o_(options) {}

  int run() {
    cli::catch_signals();
    auto done = work();
    if (!done && done.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
    int status = done ? 0 : cli::fail(done.error());
    if (printer_) {
      auto closed = printer_->close();
      if (!closed && closed.error().code() == Errc::kClosed) cli::die_of(SIGPIPE);
      if (!closed && status == 0) status = cli::fail(closed.error());
      if (status == 0 && printer_->damaged() > 0) status = cli::kExitData;
    }
    if (status == 0 && cli::stop_signal() != 0) cli::die_of(cli::stop_signal());
    if (status == 0 && nothing_found_) {
      if (!o_.common.quiet) cli::say("no such message");
      status = cli::kExitNo;
    }
    if (status == 0 && o_.exit_empty && printer_->printed() == 0) status = cli::kExitNo;
    return status;
  }

 private:
  Result<void> work() {
    MQ_TRY(auto printer, Printer::create(o_));
    printer_.emplace(std::move(printer));
    if (o_.pop) return pop(o_, *printer_);
    if (!o_.group.empty()) return consume(o_, *printer_);
    RemoteSource* remote = nullptr;
    if (o_.store.empty()) {
      MQ_TRY(auto connected, RemoteSource::connect(o_));
      remote = connected.get();
      source_ = std::move(connected);
    } else {
      MQ_TRY(source_, open_files(o_.store));
    }
    if (!o_.key.empty() || !o_.id.empty()) return look_up();
    std::optional<Cursor> cursor;
    if (!o_.cursor_file.empty()) {
      MQ_TRY(cursor, Cursor::open(o_.cursor_file));
    }
    return Reader(o_, *source_, remote, *printer_, cursor ? &*cursor : nullptr).run();
  }

  Result<void> look_up() {
    std::vector<std::string> topics = o_.topics;
    if (topics.empty()) topics.emplace_back();
    for (const std::string& topic : topics) {
      MQ_TRY(const auto found,
             o_.key.empty() ? source_->find_id(topic, o_.id) : source_->find_key(topic, o_.key));
      for (const client::Found& one : found)
        MQ_CHECK(printer_->print(as_bytes(one.bytes), INT64_MAX, one.broker));
    }
    nothing_found_ = printer_->printed() == 0;
    return {};
  }

  const Options& o_;
  std::optional<Printer> printer_;
  std::unique_ptr<Source> source_;
  bool nothing_found_ = false;
};

}  // namespace

int run(const Options& options) { return Run(options).run(); }

}  // namespace mq::mqrecv
