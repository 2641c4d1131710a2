// Goal: whatever the order of sends, pops, acknowledgements, new times, the passing of time and
// kills, a message that is acknowledged in its time never comes again, no message comes before its
// time, and all others come. Method: random steps on a whole broker with a clock of the test's own,
// held against a model that knows of each message when it may come and whether it must not. A
// second group pops the same messages in order (ordered_group.h).
//
//   MQ_SEED=n MQ_SEEDS=n MQ_STEPS=n pop_model_test
#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "broker/pop_names.h"
#include "support/seeds.h"
#include "unit/server/ordered_group.h"
#include "unit/server/served_broker.h"
#include "wire/pop.h"

namespace mq::server {
namespace {

using test::ServedBroker;

std::int64_t steps() {
  const char* const many = std::getenv("MQ_STEPS");
  return many == nullptr ? 2000 : std::strtoll(many, nullptr, 10);
}

constexpr std::string_view kTopic = "T";
constexpr std::string_view kGroup = "G_1";

// What the model knows of one message.
struct Message {
  bool acked = false;  // must not come again
  bool maybe = false;  // acknowledged too late: may come again
  std::int32_t deliveries = 0;
  std::int64_t visible_ms = 0;  // not before
  broker::Pop::Receipt receipt;
  std::string topic, broker;  // that the receipt views
};

class Walk {
 public:
  explicit Walk(std::uint64_t seed)
      : random_(seed), broker_([&](broker::BrokerConfig& c) {
          c.store.commit_log_file_bytes = 4 << 20;
          // Each file of the test's file system is a descriptor.
          const std::int64_t scale = 1 + steps() / 5000;
          c.store.consume_queue_file_bytes *= scale;
          c.store.index_shape.entries *= static_cast<std::int32_t>(scale);
          c.retry_topic_v2 = seed % 2 == 0;
          c.revive_queues = 3;
          if (seed % 3 == 0) c.store.flush_mode = store::FlushMode::kSync;
          c.pop_from_retry_percent = 50;
        }) {
    EXPECT_TRUE(broker_.topics->find_or_create(kTopic, 2));
    EXPECT_NE(broker_.groups->find_or_create(kGroup), nullptr);
    EXPECT_NE(broker_.groups->find_or_create("G_order"), nullptr);
    EXPECT_TRUE(broker_.groups->flush());
  }

  void run(std::int64_t count) {
    for (step_ = 0; step_ < count && !::testing::Test::HasFailure(); ++step_) one();
    drain();
  }

 private:
  std::int64_t below(std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_);
  }
  [[nodiscard]] std::int64_t now() const { return broker_.clock.now_ms(); }

  void one() {
    if (below(4) == 0) {
      SCOPED_TRACE(testing::Message() << "step " << step_);
      return in_order_.one();
    }
    const std::int64_t dice = below(1000);
    if (dice < 200) {
      send();
    } else if (dice < 500) {
      pop();
    } else if (dice < 750) {
      acknowledge();
    } else if (dice < 820) {
      change();
    } else if (dice < 992) {
      broker_.clock.advance_ms(below(10) == 0 ? below(4000) : below(400));
      turn(below(3));
    } else if (dice < 998) {
      EXPECT_TRUE(broker_.offsets->flush());
      EXPECT_TRUE(broker_.pop->orders.flush());
    } else if (below(4) == 0) {
      restart(below(4) != 0);
    }
  }

  void send() {
    const std::string body = std::to_string(messages_.size());
    const std::string properties = test::encoded({{"TAGS", "a"}, {"UNIQ_KEY", "id" + body}});
    store::PutCommon common = store::test::common_of(kTopic, static_cast<QueueId>(below(2)));
    const auto put =
        broker_.store->put(common, {.flag = 0, .body = as_bytes(body), .properties = properties});
    ASSERT_TRUE(store::is_stored(put.status)) << put.reason;
    messages_.emplace_back();
  }

