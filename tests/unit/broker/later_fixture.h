// A store on a file system of the test's own and a clock that stands still, for what happens to a
// message later: send, step, look.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "broker/asked.h"
#include "broker/postpone.h"
#include "format/properties.h"
#include "store/message_store.h"
#include "support/fault_fs.h"
#include "support/manual_clock.h"
#include "unit/store/store_fixture.h"

namespace mq::broker::test {

using Properties = std::vector<std::pair<std::string_view, std::string>>;

inline std::string encoded(const Properties& properties) {
  std::string out;
  for (const auto& [name, value] : properties) format::append_property(out, name, value);
  return out;
}

// One message as a consumer would see it.
struct Seen {
  std::string body;
  std::string properties;
  std::int64_t store_ms = 0;
  std::int64_t born_ms = 0;
  std::int32_t sys_flag = 0;
  std::int32_t reconsume_times = 0;
};

class LaterStore {
 public:
  explicit LaterStore(std::uint64_t seed = 1) : fs({.seed = seed, .clock = &clock}) {}
  ~LaterStore() { close(); }

  void open(store::FlushMode mode = store::FlushMode::kAsync) {
    auto options = store::test::small_options(fs, clock, mode);
    options.message_delay_level = levels;
    options.page_cache_busy_ms = 1'000'000'000;
    options.sync_flush_timeout_ms = 1'000'000'000;
    auto opened = store::MessageStore::open(options);
    ASSERT_TRUE(opened) << opened.error();
    store = std::move(*opened);
  }
  void close() {
    if (store != nullptr && !fs.is_cut()) (void)store->close();
    store.reset();
  }

  // As a send does it: the message waits if its properties say so.
  store::PutResult send(std::string_view topic, const std::string& body,
                        const Properties& properties, QueueId queue = 0) {
    const std::string given = encoded(properties);
    std::string text = given;
    const auto placed = postpone(rules, read_asked(given), topic, queue, clock.now_ms(), text);
    EXPECT_TRUE(placed) << placed.error();
    auto common = store::test::common_of(topic, queue);
    common.topic = placed->topic;
    common.queue_id = placed->queue_id;
    const auto result = store->put(common, {.flag = 7, .body = as_bytes(body), .properties = text});
    EXPECT_TRUE(store::is_stored(result.status)) << result.reason;
    return result;
  }
  // Everything sent so far can be read.
  void settle() const { ASSERT_TRUE(store->wait_dispatched(60'000)); }

  [[nodiscard]] std::vector<Seen> seen(std::string_view topic, QueueId queue = 0) const {
    settle();
    std::vector<Seen> out;
    for (QueueOffset at = store->min_offset(topic, queue); at < store->max_offset(topic, queue);
         at += 1) {
      const auto got =
          store->get({.topic = topic, .queue_id = queue, .offset = at, .count_max = 1});
      EXPECT_EQ(got.status, store::GetStatus::kFound) << name_of(got.status);
      if (got.spans.empty()) continue;
      const auto r = format::decode_record(got.spans.front().bytes, format::CheckBody::kCrc);
      EXPECT_TRUE(r) << r.error();
      if (!r) continue;
      out.push_back({std::string(as_text(r->body)), std::string(r->properties),
                     r->store_timestamp_ms, r->born_timestamp_ms, r->sys_flag, r->reconsume_times});
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> bodies(std::string_view topic, QueueId queue = 0) const {
    std::vector<std::string> out;
    for (const Seen& one : seen(topic, queue)) out.push_back(one.body);
    return out;
  }

  mq::test::ManualClock clock;
  mq::test::FaultFs fs;
  std::string levels = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
  PostponeRules rules;
  std::unique_ptr<store::MessageStore> store;
};

}  // namespace mq::broker::test
