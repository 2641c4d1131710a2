#include "run.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/where.h"
#include "client/admin.h"
#include "input.h"
#include "journal.h"
#include "ledger.h"
#include "receipts.h"
#include "record.h"
#include "sender.h"
#include "transaction.h"

namespace mq::mqsend {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::int64_t kSlack = 65'536;  // of a record around its body

// What is left to read of a regular file; 0 for all else.
std::int64_t bytes_left(int fd) {
  struct stat s {};
  if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) return 0;
  return std::max<std::int64_t>(0, s.st_size - std::max<off_t>(0, lseek(fd, 0, SEEK_CUR)));
}

class Run {
 public:
  explicit Run(const Options& options)
      : o_(options),
        splitter_(options.split, options.delimiter, options.body_max + kSlack),
        ledger_(options),
        progress_(options.common.quiet, options.common.progress),
        transaction_(options) {}

  int run() {
    cli::catch_signals();
    if (auto done = open(); !done) return cli::fail(done.error());
    auto sent = o_.body ? send_literal() : send_inputs();
    if (sent) sent = drain();
    if (!sent && sender_) {
      const std::int64_t told = ledger_.undelivered();
      sender_->abandon(sent.error().text());
      ledger_.raise(cli::exit_for(sent.error()));
      if (told == ledger_.undelivered()) cli::say(sent.error().text());
    }
    if (o_.transaction && sender_) end_transaction();
    return finish();
  }

 private:
  Result<void> open() {
    MQ_TRY(auto parser, RecordParser::create(o_));
    parser_.emplace(std::move(parser));
    if (!o_.resume.empty()) {
      MQ_TRY(auto journal, Journal::open(o_.resume));
      number_ = journal.number();
      journal_.emplace(std::move(journal));
    }
    if (o_.dry_run) return {};
    MQ_TRY(auto cluster, cli::open_cluster(o_.common));
    cluster_.emplace(std::move(cluster));
    targets_.emplace(*cluster_, o_);
    MQ_TRY(topic_, targets_->of(o_.topic));
    if (o_.sync) MQ_CHECK(check_sync());
    if (!o_.receipts.empty()) {
      MQ_TRY(receipts_, Receipts::open(o_));
    }
    sender_.emplace(o_, *targets_, [this](const Outcome& outcome) { on_done(outcome); });
    MQ_CHECK(sender_->reach(*topic_));
    begin_us_ = system_clock().monotonic_us();
    return {};
  }

  // mqd waits for the disk when it is asked to; others only when they are configured to.
  Result<void> check_sync() {
    for (const client::BrokerAt& broker : targets_->brokers()) {
      MQ_TRY(client::Rpc* const rpc, cluster_->rpc(broker));
      MQ_TRY(const auto info, client::runtime_info(*rpc));
      if (info.contains("flushedOffset")) continue;
      MQ_TRY(auto config, client::broker_config(*rpc));
      if (config["flushDiskType"] == "SYNC_FLUSH") continue;
      return Error{Errc::kBusy,
                   fmt::format("{}: flushDiskType is {}, so it acknowledges what is not on disk: "
                               "--sync cannot be kept",
                               broker.name, config["flushDiskType"])};
    }
    return {};
  }

  // --- input ---

  Result<void> send_literal() {
    return take({.text = *o_.body, .offset = 0, .end = static_cast<std::int64_t>(o_.body->size())});
  }

  Result<void> send_inputs() {
    if (o_.files.empty()) {
      input_total_ = bytes_left(0);
      return send_descriptor(0, "standard input");
    }
    for (const std::string& file : o_.files) {
      struct stat s {};
      if (::stat(file.c_str(), &s) == 0 && S_ISREG(s.st_mode)) input_total_ += s.st_size;
    }
    for (const std::string& file : o_.files) {
      if (done_taking()) return {};
      MQ_CHECK(send_file(file));
    }
    return {};
  }

