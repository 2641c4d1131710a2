#include "exec.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "format/message_id.h"
#include "format/properties.h"

namespace mq::mqrecv {
namespace {

constexpr int kAgain = 75;
constexpr int kDeadLetter = 100;
constexpr std::int32_t kDeadLetterLevel = -1;
constexpr std::int64_t kFirstPauseUs = 1'000'000;
constexpr std::int64_t kLongestPauseUs = 60'000'000;
constexpr std::int64_t kSendBackAgainUs = 5'000'000;
constexpr std::int64_t kKillMs = 1000;     // between asking a process to end and ending it
constexpr std::size_t kDeliveriesMax = 2;  // of a queue, waiting

std::int64_t now_us() { return system_clock().monotonic_us(); }

format::Record decoded(Bytes bytes) {
  return *format::decode_record(bytes, format::CheckBody::kNo);  // the member has seen that it does
}

}  // namespace

Exec::Exec(const Options& options, client::Member& member, Printer& printer)
    : o_(options), member_(member), printer_(printer) {}

bool Exec::is_done() const { return o_.count >= 0 && started_ >= o_.count && jobs_.empty(); }

std::size_t Exec::running() const {
  return static_cast<std::size_t>(std::count_if(
      jobs_.begin(), jobs_.end(), [](const Job& job) { return job.process.has_value(); }));
}

bool Exec::is_queue_busy(const wire::MessageQueue& queue) const {
  return std::any_of(jobs_.begin(), jobs_.end(),
                     [&](const Job& job) { return job.delivery.queue == queue; });
}

std::int64_t Exec::wait_ms(std::int64_t timeout_ms) const {
  for (const Job& job : jobs_) {
    if (job.process || (job.sending_back && job.due_us == 0)) continue;
    timeout_ms = std::clamp<std::int64_t>((job.due_us - now_us() + 999) / 1000, 0, timeout_ms);
  }
  return timeout_ms;
}

Result<void> Exec::step(std::int64_t timeout_ms) {
  if (!stopping_) take_deliveries();
  start_due(now_us());
  start_more();
  if (failed_) return *std::exchange(failed_, std::nullopt);
  std::vector<pollfd> fds;
  std::vector<Job*> of;
  for (Job& job : jobs_) {
    if (!job.process) continue;
    fds.push_back({.fd = job.process->descriptor(), .events = POLLIN, .revents = 0});
    of.push_back(&job);
  }
  MQ_CHECK(member_.step(wait_ms(timeout_ms), fds, has_place()));
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (fds[i].revents == 0) continue;
    const int status = of[i]->process->wait();
    of[i]->process.reset();
    ended(*of[i], status);
  }
  drop_finished();
  return {};
}

// --- starting ---

bool Exec::has_place() const {
  std::size_t waiting = 0;
  for (const auto& [queue, stretches] : waiting_) waiting += stretches.size();
  return !stopping_ && waiting < kDeliveriesMax * std::max<std::size_t>(1, member_.queue_count());
}

void Exec::take_deliveries() {
  while (has_place()) {
    auto delivery = member_.take();
    if (!delivery) return;
    const Bytes records = delivery->records;
    const wire::MessageQueue queue = delivery->queue;
    waiting_[queue].push_back({*std::move(delivery), records});
  }
}

void Exec::start_more() {
  const auto jobs = static_cast<std::size_t>(o_.jobs);
  for (bool started = true; started && running() < jobs && !stopping_;) {
    started = false;
    // One of each queue in turn, so that none waits for the others.
    for (auto& [queue, stretches] : waiting_) {
      if (running() >= jobs || (o_.orderly && is_queue_busy(queue))) continue;
      started = start_from(stretches) || started;
    }
  }
}

// The next message of a queue that is wanted; false when there is none.
bool Exec::start_from(std::deque<Stretch>& stretches) {
  while (!stretches.empty() && !failed_ && (o_.count < 0 || started_ < o_.count)) {
    Stretch& stretch = stretches.front();
    const client::QueueTicket ticket = stretch.delivery.ticket;
    if (stretch.rest.empty() || !member_.is_ours(ticket)) {
      if (!stretch.rest.empty()) let_go(ticket);
      stretches.pop_front();
      continue;
    }
    const format::Record record = decoded(stretch.rest);
    const Bytes bytes = stretch.rest.first(static_cast<std::size_t>(record.total_bytes));
    stretch.rest = stretch.rest.subspan(bytes.size());
    if (!printer_.wanted_body(record)) {
      member_.finish(stretch.delivery.ticket, record.queue_offset.value());
      continue;
    }
    ++started_;
    Job& job = jobs_.emplace_back();
    job.delivery = stretch.delivery;
    job.record = bytes;
    run(job);
    return true;
  }
  return false;
}

void Exec::run(Job& job) {
  const format::Record record = decoded(job.record);
  const auto body = printer_.wanted_body(record);
  auto process = Process::start(o_.exec, message_variables(record, job.delivery.queue, o_.group),
                                body.value_or(Bytes()));
  if (process) {
    job.process.emplace(*std::move(process));
  } else {
    failed_ = process.error();
    leave_undone(job);
  }
}

void Exec::start_due(std::int64_t now) {
  const auto jobs = static_cast<std::size_t>(o_.jobs);
  for (Job& job : jobs_) {
    if (job.process || job.finished || job.due_us == 0 || job.due_us > now) continue;
    if (!member_.is_ours(job.delivery.ticket)) {
      leave_undone(job);
    } else if (job.sending_back) {
      send_back(job, job.send_back_level);
    } else if (running() < jobs && !stopping_) {
      job.due_us = 0;
      run(job);
    }
  }
  drop_finished();
}

