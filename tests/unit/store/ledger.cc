#include "unit/store/ledger.h"

#include <chrono>
#include <future>

#include <fmt/format.h>

#include "format/inner_batch.h"
#include "format/light_queues.h"
#include "format/properties.h"
#include "format/record.h"

namespace mq::test {
namespace {

std::uint64_t number_of(const format::Record& record) {
  const auto key = format::find_property(record.properties, format::kUniqKey);
  if (!key || key->size() < 2 || key->front() != 'u') return 0;
  const std::uint64_t number = std::strtoull(std::string(key->substr(1)).c_str(), nullptr, 10);
  return *key == "u" + std::to_string(number) ? number : 0;  // torn, it may end in zeros
}

}  // namespace

std::string Ledger::body_of(std::uint64_t number) const {
  std::mt19937_64 random(seed_ * 1'000'003 + number);
  std::string body(1 + random() % body_bytes_max_, '\0');
  for (char& c : body) c = static_cast<char>(random());
  return body;
}

store::PutResult Ledger::put(store::MessageStore& store, std::mt19937_64& random,
                             std::size_t count) {
  const std::string topic = "T" + std::to_string(random() % kTopics);
  store::PutCommon common{.topic = topic,
                          .queue_id = static_cast<QueueId>(random() % kQueues),
                          .born_timestamp_ms = 1'700'000'000'000};
  if (topic == batch_topic_ && count == 1 && random() % 2 == 0)
    common.inner_messages = 2 + static_cast<std::int32_t>(random() % 4);
  std::vector<std::string> bodies;
  std::vector<std::string> properties;
  for (std::size_t i = 0; i < count; ++i) {
    bodies.push_back(body_of(next_ + i));
    std::string& text = properties.emplace_back();
    format::append_property(text, format::kKeys, "k" + std::to_string(next_ + i));
    format::append_property(text, format::kUniqKey, "u" + std::to_string(next_ + i));
  }
  const bool is_light = !light_queue_.empty() && count == 1 && common.inner_messages == 0 &&
                        topic != batch_topic_ && random() % 2 == 0;
  if (is_light) format::append_property(properties.front(), format::kLightQueues, light_queue_);
  std::vector<store::PutMessage> messages;
  for (std::size_t i = 0; i < count; ++i)
    messages.push_back({.flag = 0, .body = as_bytes(bodies[i]), .properties = properties[i]});
  const store::PutResult result = store.put_batch(common, messages);
  if (store::is_stored(result.status)) {
    const MutexLock lock(mu_);
    PhysicalOffset at = result.physical_offset;
    for (std::size_t i = 0; i < count; ++i) {
      format::Record record;
      record.topic = topic;
      record.body = messages[i].body;
      record.properties = messages[i].properties;
      entries_[next_ + i] = {.topic = topic,
                             .queue = common.queue_id,
                             .offset = result.queue_offset + static_cast<std::int64_t>(i),
                             .at = at,
                             .put_end = result.end,
                             .is_light = is_light};
      at += static_cast<std::int64_t>(format::record_bytes(record));
    }
  }
  next_ += count;
  return result;
}

std::uint64_t Ledger::identify(Bytes bytes) {
  const auto record = format::decode_record(bytes, format::CheckBody::kCrc);
  if (!record) return 0;
  const std::uint64_t number = number_of(*record);
  if (const auto entry = entries_.find(number);
      entry != entries_.end() && entry->second.at == record->physical_offset)
    return number;
  for (auto& [other, entry] : entries_) {
    if (entry.at != record->physical_offset || (entry.acknowledged && !entry.torn)) continue;
    if (as_text(record->body) != body_of(other)) continue;
    entry.torn = true;
    return other;
  }
  return 0;
}

void Ledger::acknowledge(PhysicalOffset put_end) {
  const MutexLock lock(mu_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->second.put_end < put_end) break;
    if (entry->second.put_end == put_end) entry->second.acknowledged = true;
  }
}