  std::int64_t pop() {
    const std::int64_t invisible_ms = 1000 * (1 + below(6)) + below(1000);
    const auto popped = broker_.pop->pop.pop({.group = kGroup,
                                              .topic = kTopic,
                                              .count_max = static_cast<std::int32_t>(1 + below(8)),
                                              .invisible_ms = invisible_ms},
                                             now());
    std::vector<format::Record> records;
    for (const auto& span : popped.spans) {
      Bytes bytes = span.bytes;
      while (!bytes.empty()) {
        const auto record = format::decode_record(bytes, format::CheckBody::kCrc);
        EXPECT_TRUE(record) << record.error();
        if (!record) return 0;
        records.push_back(*record);
        bytes = bytes.subspan(static_cast<std::size_t>(record->total_bytes));
      }
    }
    std::size_t at = 0;
    for (const wire::PopPart& part : popped.answer.parts) {
      for (const std::int64_t offset : part.offsets) {
        if (at == records.size()) {
          ADD_FAILURE() << "fewer records than offsets";
          return 0;
        }
        delivered(records[at++], popped.answer, part, offset);
      }
    }
    EXPECT_EQ(at, records.size());
    return popped.count;
  }

  void delivered(const format::Record& record, const wire::PopResponse& answer,
                 const wire::PopPart& part, std::int64_t offset) {
    const auto index = static_cast<std::size_t>(std::stoul(std::string(as_text(record.body))));
    ASSERT_LT(index, messages_.size());
    Message& m = messages_[index];
    EXPECT_EQ(record.topic, kTopic);
    EXPECT_EQ(record.queue_offset.value(), offset);
    EXPECT_FALSE(m.acked) << "step " << step_ << ": message " << index << " was acknowledged";
    EXPECT_GE(now(), m.visible_ms) << "step " << step_ << ": message " << index << " is early";
    EXPECT_EQ(record.reconsume_times, m.deliveries) << "step " << step_ << ": message " << index;
    if (m.deliveries == 0) out_.push_back(index);
    ++m.deliveries;
    m.maybe = false;
    m.visible_ms = answer.pop_ms + answer.invisible_ms;
    m.topic = broker::stored_topic(part.retry, kGroup, kTopic);
    m.receipt = {.group = kGroup,
                 .topic = {},
                 .broker = {},
                 .queue = part.queue_id,
                 .start = part.start,
                 .pop_ms = answer.pop_ms,
                 .invisible_ms = answer.invisible_ms,
                 .revive_queue = answer.revive_queue,
                 .offsets = {offset}};
  }

  [[nodiscard]] broker::Pop::Receipt receipt_of(const Message& m) const {
    broker::Pop::Receipt out = m.receipt;
    out.topic = m.topic;
    out.broker = broker_.config.name;
    return out;
  }

  // A message that is out, or none.
  Message* pick() {
    if (out_.empty()) return nullptr;
    return &messages_[out_[static_cast<std::size_t>(
        below(static_cast<std::int64_t>(out_.size())))]];
  }

  void acknowledge() {
    Message* const m = pick();
    if (m == nullptr) return;
    acknowledge(*m);
  }
  void acknowledge(Message& m) {
    const bool in_time = now() < m.visible_ms;
    if (!in_time && !late_acks_ && !m.maybe) return;
    const auto noted = broker_.pop->pop.acknowledge(receipt_of(m), below(2) == 0, now());
    ASSERT_TRUE(noted.put && store::is_stored(noted.put->status));
    if (in_time) {
      m.acked = true;
      std::erase_if(out_, [&](std::size_t i) { return messages_[i].acked; });
    } else {
      m.maybe = true;
    }
  }

