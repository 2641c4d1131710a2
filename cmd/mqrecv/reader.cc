#include "reader.h"

#include <algorithm>

#include "base/clock.h"
#include "cli/output.h"
#include "remote.h"

namespace mq::mqrecv {
namespace {

constexpr std::int64_t kSaveUs = 1'000'000;

}  // namespace

Reader::Reader(const Options& options, Source& source, RemoteSource* remote, Printer& printer,
               Cursor* cursor)
    : o_(options),
      source_(source),
      remote_(remote),
      printer_(printer),
      cursor_(cursor),
      progress_(options.common.quiet, options.common.progress),
      only_new_(options.follow && options.tail < 0 && !options.range_given && !options.since_ms),
      begin_us_(system_clock().monotonic_us()) {}

Result<void> Reader::run() {
  MQ_CHECK(find_parts());
  Result<void> done;
  if (o_.tail >= 0) {
    done = print_tail();
  } else if (o_.sort) {
    done = print_sorted();
  } else {
    for (Part& part : parts_)
      if (done) done = print_part(part);
  }
  if (done && o_.follow && !is_over()) done = follow();
  // What is printed stays printed, whatever happened then.
  auto saved = save(true);
  progress_.end({.messages = printer_.printed(), .bytes = printer_.bytes()});
  return done ? saved : done;
}

// --- where to begin and end ---

Result<void> Reader::find_parts() {
  for (const std::string& topic : o_.topics) {
    MQ_TRY(auto queues, source_.queues(topic));
    for (QueueAt& queue : queues) {
      if (o_.queue >= 0 && queue.queue != o_.queue) continue;
      MQ_TRY(Part part, part_of(std::move(queue)));
      parts_.push_back(std::move(part));
    }
  }
  return {};
}

Result<std::int64_t> Reader::resolve(const QueueAt& q, const Bound& bound) {
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
      return source_.offset_at(q, bound.value);
  }
  return q.min;
}

Result<Reader::Part> Reader::part_of(QueueAt queue) {
  Part part;
  MQ_TRY(part.at, resolve(queue, o_.range.begin));
  part.end = queue.max;
  if (o_.range.end) {
    MQ_TRY(part.end, resolve(queue, *o_.range.end));
  }
  if (!o_.by_born && o_.since_ms) {
    MQ_TRY(const std::int64_t since, source_.offset_at(queue, *o_.since_ms));
    part.at = std::max(part.at, since);
  }
  if (!o_.by_born && o_.until_ms) {
    MQ_TRY(const std::int64_t until, source_.offset_at(queue, *o_.until_ms + 1));
    part.end = std::min(part.end, until);
  }
  if (cursor_ != nullptr)
    part.at = cursor_->next(queue.topic, queue.broker, queue.queue).value_or(part.at);
  part.at = std::max(part.at, queue.min);
  part.end = std::min(part.end, queue.max);
  // A position behind the end is one of another life of the topic, or of a store that was cut:
  // go on from the end, never from the beginning.
  part.at = std::min(part.at, queue.max);
  if (only_new_ && !(cursor_ != nullptr && cursor_->next(queue.topic, queue.broker, queue.queue)))
    part.at = queue.max;
  part.begin = part.at;
  part.queue = std::move(queue);
  return part;
}

// --- printing ---

bool Reader::is_over() const {
  if (cli::stop_signal() != 0 || printer_.is_done()) return true;
  return o_.timeout_ms >= 0 && system_clock().monotonic_us() - begin_us_ >= o_.timeout_ms * 1000;
}

Result<void> Reader::print_part(Part& part) {
  while (part.at < part.end && !is_over()) {
    MQ_TRY(const Stretch stretch, source_.read(part.queue, part.at, part.end));
    MQ_TRY(const auto stopped, printer_.print(stretch.records, part.end, part.queue.broker));
    if (!stopped && stretch.next <= part.at) return {};
    part.at = std::min(stopped.value_or(stretch.next), part.end);
    MQ_CHECK(save(false));
    show_progress();
  }
  return {};
}

Result<void> Reader::fill(const Part& part, Head& head) {
  head.kept.clear();
  while (head.kept.empty() && head.next < part.end) {
    MQ_TRY(const Stretch stretch, source_.read(part.queue, head.next, part.end));
    Bytes rest = stretch.records;
    while (!rest.empty()) {
      auto record = format::decode_record(rest, format::CheckBody::kNo);
      if (!record)
        return Error{Errc::kProtocol, "a record that does not decode: " + record.error().text()};
      const Bytes bytes = rest.first(static_cast<std::size_t>(record->total_bytes));
      rest = rest.subspan(bytes.size());
      const std::int64_t offset = record->queue_offset.value();
      if (offset >= part.end) continue;
      head.kept.push_back({record->store_timestamp_ms, record->physical_offset.value(), offset,
                           std::string(as_text(bytes))});
    }
    if (stretch.next <= head.next) return {};
    head.next = stretch.next;
  }
  std::reverse(head.kept.begin(), head.kept.end());  // taken from the back
  return {};
}

