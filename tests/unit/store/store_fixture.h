// A store on a file system of the test's own, with small files, and the few calls that every test
// needs.
#pragma once

#include <future>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "format/light_queues.h"
#include "format/properties.h"
#include "format/record.h"
#include "store/message_store.h"

namespace mq::store::test {

inline StoreOptions small_options(fs::Fs& fs, Clock& clock, FlushMode mode,
                                  std::string root = "store") {
  StoreOptions o;
  o.root = std::move(root);
  o.fs = &fs;
  o.clock = &clock;
  o.commit_log_file_bytes = 64 << 10;
  o.consume_queue_file_bytes = 2000;
  o.index_shape = {.slots = 100, .entries = 500};
  o.flush_mode = mode;
  o.flush_interval_ms = 5;
  o.queue_flush_interval_ms = 5;
  o.queue_flush_thorough_interval_ms = 20;
  o.file_reserved_hours = 1'000'000;
  return o;
}

inline PutCommon common_of(std::string_view topic, QueueId queue) {
  PutCommon c;
  c.topic = topic;
  c.queue_id = queue;
  c.born_timestamp_ms = 1'700'000'000'000;
  c.born_host = *format::parse_host("192.168.1.10:50000");
  c.store_host = *format::parse_host("127.0.0.1:10911");
  return c;
}

inline std::string properties_of(const std::string& id, const std::string& key = {},
                                 const std::string& tag = {}) {
  std::string out;
  format::append_property(out, format::kUniqKey, id);
  if (!key.empty()) format::append_property(out, format::kKeys, key);
  if (!tag.empty()) format::append_property(out, format::kTags, tag);
  return out;
}

inline PutResult put(MessageStore& store, std::string_view topic, QueueId queue,
                     const std::string& body, const std::string& id,
                     std::string_view light_queues = {}) {
  std::string properties = properties_of(id);
  if (!light_queues.empty())
    format::append_property(properties, format::kLightQueues, light_queues);
  return store.put(common_of(topic, queue),
                   {.flag = 0, .body = as_bytes(body), .properties = properties});
}

// Waits for the disk's word.
inline PutStatus wait_durable(MessageStore& store, PhysicalOffset end) {
  std::promise<PutStatus> done;
  store.when_durable(end, [&](PutStatus status) { done.set_value(status); });
  return done.get_future().get();
}

struct Served {
  std::string body;
  std::string id;
  PhysicalOffset at{};
};
// Everything of a queue, by queue offset; checks that each record is where it says.
inline std::map<std::int64_t, Served> read_all(MessageStore& store, std::string_view topic,
                                               QueueId queue) {
  std::map<std::int64_t, Served> out;
  QueueOffset at = store.min_offset(topic, queue);
  while (at < store.max_offset(topic, queue)) {
    const GetResult got =
        store.get({.topic = topic, .queue_id = queue, .offset = at, .count_max = 32});
    EXPECT_GT(got.next, at) << name_of(got.status);
    for (const SegmentView& span : got.spans) {
      Bytes rest = span.bytes;
      while (!rest.empty()) {
        const auto record = format::decode_record(rest, format::CheckBody::kCrc);
        EXPECT_TRUE(record) << record.error();
        if (!record) return out;
        const auto number = format::number_in(*record, topic, queue);
        EXPECT_TRUE(number) << record->topic << '/' << record->queue_id;
        if (!number) return out;
        out[number->value()] = {
            std::string(as_text(record->body)),
            std::string(format::find_property(record->properties, format::kUniqKey).value_or("")),
            record->physical_offset};
        rest = rest.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    if (got.next <= at) break;
    at = got.next;
  }
  return out;
}

}  // namespace mq::store::test