// --- ending ---

void Exec::ended(Job& job, int status) {
  if (status == 0) {
    ++tally_.acknowledged;
    return finish(job);
  }
  const bool here = status == kAgain || (o_.orderly && status != kDeadLetter);
  const bool ours = member_.is_ours(job.delivery.ticket);
  if (!o_.common.quiet) {
    const format::Record record = decoded(job.record);
    cli::say(fmt::format("{}/{}/{}: the command ended with {}: {}", job.delivery.queue.topic,
                         record.queue_id, record.queue_offset.value(), status,
                         job.abandoned || !ours  ? "left, it comes again"
                         : here                  ? "again here"
                         : o_.broadcast          ? "passed over"
                         : status == kDeadLetter ? "a dead letter"
                                                 : "sent back"));
  }
  if (job.abandoned || !ours) return leave_undone(job);
  if (here) return again(job);
  if (o_.broadcast) {
    ++tally_.passed_over;
    return finish(job);
  }
  send_back(job, status == kDeadLetter ? kDeadLetterLevel : 0);
}

void Exec::again(Job& job) {
  job.pause_us = std::clamp(job.pause_us * 2, kFirstPauseUs, kLongestPauseUs);
  job.due_us = now_us() + job.pause_us;
}

void Exec::send_back(Job& job, std::int32_t level) {
  job.sending_back = true;
  job.send_back_level = level;
  job.due_us = 0;
  // A job stays where it is in the list until it is finished, which only the answer does.
  member_.send_back(
      job.delivery, decoded(job.record), level,
      [this, &job, alive = std::weak_ptr(alive_)](const Result<void>& done) {
        if (alive.expired()) return;
        if (done) {
          ++(job.send_back_level == kDeadLetterLevel ? tally_.dead : tally_.sent_back);
          return finish(job);
        }
        cli::say(fmt::format("sending a message back: {}; again in 5 s", done.error().text()));
        job.due_us = now_us() + kSendBackAgainUs;
      });
}

void Exec::finish(Job& job) {
  const format::Record record = decoded(job.record);
  member_.finish(job.delivery.ticket, record.queue_offset.value());
  printer_.count(record);
  job.finished = true;
  if (!member_.is_ours(job.delivery.ticket)) let_go(job.delivery.ticket);
}

void Exec::leave_undone(Job& job) {
  ++tally_.undone;
  job.finished = true;
  let_go(job.delivery.ticket);
}

// Others may have the queue now, unless a command for one of its messages still runs.
void Exec::let_go(client::QueueTicket ticket) {
  const bool runs = std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) {
    return !job.finished && job.delivery.ticket == ticket;
  });
  if (!runs) member_.let_go(ticket);
}

void Exec::drop_finished() {
  jobs_.remove_if([](const Job& job) { return job.finished; });
}

void Exec::drain(std::int64_t timeout_ms) {
  stopping_ = true;
  const auto wait_for_all = [this](std::int64_t ms) {
    const std::int64_t deadline = now_us() + ms * 1000;
    while (now_us() < deadline) {
      for (Job& job : jobs_)
        if (!job.process && job.due_us != 0) leave_undone(job);  // it only waits for its time
      drop_finished();
      if (jobs_.empty()) return;
      if (!step(std::max<std::int64_t>(1, (deadline - now_us()) / 1000))) return;
    }
  };
  wait_for_all(timeout_ms);
  for (Job& job : jobs_) {
    job.abandoned = true;
    if (job.process) job.process->terminate(SIGTERM);
  }
  wait_for_all(kKillMs);
  for (Job& job : jobs_) {
    if (job.process) job.process->terminate(SIGKILL);
    leave_undone(job);
  }
  drop_finished();
}

// --- the environment ---

namespace {

void add(std::vector<std::string>& out, std::string_view name, std::string_view value) {
  if (value.find('\0') == std::string_view::npos)
    out.push_back(fmt::format("MQ_MSG_{}={}", name, value));
}

// What a shell takes as part of a name.
bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

}  // namespace

std::vector<std::string> message_variables(const format::Record& record,
                                           const wire::MessageQueue& queue,
                                           const std::string& group) {
  std::vector<std::string> out;
  std::string offset_id;
  format::append_offset_message_id(offset_id, record.store_host, record.physical_offset);
  const auto property = [&](std::string_view name) {
    return format::find_property(record.properties, name).value_or("");
  };
  const std::string_view unique = property(format::kUniqKey);
  add(out, "GROUP", group);
  add(out, "TOPIC", shown_topic(record));
  add(out, "BROKER", queue.broker_name);
  add(out, "QUEUE", std::to_string(record.queue_id));
  add(out, "OFFSET", std::to_string(record.queue_offset.value()));
  add(out, "ID", unique.empty() ? std::string_view(offset_id) : unique);
  add(out, "OFFSET_ID", offset_id);
  add(out, "TAG", property(format::kTags));
  add(out, "KEYS", property(format::kKeys));
  add(out, "BORN_TIME", std::to_string(record.born_timestamp_ms));
  add(out, "STORE_TIME", std::to_string(record.store_timestamp_ms));
  add(out, "RECONSUME_TIMES", std::to_string(record.reconsume_times));
  for (const format::Property& one : format::parse_properties(record.properties))
    if (is_name(one.name)) add(out, fmt::format("PROPERTY_{}", one.name), one.value);
  return out;
}

}  // namespace mq::mqrecv
