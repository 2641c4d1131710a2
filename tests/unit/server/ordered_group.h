// A group that pops in order, and the model that it is held against: random pops, acknowledgements
// and new times, any of them late, twice, or of a pop that is over. A queue gives out its messages
// from the first that is not acknowledged on, and none while one of the last pop is open. After a
// kill it may have forgotten what is open; then they may come earlier, but the group never gets
// past a message whose acknowledgement was not accepted.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "format/pop_records.h"
#include "unit/server/served_broker.h"

namespace mq::server::test {

class OrderedGroup {
 public:
  OrderedGroup(ServedBroker& broker, std::mt19937_64& random, std::string_view topic,
               std::int32_t queues)
      : broker_(broker),
        random_(random),
        topic_(topic),
        queues_(static_cast<std::size_t>(queues)) {}

  void one() {
    const std::int64_t dice = below(100);
    if (dice < 40) {
      pop(static_cast<QueueId>(below(static_cast<std::int64_t>(queues_.size()) + 1)) - 1);
    } else if (dice < 85) {
      acknowledge();
    } else {
      change();
    }
  }

  void killed() {
    for (Queue& q : queues_) q.is_known = false;
  }

  // Takes and acknowledges what there is; true when the group is done with everything.
  bool drain() {
    for (std::int64_t begin = -1; begin < first_open();) {
      begin = first_open();
      pop(-1);
      for (std::size_t id = 0; id < queues_.size(); ++id) {
        const std::vector<Out> out = queues_[id].out;
        for (const Out& each : out) acknowledge({id, each.offset, queues_[id].pop_ms});
      }
    }
    std::int64_t all = 0;
    for (std::size_t id = 0; id < queues_.size(); ++id) all += max_of(id);
    return first_open() == all;
  }

 private:
  struct Out {
    std::int64_t offset = 0;
    std::int64_t visible_ms = 0;
  };
  struct Queue {
    bool is_known = true;          // or killed since the last pop
    std::int64_t next = 0;         // the first that is not acknowledged
    std::set<std::int64_t> acked;  // of those from there on
    std::vector<Out> out;          // of the last pop
    std::int64_t pop_ms = 0;
    std::string attempt;
    std::map<std::int64_t, std::int32_t> counts;  // how often it came before
  };
  struct Popped {
    std::size_t queue = 0;
    std::int64_t offset = 0, pop_ms = 0;
  };

  std::int64_t below(std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_);
  }
  [[nodiscard]] std::int64_t now() const { return broker_.clock.now_ms(); }
  [[nodiscard]] std::int64_t max_of(std::size_t id) const {
    return broker_.store->max_offset(topic_, static_cast<QueueId>(id)).value();
  }
  // Of all queues together: grows as long as something is acknowledged.
  [[nodiscard]] std::int64_t first_open() const {
    std::int64_t sum = 0;
    for (const Queue& q : queues_) sum += q.next;
    return sum;
  }
  [[nodiscard]] bool is_blocked(const Queue& q) const {
    return std::any_of(q.out.begin(), q.out.end(), [&](const Out& each) {
      return each.offset >= q.next && q.acked.count(each.offset) == 0 && now() < each.visible_ms;
    });
  }