void Ledger::await(store::MessageStore& store, const store::PutResult& result) {
  store.when_durable(result.end, [this, end = result.end](store::PutStatus status) {
    {
      const MutexLock lock(mu_);
      last_answer_ = status;
    }
    if (status == store::PutStatus::kOk) acknowledge(end);
  });
}

bool Ledger::await_now(store::MessageStore& store, const store::PutResult& result) {
  auto answer = std::make_shared<std::promise<store::PutStatus>>();
  auto future = answer->get_future();
  store.when_durable(result.end, [answer](store::PutStatus status) { answer->set_value(status); });
  if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) return false;
  const store::PutStatus status = future.get();
  {
    const MutexLock lock(mu_);
    last_answer_ = status;
  }
  if (status != store::PutStatus::kOk) return false;
  acknowledge(result.end);
  return true;
}

std::size_t Ledger::acknowledged() const {
  const MutexLock lock(mu_);
  std::size_t count = 0;
  for (const auto& [number, entry] : entries_) count += entry.acknowledged ? 1 : 0;
  return count;
}

store::PutStatus Ledger::last_answer() const {
  const MutexLock lock(mu_);
  return last_answer_;
}

std::string Ledger::check_record(Bytes bytes, std::uint64_t number, const Entry& entry) const {
  const auto record = format::decode_record(bytes, format::CheckBody::kCrc);
  const std::string who = fmt::format("message {} at {}", number, entry.at.value());
  if (!record) return who + ": " + record.error().to_string();
  if (as_text(record->body) != body_of(number)) return who + ": another body";
  if (record->topic != entry.topic || record->queue_id != entry.queue)
    return who + ": in another queue";
  if (record->queue_offset != entry.offset || record->physical_offset != entry.at) {
    return fmt::format("{}: numbered {} at {}, expected {}", who, record->queue_offset.value(),
                       record->physical_offset.value(), entry.offset.value());
  }
  return {};
}

std::string Ledger::check_queue(store::MessageStore& store, const std::string& topic, QueueId queue,
                                std::map<std::uint64_t, bool>& served) {
  const std::string who = fmt::format("queue {}/{}", topic, queue);
  const QueueOffset max = store.max_offset(topic, queue);
  // What stands before it was torn and never acknowledged, or it is missed in check().
  QueueOffset at = store.min_offset(topic, queue);
  while (at < max) {
    const store::GetResult got = store.get({.topic = topic,
                                            .queue_id = queue,
                                            .offset = at,
                                            .count_max = 100,
                                            .ignore_transfer_limits = true});
    if (got.status != store::GetStatus::kFound || got.count == 0) {
      return fmt::format("{}: {} at {} of {}", who, name_of(got.status), at.value(), max.value());
    }
    for (const store::SegmentView& span : got.spans) {
      for (Bytes rest = span.bytes; !rest.empty();) {
        const auto record = format::decode_record(rest, format::CheckBody::kCrc);
        if (!record)
          return fmt::format("{} at {}: {}", who, at.value(), record.error().to_string());
        const std::uint64_t number = identify(rest);
        const auto entry = entries_.find(number);
        if (entry == entries_.end())
          return fmt::format("{} at {}: message {} at {}, which was never put", who, at.value(),
                             number_of(*record), record->physical_offset.value());
        if (!served.emplace(number, true).second)
          return fmt::format("{} at {}: message {} again", who, at.value(), number);
        // What is passed over was damaged and never acknowledged, or it is missed in check().
        if (entry->second.offset < at)
          return fmt::format("{} at {}: message {} was numbered {}", who, at.value(), number,
                             entry->second.offset.value());
        at = entry->second.offset;
        if (auto wrong = check_record(rest, number, entry->second); !wrong.empty()) return wrong;
        rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
        at += format::message_count(*record);
      }
    }
    if (got.next != at)
      return fmt::format("{}: next {} after {}", who, got.next.value(), at.value());
  }
  return {};
}

