#include "run.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/output.h"
#include "files.h"
#include "printer.h"
#include "remote.h"

namespace mq::mqrecv {
namespace {

// A queue and what of it is to be read.
struct Part {
  QueueAt queue;
  std::int64_t at = 0;
  std::int64_t end = 0;
};

class Run {
 public:
  explicit Run(const Options& options) : o_(options) {}

  int run() {
    cli::catch_signals();
    begin_us_ = system_clock().monotonic_us();
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
    if (o_.store.empty()) {
      MQ_TRY(auto remote, RemoteSource::connect(o_));
      remote_ = remote.get();
      source_ = std::move(remote);
    } else {
      MQ_TRY(source_, open_files(o_.store));
    }
    if (!o_.key.empty() || !o_.id.empty()) return look_up();
    std::vector<Part> parts;
    for (const std::string& topic : o_.topics) {
      MQ_TRY(auto queues, source_->queues(topic));
      for (QueueAt& queue : queues) {
        if (o_.queue >= 0 && queue.queue != o_.queue) continue;
        MQ_TRY(Part part, part_of(std::move(queue)));
        parts.push_back(std::move(part));
      }
    }
    if (o_.tail >= 0) {
      MQ_CHECK(print_tail(parts));
    } else if (o_.sort) {
      MQ_CHECK(print_sorted(parts));
    } else if (!o_.follow || o_.range.begin.kind != Bound::Kind::kFirst || o_.since_ms) {
      for (Part& part : parts) MQ_CHECK(print_part(part));
    }
    return o_.follow && !is_over() ? follow(parts) : Result<void>();
  }

  Result<void> look_up() {
    std::vector<std::string> topics = o_.topics;
    if (topics.empty()) topics.emplace_back();
    for (const std::string& topic : topics) {
      MQ_TRY(const auto found,
             o_.key.empty() ? source_->find_id(topic, o_.id) : source_->find_key(topic, o_.key));
      for (const std::string& record : found)
        MQ_CHECK(printer_->print(as_bytes(record), INT64_MAX, source_->broker()));
    }
    nothing_found_ = printer_->printed() == 0;
    return {};
  }

  // --- where to begin and end ---

  Result<std::int64_t> resolve(const QueueAt& q, const Bound& bound) {
    switch (bound.kind) {
      case Bound::Kind::kFirst:
        return q.min;
      case Bound::Kind::kLast:
        return q.max;
      case Bound::Kind::kAbsolute:
        return bound.value;
      case Bound::Kind::kFromFirst:
        return q.min + bound.value;
      case Bound::Kind::kFromLast:
        return q.max - bound.value;
      case Bound::Kind::kTime:
        return source_->offset_at(q, bound.value);
    }
    return q.min;
  }

  Result<Part> part_of(QueueAt queue) {
    Part part;
    MQ_TRY(part.at, resolve(queue, o_.range.begin));
    part.end = queue.max;
    if (o_.range.end) {
      MQ_TRY(part.end, resolve(queue, *o_.range.end));
    }
    if (!o_.by_born && o_.since_ms) {
      MQ_TRY(const std::int64_t since, source_->offset_at(queue, *o_.since_ms));
      part.at = std::max(part.at, since);
    }
    if (!o_.by_born && o_.until_ms) {
      MQ_TRY(const std::int64_t until, source_->offset_at(queue, *o_.until_ms + 1));
      part.end = std::min(part.end, until);
    }
    part.at = std::max(part.at, queue.min);
    part.end = std::min(part.end, queue.max);
    part.queue = std::move(queue);
    return part;
  }

  // --- printing ---

  [[nodiscard]] bool is_over() const {
    if (cli::stop_signal() != 0 || printer_->is_done()) return true;
    return o_.timeout_ms >= 0 && system_clock().monotonic_us() - begin_us_ >= o_.timeout_ms * 1000;
  }

  Result<void> print_part(Part& part) {
    while (part.at < part.end && !is_over()) {
      MQ_TRY(const Stretch stretch, source_->read(part.queue, part.at, part.end));
      MQ_CHECK(printer_->print(stretch.records, part.end, source_->broker()));
      if (stretch.next <= part.at) return {};
      part.at = stretch.next;
    }
    return {};
  }