  void change() {
    Message* const m = pick();
    if (m == nullptr || now() >= m->visible_ms) return;
    const broker::Pop::Receipt old = receipt_of(*m);
    const auto changed =
        broker_.pop->pop.change_invisible(old, 1000 * (1 + below(8)) + below(1000), now());
    ASSERT_TRUE(store::is_stored(changed.put.status)) << changed.put.reason;
    // The old receipt is of no use any more.
    if (below(3) == 0) (void)broker_.pop->pop.acknowledge(old, false, now());
    m->receipt.start = m->receipt.offsets.front();
    m->receipt.pop_ms = changed.pop_ms;
    m->receipt.invisible_ms = changed.invisible_ms;
    m->visible_ms = changed.pop_ms + changed.invisible_ms;
  }

  // So many rounds of the thread that turns the machines.
  void turn(std::int64_t rounds) {
    for (std::int64_t i = 0; i < rounds; ++i) {
      settle();
      (void)broker_.delayed->step(now(), 1000);
      (void)broker_.timer->step(now(), 1000);
      (void)broker_.pop->step(now());
    }
    settle();
  }
  // The clock of the test must not run ahead of the thread that flushes.
  void settle() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (broker_.store->readable() < broker_.store->written()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing is flushed";
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    ASSERT_TRUE(broker_.store->wait_dispatched(60'000));
  }

  void restart(bool killed) {
    if (killed) {
      broker_.kill();
      in_order_.killed();
    } else {
      EXPECT_TRUE(broker_.offsets->flush());
      broker_.stop();
    }
    broker_.start();
  }

  // Everything that is not acknowledged comes, within its time and the lag that is allowed, and
  // then nothing does.
  void drain() {
    late_acks_ = false;
    std::int64_t quiet = 0;
    bool done_in_order = false;
    const std::int64_t rounds = 2000 + steps() / 10;
    for (std::int64_t i = 0; i < rounds && quiet < 25 && !::testing::Test::HasFailure(); ++i) {
      broker_.clock.advance_ms(1000);
      turn(8);
      std::int64_t came = 0;
      while (const std::int64_t count = pop()) came += count;
      const auto out = out_;
      for (const std::size_t index : out)
        if (now() < messages_[index].visible_ms) acknowledge(messages_[index]);
      done_in_order = in_order_.drain();
      quiet = came > 0 || !done_in_order ? 0 : quiet + 1;
    }
    EXPECT_TRUE(done_in_order) << "in order not everything came";
    const auto timer = broker_.timer->state();
    SCOPED_TRACE(testing::Message()
                 << "timer: read to " << timer.read_ms << ", now " << now() << ", behind "
                 << timer.queue_behind << ", pending " << timer.pending << "; revive waits for "
                 << broker_.pop->revive.state().waiting << queues());
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      const Message& m = messages_[i];
      EXPECT_TRUE(m.acked || m.maybe)
          << "message " << i << " did not come again, delivered " << m.deliveries << " times";
    }
  }

  // Where the group is, for a failure.
  std::string queues() {
    std::string out;
    for (const auto& [topic, queue] : broker_.store->queues()) {
      out += "; " + topic + "/" + std::to_string(queue) + " " +
             std::to_string(broker_.offsets->find(kGroup, topic, queue).value_or(-1)) + " of " +
             std::to_string(broker_.store->max_offset(topic, queue).value());
    }
    return out;
  }

  std::mt19937_64 random_;
  ServedBroker broker_;
  test::OrderedGroup in_order_{broker_, random_, kTopic, 2};
  std::vector<Message> messages_;
  std::vector<std::size_t> out_;  // delivered and not acknowledged
  std::int64_t step_ = 0;
  bool late_acks_ = true;
};

TEST(PopModel, RandomStepsDoWhatTheModelSays) {
  for (const std::uint64_t seed : mq::test::seeds(/*count=*/3)) {
    SCOPED_TRACE(testing::Message() << "replay with MQ_SEED=" << seed << " MQ_STEPS=" << steps());
    Walk walk(seed);
    walk.run(steps());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace mq::server