  void pop(QueueId queue) {
    ASSERT_TRUE(broker_.store->wait_dispatched(60'000));
    const auto count_max = static_cast<std::int32_t>(1 + below(8));
    const std::int64_t invisible_ms = 1000 * (1 + below(6)) + below(1000);
    const std::string attempt = below(2) == 0 ? std::string() : "try " + std::to_string(below(3));
    std::vector<bool> may_give, must_give;
    for (std::size_t id = 0; id < queues_.size(); ++id) {
      const Queue& q = queues_[id];
      const bool is_open = !is_blocked(q) || (!attempt.empty() && attempt == q.attempt);
      const bool has = (queue < 0 || queue == static_cast<QueueId>(id)) && q.next < max_of(id);
      may_give.push_back(has && (is_open || !q.is_known));
      must_give.push_back(has && is_open && q.is_known);
    }
    const auto popped = broker_.pop->pop.pop({.group = kGroup,
                                              .topic = topic_,
                                              .queue = queue,
                                              .count_max = count_max,
                                              .invisible_ms = invisible_ms,
                                              .order = true,
                                              .attempt_id = attempt},
                                             now());
    EXPECT_LE(popped.count, count_max);
    ASSERT_EQ(popped.answer.counts.size(), popped.answer.parts.size());
    for (std::size_t i = 0; i < popped.answer.parts.size(); ++i) {
      const wire::PopPart& part = popped.answer.parts[i];
      const auto id = static_cast<std::size_t>(part.queue_id);
      SCOPED_TRACE(testing::Message() << "in order, queue " << id);
      ASSERT_LT(id, queues_.size());
      EXPECT_TRUE(may_give[id]) << "given out though it blocks";
      must_give[id] = false;
      const auto& each = popped.answer.counts[i].each;
      take(queues_[id], id, part.offsets, attempt, invisible_ms, {each.begin(), each.end()});
    }
    if (popped.count == count_max) return;
    for (std::size_t id = 0; id < must_give.size(); ++id)
      EXPECT_FALSE(must_give[id]) << "in order, queue " << id << " gives nothing at " << now();
  }

  void take(Queue& q, std::size_t id, const std::vector<std::int64_t>& offsets,
            const std::string& attempt, std::int64_t invisible_ms,
            const std::map<std::int64_t, std::int32_t>& told) {
    std::map<std::int64_t, std::int32_t> counts;
    const bool is_again = !attempt.empty() && attempt == q.attempt;
    for (const Out& before : q.out) {
      olds_.push_back({id, before.offset, q.pop_ms});
      if (std::find(offsets.begin(), offsets.end(), before.offset) == offsets.end()) continue;
      const auto known = q.counts.find(before.offset);
      if (!is_again) counts[before.offset] = known == q.counts.end() ? 1 : known->second + 1;
    }
    if (q.is_known) {
      EXPECT_EQ(told, is_again ? q.counts : counts);
    }
    q.counts = told;
    q.out.clear();
    q.acked.clear();  // what comes again is to be acknowledged again
    std::int64_t expected = q.next;
    for (const std::int64_t offset : offsets) {
      EXPECT_EQ(offset, expected++);
      q.out.push_back({offset, now() + invisible_ms});
    }
    q.pop_ms = now();
    q.attempt = attempt;
    q.is_known = true;
  }

  // Which message of which pop: mostly one that is out.
  std::optional<Popped> pick() {
    if (!olds_.empty() && below(10) == 0)
      return olds_[static_cast<std::size_t>(below(static_cast<std::int64_t>(olds_.size())))];
    const auto id = static_cast<std::size_t>(below(static_cast<std::int64_t>(queues_.size())));
    const Queue& q = queues_[id];
    if (q.out.empty()) return std::nullopt;
    const auto at = static_cast<std::size_t>(below(static_cast<std::int64_t>(q.out.size())));
    return Popped{id, q.out[at].offset, q.pop_ms};
  }
  [[nodiscard]] broker::Pop::Receipt receipt_of(const Popped& one) const {
    return {.group = kGroup,
            .topic = topic_,
            .broker = broker_.config.name,
            .queue = static_cast<QueueId>(one.queue),
            .start = one.offset,
            .pop_ms = one.pop_ms,
            .invisible_ms = 1000,
            .revive_queue = format::kOrderedReviveQueue,
            .offsets = {one.offset}};
  }

  void acknowledge() {
    if (const auto one = pick()) acknowledge(*one);
  }
  void acknowledge(const Popped& one) {
    Queue& q = queues_[one.queue];
    const auto noted = broker_.pop->pop.acknowledge(receipt_of(one), false, now());
    const bool accepted = noted.legal && noted.put && store::is_stored(noted.put->status);
    const bool is_out = one.pop_ms == q.pop_ms && one.offset >= q.next &&
                        std::any_of(q.out.begin(), q.out.end(),
                                    [&](const Out& each) { return each.offset == one.offset; });
    if (is_out && q.is_known) {
      EXPECT_TRUE(accepted);
    }
    if (accepted && one.offset >= q.next) q.acked.insert(one.offset);
    const std::int64_t before = q.next;
    while (q.acked.erase(q.next) > 0) ++q.next;
    const auto at = broker_.offsets->find(kGroup, topic_, static_cast<QueueId>(one.queue));
    SCOPED_TRACE(testing::Message() << "queue " << one.queue << " offset " << one.offset);
    if (!q.is_known) {
      EXPECT_LE(at.value_or(0), q.next) << "past a message that is open";
      EXPECT_GE(at.value_or(0), before) << "back";
      for (std::int64_t again = at.value_or(0); again < q.next; ++again) q.acked.insert(again);
      q.next = at.value_or(0);
    } else if (at || q.next > 0) {
      EXPECT_EQ(at, q.next);
    }
    if (is_out && q.is_known) {
      EXPECT_EQ(noted.free, !is_blocked(q));
    }
  }

  void change() {
    const auto one = pick();
    if (!one) return;
    Queue& q = queues_[one->queue];
    const std::int64_t invisible_ms = 1000 * below(8) + below(1000);
    const auto changed = broker_.pop->pop.change_invisible(receipt_of(*one), invisible_ms, now());
    EXPECT_TRUE(store::is_stored(changed.put.status)) << changed.put.reason;
    if (one->pop_ms != q.pop_ms || one->offset < q.next) return;
    for (Out& each : q.out)
      if (each.offset == one->offset) each.visible_ms = now() + invisible_ms;
  }

  static constexpr std::string_view kGroup = "G_order";
  ServedBroker& broker_;
  std::mt19937_64& random_;
  const std::string topic_;
  std::vector<Queue> queues_;
  std::vector<Popped> olds_;  // what earlier pops brought
};

}  // namespace mq::server::test