  Result<void> send_file(const std::string& file) {
    const int fd = file == "-" ? dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      cli::say(Error::from_errno(errno, file).text());
      ledger_.raise(cli::kExitNoInput);
      return {};
    }
    splitter_ = Splitter(o_.lines || o_.json || !o_.format.empty() ? o_.split : Split::kWhole,
                         o_.delimiter, o_.body_max + kSlack);
    auto sent = send_descriptor(fd, file);
    ::close(fd);
    return sent;
  }

  Result<void> send_descriptor(int fd, const std::string& name) {
    if (journal_ && journal_->offset() > 0) MQ_CHECK(skip(fd, journal_->offset()));
    std::string chunk(kReadBytes, '\0');
    for (bool ended = false; !ended && !done_taking();) {
      MQ_TRY(const bool readable, wait_for_input(fd));
      if (!readable) continue;
      const ssize_t n = ::read(fd, chunk.data(), chunk.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) {
        cli::say(Error::from_errno(errno, name).text());
        ledger_.raise(cli::kExitIo);
      }
      ended = n <= 0;
      if (ended) {
        splitter_.finish();
      } else {
        input_read_ += n;
        splitter_.feed(std::string_view(chunk.data(), static_cast<std::size_t>(n)));
      }
      MQ_CHECK(take_all());
    }
    return {};
  }

  // To the byte where the journal says that the last run was.
  Result<void> skip(int fd, std::int64_t bytes) {
    splitter_.set_offset(bytes);
    input_read_ = bytes;
    if (lseek(fd, bytes, SEEK_SET) >= 0) return {};
    std::string scratch(65536, '\0');
    while (bytes > 0) {
      const ssize_t n = ::read(fd, scratch.data(),
                               static_cast<std::size_t>(std::min<std::int64_t>(bytes, 65536)));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0)
        return Error{Errc::kCorrupt,
                     "--resume: the input is shorter than what was sent of it already"};
      bytes -= n;
    }
    return {};
  }

  Result<void> take_all() {
    while (!done_taking()) {
      auto record = splitter_.next();
      if (!record) {
        cli::say(record.error().text());
        ledger_.raise(cli::kExitData);
        return {};
      }
      if (!*record) return {};
      MQ_CHECK(take(**record));
    }
    return {};
  }

  Result<void> take(const Splitter::Record& record) {
    const ItemInfo info{++number_, record.offset, record.end};
    const auto refuse = [&](const std::string& why, bool skip) {
      ledger_.reject(info, why, skip);
      settle(info);
      return Result<void>();
    };
    if (record.oversize)
      return refuse(fmt::format("larger than {} bytes", o_.body_max), o_.oversize_skip);
    auto parsed = parser_->parse(record.text, system_clock().now_ms());
    if (!parsed) return refuse(parsed.error().text(), false);
    if (parsed->body.empty()) {
      if (o_.empty == Empty::kFail)
        return refuse("empty: RocketMQ has no empty bodies (--empty)", false);
      if (o_.empty == Empty::kSkip) {
        ledger_.skip_empty();
        settle(info);
        return {};
      }
      parsed->body = o_.fill;
    }
    const auto bytes = static_cast<std::int64_t>(parsed->body.size());
    if (bytes > o_.body_max) {
      return refuse(fmt::format("body of {} bytes, the limit is {}", bytes, o_.body_max),
                    o_.oversize_skip);
    }
    TopicTargets* topic = topic_;
    if (!parsed->topic.empty() && !o_.dry_run) {
      auto found = targets_->of(std::string(parsed->topic));
      if (!found) return refuse(found.error().text(), false);
      topic = *found;
    }
    ledger_.take(bytes);
    if (o_.dry_run) return {};
    MQ_CHECK(keep_rate());
    while (!sender_->add(*parsed, *topic, info, o_.tee ? raw_of(record) : std::string_view()))
      MQ_CHECK(sender_->pump(-1, 1000));
    return {};
  }

  // The record as it stands in the input.
  std::string_view raw_of(const Splitter::Record& record) {
    raw_.assign(record.text);
    const bool delimited =
        record.end - record.offset > static_cast<std::int64_t>(record.text.size());
    if (o_.split == Split::kDelimiter && delimited) raw_ += o_.delimiter;
    return raw_;
  }

  // True when the input can be read; meanwhile batches leave in time and answers are taken.
  Result<bool> wait_for_input(int fd) {
    show_progress();
    if (o_.dry_run) return true;
    const std::int64_t left_us = sender_->flush_due(o_.linger_ms * 1000);
    const std::int64_t timeout_ms =
        left_us < 0 ? 250 : std::min<std::int64_t>(left_us / 1000 + 1, 250);
    return sender_->pump(fd, timeout_ms);
  }

  Result<void> keep_rate() {
    if (o_.rate <= 0) return {};
    const std::int64_t due =
        begin_us_ +
        static_cast<std::int64_t>(static_cast<double>(ledger_.taken() - 1) / o_.rate * 1e6);
    while (true) {
      const std::int64_t left = due - system_clock().monotonic_us();
      if (left <= 0 || cli::stop_signal() != 0) return {};
      sender_->flush();
      MQ_CHECK(sender_->pump(-1, std::min<std::int64_t>(left / 1000 + 1, 250)));
      show_progress();
    }
  }

  [[nodiscard]] bool done_taking() const {
    return cli::stop_signal() != 0 || (o_.count >= 0 && ledger_.taken() >= o_.count) ||
           (sender_ && sender_->has_given_up()) || failed_output_;
  }

  // --- answers ---

  Result<void> drain() {
    if (!sender_) return {};
    sender_->flush();
    std::int64_t stopped_us = 0;
    while (!sender_->is_idle()) {
      if (cli::stop_signal() != 0) {
        const std::int64_t now = system_clock().monotonic_us();
        if (stopped_us == 0) stopped_us = now;
        if (now - stopped_us > o_.common.drain_ms() * 1000) {
          return Error{Errc::kTimeout,
                       fmt::format("not acknowledged within {} of the signal", o_.common.drain)};
        }
      }
      MQ_CHECK(sender_->pump(-1, 100));
      show_progress();
    }
    return {};
  }

  void on_done(const Outcome& outcome) {
    ledger_.note(outcome);
    if (!outcome.delivered) return;
    for (const ItemInfo& item : *outcome.items) settle(item);
    Result<void> written;
    if (o_.transaction) {
      written = transaction_.add(outcome.broker_index, outcome.offset_id, outcome.queue_offset);
    }
    if (receipts_) written = receipts_->write(outcome);
    if (written && o_.tee) {
      out_.buffer() += *outcome.raw;
      written = out_.flush();
    }
    if (written && journal_) written = journal_->save(false);
    fail_output(written);
  }

  // This record is dealt with, as far as a rerun is concerned.
  void settle(const ItemInfo& item) {
    if (journal_) journal_->note(item.offset, item.end, item.number);
  }

  void fail_output(const Result<void>& done) {
    if (done || failed_output_) return;
    failed_output_ = true;
    if (done.error().code() != Errc::kClosed) cli::say(done.error().text());
    ledger_.raise(cli::kExitIo);
  }

  // Everything has been stored, or nothing is to be delivered.
  void end_transaction() {
    const bool commit = ledger_.status() == cli::kExitOk && cli::stop_signal() == 0;
    const auto ended =
        transaction_.end(commit ? wire::TransactionEnd::kCommit : wire::TransactionEnd::kRollback,
                         targets_->brokers());
    if (!commit) {
      // What could not be taken back stays hidden all the same: nobody will commit it.
      cli::say(fmt::format("nothing was delivered: {} messages taken back", transaction_.size()));
      return;
    }
    if (ended.done == transaction_.size()) return;
    cli::say(fmt::format("{} messages delivered, {} refused at the end, {} unknown: {}", ended.done,
                         ended.refused, ended.unknown, ended.reason));
    ledger_.raise(cli::kExitTemporary);
  }

  // --- words ---

  [[nodiscard]] cli::Progress::Figures figures() const {
    const double done = input_total_ > 0
                            ? static_cast<double>(input_read_) / static_cast<double>(input_total_)
                            : -1;
    return {.messages = ledger_.acknowledged(),
            .bytes = ledger_.bytes(),
            .retries = sender_ ? sender_->retries() : 0,
            .done = done};
  }
  void show_progress() { progress_.show(figures()); }

  int finish() {
    if (journal_ && !o_.dry_run) fail_output(journal_->save(true));
    if (receipts_) fail_output(receipts_->close());
    if (o_.tee && !failed_output_) fail_output(out_.close());
    progress_.end(figures());
    if (!o_.common.quiet) {
      ledger_.summary(sender_ && sender_->has_given_up(),
                      system_clock().monotonic_us() - begin_us_);
    }
    if (cli::stop_signal() != 0 && ledger_.status() == 0) cli::die_of(cli::stop_signal());
    return ledger_.status();
  }

  const Options& o_;
  Splitter splitter_;
  Ledger ledger_;
  cli::Progress progress_;
  std::optional<RecordParser> parser_;
  std::optional<client::Cluster> cluster_;
  std::optional<Targets> targets_;
  TopicTargets* topic_ = nullptr;  // of the command line
  std::optional<Sender> sender_;
  std::optional<Journal> journal_;
  std::unique_ptr<Receipts> receipts_;
  Transaction transaction_;
  cli::Output out_;
  std::string raw_;
  bool failed_output_ = false;
  std::int64_t number_ = 0;
  std::int64_t begin_us_ = 0;
  std::int64_t input_read_ = 0, input_total_ = 0;
};

}  // namespace

int run(const Options& options) { return Run(options).run(); }

}  // namespace mq::mqsend
