#include "run.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/message_format.h"
#include "cli/output.h"
#include "cli/units.h"
#include "client/admin.h"
#include "fs/fs.h"
#include "input.h"
#include "record.h"
#include "sender.h"

namespace mq::mqsend {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::int64_t kDrainUs = 5'000'000;
constexpr int kReportsMax = 10;  // lines about single records; the rest is counted

// Receipt lines, compiled from %n %x %i %p %o %e.
class Receipts {
 public:
  static Result<std::unique_ptr<Receipts>> open(const Options& o) {
    MQ_TRY(std::string format, cli::unescape(o.receipt_format));
    const int fd = ::open(o.receipts.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return Error{Errc::kExists, Error::from_errno(errno, o.receipts).text()};
    return std::unique_ptr<Receipts>(new Receipts(std::move(format), fd));
  }
  Result<void> write(const Outcome& outcome) {
    for (std::size_t i = 0; i < outcome.items->size(); ++i) line(outcome, i);
    return out_.flush();
  }
  Result<void> close() { return out_.close(); }

 private:
  Receipts(std::string format, int fd) : format_(std::move(format)), out_(fd) {}
  void line(const Outcome& outcome, std::size_t i) {
    std::string& out = out_.buffer();
    const ItemInfo& item = (*outcome.items)[i];
    for (std::size_t at = 0; at < format_.size(); ++at) {
      if (format_[at] != '%' || at + 1 == format_.size()) {
        out += format_[at];
        continue;
      }
      switch (format_[++at]) {
        case 'n':
          out += std::to_string(item.number);
          break;
        case 'x':
          out += std::to_string(item.offset);
          break;
        case 'i':
          out += outcome.ids->substr(i * 32, 32);
          break;
        case 'p':
          out += std::to_string(outcome.queue);
          break;
        case 'o':
          out += std::to_string(outcome.queue_offset + static_cast<std::int64_t>(i));
          break;
        case 'e':
          out += outcome.code == 0 ? "SEND_OK" : wire::response_name(outcome.code);
          break;
        default:
          out += format_[at];
      }
    }
  }
  const std::string format_;
  cli::Output out_;
};

class Run {
 public:
  explicit Run(const Options& options)
      : o_(options), splitter_(options.split, options.delimiter, options.body_max + 65'536) {}

  int run() {
    cli::catch_signals();
    if (auto done = open(); !done) return cli::fail(done.error());
    auto sent = o_.body ? send_literal() : send_inputs();
    if (sent) sent = drain();
    if (!sent && sender_) {
      sender_->abandon(sent.error().text());
      status_ = std::max(status_, cli::exit_for(sent.error()));
      if (undelivered_ == 0) cli::say(sent.error().text());
    }
    return finish();
  }

 private:
  Result<void> open() {
    MQ_TRY(auto parser, RecordParser::create(o_));
    parser_.emplace(std::move(parser));
    if (!o_.resume.empty()) MQ_CHECK(load_journal());
    if (o_.dry_run) return {};
    MQ_TRY(auto connected, cli::connect_broker(o_.common));
    auto topic = cli::look_up_topic(connected.rpc, o_.topic);
    int queues = 4;  // what an automatically created topic gets
    if (topic) {
      queues = topic->write_queues;
    } else if (topic.error().code() != Errc::kNotFound) {
      return std::move(topic).error();
    } else if (o_.create > 0) {
      wire::CreateTopicRequest create{
          .topic = o_.topic, .read_queues = o_.create, .write_queues = o_.create};
      MQ_CHECK(client::put_topic(connected.rpc, create));
      queues = o_.create;
    }
    if (o_.queue >= queues) {
      return Error{Errc::kInvalid,
                   fmt::format("-p {}: topic '{}' has {} queues", o_.queue, o_.topic, queues)};
    }
    if (!o_.receipts.empty()) {
      MQ_TRY(receipts_, Receipts::open(o_));
    }
    MQ_TRY(auto stream, net::Stream::connect(connected.address, 3000));
    sender_.emplace(o_, std::move(stream), queues,
                    [this](const Outcome& outcome) { on_done(outcome); });
    begin_us_ = system_clock().monotonic_us();
    return {};
  }

  // --- input ---

  Result<void> send_literal() {
    MQ_CHECK(
        take({.text = *o_.body, .offset = 0, .end = static_cast<std::int64_t>(o_.body->size())}));
    return {};
  }

  Result<void> send_inputs() {
    if (o_.files.empty()) return send_descriptor(0, "standard input");
    for (const std::string& file : o_.files) {
      if (done_taking()) return {};
      const int fd = file == "-" ? dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        cli::say(Error::from_errno(errno, file).text());
        status_ = std::max(status_, static_cast<int>(cli::kExitNoInput));
        continue;
      }
      splitter_ = Splitter(o_.lines || o_.json || !o_.format.empty() ? o_.split : Split::kWhole,
                           o_.delimiter, o_.body_max + 65'536);
      auto sent = send_descriptor(fd, file);
      ::close(fd);
      MQ_CHECK(std::move(sent));
    }
    return {};
  }

  Result<void> send_descriptor(int fd, const std::string& name) {
    if (resumed_at_ > 0) MQ_CHECK(skip(fd, resumed_at_));
    std::string chunk(kReadBytes, '\0');
    bool ended = false;
    while (!ended && !done_taking()) {
      MQ_TRY(const bool readable, wait_for_input(fd));
      if (!readable) continue;
      const ssize_t n = ::read(fd, chunk.data(), chunk.size());
      if (n < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        cli::say(Error::from_errno(errno, name).text());
        status_ = std::max(status_, static_cast<int>(cli::kExitIo));
        ended = true;
      } else if (n == 0) {
        ended = true;
      }
      if (ended) {
        splitter_.finish();
      } else {
        splitter_.feed(std::string_view(chunk.data(), static_cast<std::size_t>(n)));
      }
      MQ_CHECK(take_all());
    }
    return {};
  }

  Result<void> take_all() {
    while (!done_taking()) {
      auto record = splitter_.next();
      if (!record) {
        cli::say(record.error().text());
        status_ = std::max(status_, static_cast<int>(cli::kExitData));
        return {};
      }
      if (!*record) return {};
      MQ_CHECK(take(**record));
    }
    return {};
  }

  Result<void> take(const Splitter::Record& record) {
    ++number_;
    const ItemInfo info{number_, record.offset, record.end};
    if (record.oversize)
      return reject(info, fmt::format("larger than {} bytes", o_.body_max), o_.oversize_skip);
    auto parsed = parser_->parse(record.text, system_clock().now_ms());
    if (!parsed) return reject(info, parsed.error().text(), false);
    if (parsed->body.empty()) {
      if (o_.empty == Empty::kFail)
        return reject(info, "empty: RocketMQ has no empty bodies (--empty)", false);
      if (o_.empty == Empty::kSkip) return skipped_empty_++, Result<void>();
      parsed->body = o_.fill;
    }
    if (static_cast<std::int64_t>(parsed->body.size()) > o_.body_max) {
      return reject(
          info, fmt::format("body of {} bytes, the limit is {}", parsed->body.size(), o_.body_max),
          o_.oversize_skip);
    }
    ++taken_;
    bytes_ += static_cast<std::int64_t>(parsed->body.size());
    if (o_.dry_run) return {};
    std::string_view raw;
    std::string with_delimiter;
    if (o_.tee) {
      with_delimiter.assign(record.text);
      if (o_.split == Split::kDelimiter &&
          record.end - record.offset > static_cast<std::int64_t>(record.text.size()))
        with_delimiter += o_.delimiter;
      raw = with_delimiter;
    }
    MQ_CHECK(keep_rate());
    while (!sender_->add(*parsed, info, raw)) MQ_CHECK(sender_->pump(-1, 1000));
    return {};
  }

  Result<void> reject(const ItemInfo& info, const std::string& why, bool skip) {
    if (rejected_ + skipped_large_ < kReportsMax) {
      cli::say(fmt::format("record {} at byte {}: {}{}", info.number, info.offset, why,
                           skip ? "; skipped" : ""));
    }
    if (skip) return skipped_large_++, Result<void>();
    ++rejected_;
    status_ = std::max(status_, static_cast<int>(cli::kExitData));
    return {};
  }

  // True when the input can be read; meanwhile batches leave in time and answers are taken.
  Result<bool> wait_for_input(int fd) {
    show_progress(false);
    if (o_.dry_run) return true;
    std::int64_t timeout_ms = 250;
    if (sender_->has_open_batch()) {
      const std::int64_t waited_us = system_clock().monotonic_us() - sender_->open_since_us();
      if (waited_us >= o_.linger_ms * 1000) {
        sender_->flush();
      } else {
        timeout_ms = std::max<std::int64_t>(1, o_.linger_ms - waited_us / 1000);
      }
    }
    return sender_->pump(fd, timeout_ms);
  }

  Result<void> keep_rate() {
    if (o_.rate <= 0) return {};
    while (true) {
      const std::int64_t due =
          begin_us_ + static_cast<std::int64_t>(static_cast<double>(taken_ - 1) / o_.rate * 1e6);
      const std::int64_t left = due - system_clock().monotonic_us();
      if (left <= 0 || cli::stop_signal() != 0) return {};
      sender_->flush();
      MQ_CHECK(sender_->pump(-1, std::min<std::int64_t>(left / 1000 + 1, 250)));
    }
  }

  [[nodiscard]] bool done_taking() const {
    return cli::stop_signal() != 0 || (o_.count >= 0 && taken_ >= o_.count) ||
           (sender_ && sender_->has_given_up()) || failed_output_;
  }

  // --- answers ---

  Result<void> drain() {
    if (!sender_) return {};
    sender_->flush();
    const std::int64_t deadline = system_clock().monotonic_us() + kDrainUs;
    while (!sender_->is_idle()) {
      if (cli::stop_signal() != 0 && system_clock().monotonic_us() > deadline)
        return Error{Errc::kTimeout, "not acknowledged within 5 s of the signal"};
      MQ_CHECK(sender_->pump(-1, 250));
      show_progress(false);
    }
    return {};
  }

  void on_done(const Outcome& outcome) {
    const auto count = static_cast<std::int64_t>(outcome.items->size());
    if (!outcome.delivered) {
      undelivered_ += count;
      const ItemInfo& first = outcome.items->front();
      const ItemInfo& last = outcome.items->back();
      if (reports_++ < kReportsMax) {
        cli::say(fmt::format("records {} to {} (bytes {} to {}) not delivered: {}", first.number,
                             last.number, first.offset, last.end, outcome.reason));
      }
      const bool lasting =
          outcome.code != 0 && outcome.code != 1 && outcome.code != 2 && outcome.code != 14;
      status_ = std::max(status_, lasting ? (outcome.code == 16   ? 77
                                             : outcome.code == 17 ? 66
                                                                  : 65)
                                          : 75);
      return;
    }
    acknowledged_ += count;
    latencies_us_.push_back(static_cast<std::int32_t>(outcome.latency_us));
    if (outcome.code != 0 && (o_.sync || reports_++ < kReportsMax)) {
      cli::say(outcome.reason);
      if (o_.sync) status_ = std::max(status_, static_cast<int>(cli::kExitTemporary));
    }
    if (outcome.items->front().offset <= journal_end_)
      journal_end_ = std::max(journal_end_, outcome.items->back().end);
    note_journal();
    Result<void> written;
    if (receipts_) written = receipts_->write(outcome);
    if (written && o_.tee) {
      out_.buffer() += *outcome.raw;
      written = out_.flush();
    }
    if (!written && !failed_output_) {
      failed_output_ = true;
      if (written.error().code() != Errc::kClosed) cli::say(written.error().text());
      status_ = std::max(status_, static_cast<int>(cli::kExitIo));
    }
  }

  // --- resuming ---

  Result<void> load_journal() {
    auto text = fs::read_file(fs::posix(), o_.resume, 4096);
    if (!text) {
      if (text.error().code() == Errc::kNotFound) return {};
      return std::move(text).error();
    }
    long long offset = 0;
    long long number = 0;
    if (std::sscanf(text->c_str(), "mqsend-resume 1 %lld %lld", &offset, &number) != 2 ||
        offset < 0 || number < 0) {
      return Error{Errc::kInvalid,
                   fmt::format("--resume {}: this is no journal of mqsend", o_.resume)};
    }
    resumed_at_ = journal_end_ = written_journal_ = offset;
    number_ = number;
    return {};
  }

  Result<void> skip(int fd, std::int64_t bytes) {
    splitter_.set_offset(bytes);
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

  // At most once a second, and at the end; with every acknowledged byte only if all before it are.
  void note_journal(bool last = false) {
    if (o_.resume.empty() || journal_end_ == written_journal_) return;
    const std::int64_t now = system_clock().monotonic_us();
    if (!last && now - journal_us_ < 1'000'000) return;
    journal_us_ = now;
    const std::string text = fmt::format("mqsend-resume 1 {} {}\n", journal_end_, number_);
    if (auto done = fs::write_file_atomically(fs::posix(), o_.resume, text, false); !done) {
      cli::say(done.error().text());
      status_ = std::max(status_, static_cast<int>(cli::kExitIo));
    }
    written_journal_ = journal_end_;
  }

  // --- words ---

  void show_progress(bool last) {
    const bool asked = cli::take_usr1();
    const bool live = !o_.common.quiet && (o_.progress || isatty(2) != 0);
    const std::int64_t now = system_clock().monotonic_us();
    if (!asked && (!live || (now - shown_us_ < 250'000 && !last) || (last && shown_us_ == 0)))
      return;
    shown_us_ = now;
    const double seconds = std::max(1e-6, static_cast<double>(now - begin_us_) / 1e6);
    fmt::print(stderr, "{}{} msgs  {}  {}/s{}", live ? "\r" : "mqsend: ", acknowledged_,
               cli::human_bytes(static_cast<double>(bytes_)),
               cli::human_count(static_cast<double>(acknowledged_) / seconds),
               live && !last && !asked ? "   " : "\n");
  }

  int finish() {
    if (sender_) note_journal(true);
    if (receipts_) close_checked(receipts_->close());
    if (o_.tee) close_checked(out_.close());
    show_progress(true);
    if (!o_.common.quiet) summary();
    if (cli::stop_signal() != 0 && status_ == 0) cli::die_of(cli::stop_signal());
    return status_;
  }
  void close_checked(const Result<void>& done) {
    if (done || failed_output_) return;
    cli::say(done.error().text());
    status_ = std::max(status_, static_cast<int>(cli::kExitIo));
  }

  void summary() {
    if (undelivered_ > 0 || (sender_ && sender_->has_given_up())) {
      cli::say(fmt::format("{} records acknowledged, {} not delivered{}", acknowledged_,
                           undelivered_,
                           sender_->has_given_up() ? "; the rest of the input was not read" : ""));
    }
    if (skipped_empty_ > 0) cli::say(fmt::format("{} empty records skipped", skipped_empty_));
    if (skipped_large_ > 0)
      cli::say(fmt::format("{} records skipped as too large", skipped_large_));
    if (rejected_ > kReportsMax) cli::say(fmt::format("{} records were bad in all", rejected_));
    if (o_.dry_run)
      cli::say(fmt::format("{} messages, {} bytes; nothing was sent", taken_, bytes_));
    if (!o_.stats || latencies_us_.empty()) return;
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const auto at = [&](double q) {
      return latencies_us_[static_cast<std::size_t>(q *
                                                    static_cast<double>(latencies_us_.size() - 1))];
    };
    const double seconds =
        std::max(1e-6, static_cast<double>(system_clock().monotonic_us() - begin_us_) / 1e6);
    cli::say(fmt::format(
        "{} messages, {} in {:.3f} s: {}/s; requests {}, latency p50 {} us, p99 {} us, max {} us",
        acknowledged_, cli::human_bytes(static_cast<double>(bytes_)), seconds,
        cli::human_count(static_cast<double>(acknowledged_) / seconds), latencies_us_.size(),
        at(0.5), at(0.99), latencies_us_.back()));
  }

  const Options& o_;
  Splitter splitter_;
  std::optional<RecordParser> parser_;
  std::optional<Sender> sender_;
  std::unique_ptr<Receipts> receipts_;
  cli::Output out_;
  int status_ = 0;
  bool failed_output_ = false;
  std::int64_t number_ = 0, taken_ = 0, bytes_ = 0, acknowledged_ = 0, undelivered_ = 0;
  std::int64_t skipped_empty_ = 0, skipped_large_ = 0, rejected_ = 0;
  int reports_ = 0;
  std::int64_t begin_us_ = 0, shown_us_ = 0, journal_us_ = 0;
  std::int64_t resumed_at_ = 0, journal_end_ = 0, written_journal_ = 0;
  std::vector<std::int32_t> latencies_us_;
};

}  // namespace

int run(const Options& options) { return Run(options).run(); }

}  // namespace mq::mqsend