std::string Ledger::check_light_queue(store::MessageStore& store) {
  std::map<std::uint64_t, QueueOffset> served;
  const QueueOffset max = store.max_offset(light_queue_, 0);
  for (QueueOffset at = store.min_offset(light_queue_, 0); at < max;) {
    const store::GetResult got = store.get({.topic = light_queue_, .offset = at});
    for (const store::SegmentView& span : got.spans) {
      for (Bytes rest = span.bytes; !rest.empty();) {
        const auto record = format::decode_record(rest, format::CheckBody::kCrc);
        if (!record) return fmt::format("{} at {}: no record", light_queue_, at.value());
        const std::uint64_t number = identify(rest);
        const auto its = format::number_in(*record, light_queue_, 0);
        if (number == 0 || !entries_.at(number).is_light || !its)
          return fmt::format("{} at {}: not one of its messages", light_queue_, at.value());
        if (!served.empty() &&
            (number <= served.rbegin()->first || *its <= served.rbegin()->second))
          return fmt::format("{} at {}: message {} out of order", light_queue_, at.value(), number);
        served[number] = *its;
        rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    if (got.next <= at) return fmt::format("{}: stuck at {}", light_queue_, at.value());
    at = got.next;
  }
  for (const auto& [number, entry] : entries_) {
    if (entry.is_light && entry.acknowledged && !entry.torn && !served.contains(number))
      return fmt::format("{}: message {} is missing, there are {}", light_queue_, number,
                         served.size());
  }
  return {};
}

std::string Ledger::check_keys(store::MessageStore& store, std::uint64_t number,
                               const Entry& entry) {
  for (const char* prefix : {"k", "u"}) {
    const std::string key = prefix + std::to_string(number);
    auto found = store.query(entry.topic, key, 64, 0, INT64_MAX);
    if (!found) return fmt::format("key {}: {}", key, found.error().to_string());
    if (found->size() != 1) return fmt::format("key {}: found {} times", key, found->size());
    if (auto wrong = check_record(found->front().bytes, number, entry); !wrong.empty())
      return "by key: " + wrong;
  }
  return {};
}

std::string Ledger::check(store::MessageStore& store) {
  if (!store.wait_dispatched(60'000)) return "dispatch does not catch up";
  const MutexLock lock(mu_);
  std::map<std::uint64_t, bool> served;
  for (int topic = 0; topic < kTopics; ++topic) {
    for (QueueId queue = 0; queue < kQueues; ++queue) {
      auto wrong = check_queue(store, "T" + std::to_string(topic), queue, served);
      if (!wrong.empty()) return wrong;
    }
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto& [number, e] = *entry;
    if (!served.contains(number)) {
      if (e.acknowledged) {
        return fmt::format(
            "message {} at {} ({}/{}/{}) was acknowledged and is gone; the log {}, its queue has "
            "{} to {}",
            number, e.at.value(), e.topic, e.queue, e.offset.value(),
            store.get_record(e.at) ? "has it" : "has it not",
            store.min_offset(e.topic, e.queue).value(), store.max_offset(e.topic, e.queue).value());
      }
      entry = entries_.erase(entry);
      continue;
    }
    auto view = store.get_record(e.at);
    if (!view) return fmt::format("message {}: {}", number, view.error().to_string());
    // The end of its properties may be torn as well, while it was not acknowledged.
    if (!e.acknowledged && e.is_light) {
      const auto record = format::decode_record(view->bytes, format::CheckBody::kNo);
      entry->second.is_light = record && format::number_in(*record, light_queue_, 0);
    }
    entry->second.acknowledged = true;
    if (auto wrong = check_record(view->bytes, number, e); !wrong.empty())
      return "in log: " + wrong;
    if (e.torn) {
      ++entry;
      continue;
    }
    if (auto wrong = check_keys(store, number, e); !wrong.empty()) return wrong;
    ++entry;
  }
  return light_queue_.empty() ? std::string() : check_light_queue(store);
}

}  // namespace mq::test
