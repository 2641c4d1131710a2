// The append path of the commit log: what happens under the append lock, and nothing else.
#include <algorithm>
#include <cstring>

#include "format/record.h"
#include "store/commit_log.h"

namespace mq::store {
namespace {

constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kAheadBytes = 512;  // a small record and what belongs to it

// The log has not been touched since its pages were made: the lines of the next record are on
// their way into the cache while the caller is still busy with this one.
void prefetch_for_write(const std::byte* at) noexcept {
  for (std::size_t line = 0; line < kAheadBytes; line += kLineBytes) {
    __builtin_prefetch(at + line, 1);
  }
}

std::byte* copy(std::byte* to, Bytes from) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
  return to + from.size();
}

void put_digits(std::byte* at, std::int64_t number) noexcept {
  for (int i = kInnerBaseDigits - 1; i >= 0; --i, number /= 10)
    at[i] = static_cast<std::byte>('0' + number % 10);
}

// Takes the record's number in each of its light queues; `end`: behind the record.
void number_light(std::span<QueueCounter* const> queues, std::byte* end) noexcept {
  for (auto queue = queues.rbegin(); queue != queues.rend(); ++queue) {
    put_digits(end - kInnerBaseDigits, (*queue)->next++);
    end -= kInnerBaseDigits + 1;
  }
}

}  // namespace

// Ends the tail with a blank and goes on in the next file (2.4).
bool CommitLog::roll() {
  const std::int64_t written = written_.load(std::memory_order_relaxed);
  const std::int64_t position = written - tail_->start().value();
  if (next_ == nullptr) return false;
  if (position < tail_->bytes()) {
    // Every record leaves room for it.
    if (tail_->allocated() < position + static_cast<std::int64_t>(format::kBlankHeadBytes)) {
      return false;
    }
    format::encode_blank(static_cast<std::int32_t>(tail_->bytes() - position),
                         std::span<std::byte, format::kBlankHeadBytes>(tail_->writable() + position,
                                                                       format::kBlankHeadBytes));
  }
  // In the list before written() moves into it, so that a reader finds it.
  segments_.push_back(next_);
  written_.store(next_->start().value(), std::memory_order_seq_cst);
  tail_ = std::move(next_);
  return true;
}

CommitLog::Appended CommitLog::append(std::span<const EncodedRecord> records, QueueCounter& counter,
                                      bool takes_offset) {
  std::int64_t bytes = 0;
  for (const EncodedRecord& record : records) bytes += static_cast<std::int64_t>(record.bytes());

  Appended out;
  bool has_rolled = false;
  {
    AppendGuard guard(append_lock_);
    out.waited_us = guard.waited_us();
    const std::int64_t now_ms = options_.clock->now_ms();
    append_lock_.set_held_since_ms(now_ms);
    if (tail_ == nullptr) return out;
    std::int64_t at = written_.load(std::memory_order_relaxed);
    std::int64_t position = at - tail_->start().value();
    if (bytes + static_cast<std::int64_t>(format::kBlankHeadBytes) > tail_->bytes() - position) {
      if (!roll()) return out;
      has_rolled = true;
      at = tail_->start().value();
      position = 0;
    }
    if (position + bytes > tail_->allocated()) {
      out.end = PhysicalOffset(at);
    } else {
      out.has_room = true;
      // Never back, so that a search by time can rely on the order (trap 29).
      out.store_timestamp_ms = std::max(now_ms, last_store_time_.load(std::memory_order_relaxed));
      out.at = PhysicalOffset(at);
      std::int64_t queue_offset = takes_offset ? counter.next : 0;
      out.queue_offset = QueueOffset(queue_offset);
      std::byte* to = tail_->writable() + position;
      for (const EncodedRecord& record : records) {
        std::byte* const head = to;
        to = copy(copy(copy(to, record.head), record.body), record.tail);
        format::patch_record_head({head, record.head.size()}, QueueOffset(queue_offset),
                                  PhysicalOffset(at), out.store_timestamp_ms);
        at += to - head;
        if (record.has_base) put_digits(to - kInnerBaseDigits, queue_offset);
        if (!record.light.empty()) [[unlikely]]
          number_light(record.light, to);
        if (takes_offset) queue_offset += record.messages;
      }
      out.end = PhysicalOffset(at);
      if (tail_->faulted()) [[unlikely]] {
        // The copy went nowhere: as if it had not been.
        out.has_room = false;
        out.device_failed = true;
        return out;
      }
      if (takes_offset) counter.next = queue_offset;
      last_store_time_.store(out.store_timestamp_ms, std::memory_order_relaxed);
      records_total_.store(records_total_.load(std::memory_order_relaxed) +
                               static_cast<std::int64_t>(records.size()),
                           std::memory_order_relaxed);
      prefetch_for_write(to);
      written_.store(at, std::memory_order_seq_cst);
    }
  }
  if (out.has_room || has_rolled) after_append(out.end);
  return out;
}

void CommitLog::after_append(PhysicalOffset end) {
  if (end.value() >= grow_mark_.load(std::memory_order_relaxed)) [[unlikely]] {
    grow_mark_.store(INT64_MAX, std::memory_order_relaxed);
    if (grow_) grow_();
  }
  if (!options_.readable_when_flushed && reader_waits_.load(std::memory_order_seq_cst))
      [[unlikely]] {
    // One of several appends wakes the reader.
    if (reader_waits_.exchange(false, std::memory_order_relaxed)) wake_reader();
  }
}

}  // namespace mq::store