  // A record kept for ordering.
  struct Kept {
    std::int64_t time;
    std::int64_t physical;
    std::string bytes;
  };
  Result<void> fill(Part& part, std::vector<Kept>& into) {
    into.clear();
    while (into.empty() && part.at < part.end) {
      MQ_TRY(const Stretch stretch, source_->read(part.queue, part.at, part.end));
      Bytes rest = stretch.records;
      while (!rest.empty()) {
        auto record = format::decode_record(rest, format::CheckBody::kNo);
        if (!record)
          return Error{Errc::kProtocol, "a record that does not decode: " + record.error().text()};
        const Bytes bytes = rest.first(static_cast<std::size_t>(record->total_bytes));
        rest = rest.subspan(bytes.size());
        if (record->queue_offset.value() >= part.end) continue;
        into.push_back({record->store_timestamp_ms, record->physical_offset.value(),
                        std::string(as_text(bytes))});
      }
      if (stretch.next <= part.at) return {};
      part.at = stretch.next;
    }
    std::reverse(into.begin(), into.end());  // taken from the back
    return {};
  }

  Result<void> print_sorted(std::vector<Part>& parts) {
    std::vector<std::vector<Kept>> heads(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) MQ_CHECK(fill(parts[i], heads[i]));
    while (!is_over()) {
      std::size_t best = parts.size();
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (heads[i].empty()) continue;
        if (best == parts.size() ||
            std::pair(heads[i].back().time, heads[i].back().physical) <
                std::pair(heads[best].back().time, heads[best].back().physical)) {
          best = i;
        }
      }
      if (best == parts.size()) return {};
      MQ_CHECK(printer_->print(as_bytes(heads[best].back().bytes), INT64_MAX, source_->broker()));
      heads[best].pop_back();
      if (heads[best].empty()) MQ_CHECK(fill(parts[best], heads[best]));
    }
    return {};
  }

  Result<void> print_tail(std::vector<Part>& parts) {
    std::vector<Kept> last;
    for (Part& part : parts) {
      part.at = std::max(part.at, part.end - o_.tail);
      std::vector<Kept> some;
      while (part.at < part.end) {
        MQ_CHECK(fill(part, some));
        if (some.empty()) break;
        last.insert(last.end(), std::make_move_iterator(some.begin()),
                    std::make_move_iterator(some.end()));
      }
    }
    std::sort(last.begin(), last.end(), [](const Kept& a, const Kept& b) {
      return std::pair(a.time, a.physical) < std::pair(b.time, b.physical);
    });
    const std::size_t skip = last.size() - std::min(last.size(), static_cast<std::size_t>(o_.tail));
    for (std::size_t i = skip; i < last.size(); ++i) {
      MQ_CHECK(printer_->print(as_bytes(last[i].bytes), INT64_MAX, source_->broker()));
    }
    return printer_->flush();
  }

  Result<void> follow(const std::vector<Part>& parts) {
    MQ_CHECK(printer_->flush());
    std::vector<QueueAt> queues;
    for (const Part& part : parts) queues.push_back(part.queue);
    std::int64_t quiet_since = system_clock().monotonic_us();
    Result<void> result;
    MQ_CHECK(remote_->follow(std::move(queues), [&](const QueueAt* queue, const Stretch& stretch) {
      const std::int64_t now = system_clock().monotonic_us();
      if (queue != nullptr && !stretch.records.empty()) {
        result = printer_->print(stretch.records, INT64_MAX, source_->broker());
        if (result) result = printer_->flush();  // whoever follows wants to see it now
        quiet_since = now;
      }
      return result && !is_over() && (o_.idle_ms < 0 || now - quiet_since < o_.idle_ms * 1000);
    }));
    return result;
  }

  const Options& o_;
  std::optional<Printer> printer_;
  std::unique_ptr<Source> source_;
  RemoteSource* remote_ = nullptr;
  bool nothing_found_ = false;
  std::int64_t begin_us_ = 0;
};

}  // namespace

int run(const Options& options) { return Run(options).run(); }

}  // namespace mq::mqrecv