Result<void> Reader::print_sorted() {
  std::vector<Head> heads;
  for (const Part& part : parts_) {
    heads.push_back({part.at, {}});
    MQ_CHECK(fill(part, heads.back()));
  }
  while (!is_over()) {
    std::size_t best = parts_.size();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (heads[i].kept.empty()) continue;
      const auto key = [&](std::size_t at) {
        return std::pair(heads[at].kept.back().time, heads[at].kept.back().physical);
      };
      if (best == parts_.size() || key(i) < key(best)) best = i;
    }
    if (best == parts_.size()) return {};
    std::vector<Kept>& kept = heads[best].kept;
    MQ_CHECK(printer_.print(as_bytes(kept.back().bytes), INT64_MAX, parts_[best].queue.broker));
    parts_[best].at = kept.back().offset + 1;
    kept.pop_back();
    if (kept.empty()) {
      parts_[best].at = std::max(parts_[best].at, heads[best].next);
      MQ_CHECK(fill(parts_[best], heads[best]));
      MQ_CHECK(save(false));
    }
    show_progress();
  }
  return {};
}

Result<void> Reader::print_tail() {
  struct Last {
    Kept kept;
    const std::string* broker;
  };
  std::vector<Last> last;
  for (Part& part : parts_) {
    Head head{std::max(part.at, part.end - o_.tail), {}};
    while (head.next < part.end) {
      MQ_CHECK(fill(part, head));
      if (head.kept.empty()) break;
      for (Kept& kept : head.kept) last.push_back({std::move(kept), &part.queue.broker});
    }
  }
  std::sort(last.begin(), last.end(), [](const Last& a, const Last& b) {
    return std::pair(a.kept.time, a.kept.physical) < std::pair(b.kept.time, b.kept.physical);
  });
  const std::size_t skip = last.size() - std::min(last.size(), static_cast<std::size_t>(o_.tail));
  for (std::size_t i = skip; i < last.size(); ++i)
    MQ_CHECK(printer_.print(as_bytes(last[i].kept.bytes), INT64_MAX, *last[i].broker));
  for (Part& part : parts_) part.at = part.end;
  return printer_.settle_all();
}

Result<void> Reader::follow() {
  MQ_CHECK(save(true));
  std::vector<QueueAt> queues;
  for (const Part& part : parts_) {
    queues.push_back(part.queue);
    queues.back().max = part.at;
  }
  std::int64_t quiet_since = system_clock().monotonic_us();
  Result<void> result;
  MQ_CHECK(remote_->follow(std::move(queues), [&](const QueueAt* queue, const Stretch& stretch) {
    const std::int64_t now = system_clock().monotonic_us();
    show_progress();
    if (queue != nullptr) {
      const auto part = std::find_if(parts_.begin(), parts_.end(), [&](const Part& p) {
        return p.queue.topic == queue->topic && p.queue.broker == queue->broker &&
               p.queue.queue == queue->queue;
      });
      auto printed = printer_.print(stretch.records, INT64_MAX, queue->broker);
      if (!printed) {
        result = std::move(printed).error();
        return false;
      }
      part->at = printed->value_or(stretch.next);
      if (!stretch.records.empty()) {
        quiet_since = now;
        result = printer_.settle_all();  // whoever follows wants to see it now
      }
    }
    if (result) result = save(false);
    return result && !is_over() && (o_.idle_ms < 0 || now - quiet_since < o_.idle_ms * 1000);
  }));
  return result;
}

// Positions are remembered only of what is where it belongs.
Result<void> Reader::save(bool last) {
  const std::int64_t now = system_clock().monotonic_us();
  if (!last && (cursor_ == nullptr || now - saved_us_ < kSaveUs)) return {};
  saved_us_ = now;
  MQ_CHECK(printer_.settle_all());
  if (cursor_ == nullptr) return {};
  for (const Part& part : parts_)
    cursor_->set(part.queue.topic, part.queue.broker, part.queue.queue, part.at);
  return cursor_->save();
}

void Reader::show_progress() {
  std::int64_t done = 0;
  std::int64_t all = 0;
  for (const Part& part : parts_) {
    done += part.at - part.begin;
    all += std::max<std::int64_t>(0, part.end - part.begin);
  }
  const bool bounded = !o_.follow && o_.count < 0 && all > 0;
  progress_.show({.messages = printer_.printed(),
                  .bytes = printer_.bytes(),
                  .done = bounded ? static_cast<double>(done) / static_cast<double>(all) : -1});
}

}  // namespace mq::mqrecv
