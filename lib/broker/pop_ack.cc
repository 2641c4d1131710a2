// Acknowledging what was popped, and giving it another time.
#include <algorithm>

#include "broker/pop.h"
#include "format/pop_records.h"

namespace mq::broker {
namespace {

format::PopCheckpoint checkpoint_of(const Pop::Receipt& receipt, std::string_view broker,
                                    std::int64_t start, std::int64_t pop_ms,
                                    std::int64_t invisible_ms) {
  return {.id = {.topic = std::string(receipt.topic),
                 .group = std::string(receipt.group),
                 .broker = std::string(broker),
                 .queue = receipt.queue,
                 .start = start,
                 .pop_ms = pop_ms},
          .invisible_ms = invisible_ms,
          .count = 1};
}

}  // namespace

bool Pop::is_revive_queue(std::int32_t queue) const {
  if (queue < 0) return false;
  if (queue < p_.config.revive_queues) return true;
  const auto topic = p_.topics.find(p_.log.topic());  // reviveQueueNum may have been larger
  return topic && queue < topic->read_queues;
}

Pop::Noted Pop::acknowledge(const Receipt& receipt, bool batch, std::int64_t now_ms) {
  if (receipt.revive_queue != format::kOrderedReviveQueue) {
    const auto popped =
        checkpoint_of(receipt, p_.config.name, receipt.start, receipt.pop_ms, receipt.invisible_ms);
    return {.put = p_.log.put_ack({popped.id, receipt.offsets}, popped.due_ms(), batch,
                                  receipt.revive_queue, now_ms)};
  }
  const PopOrders::Queue queue{receipt.topic, receipt.group, receipt.queue};
  const auto guard = locks_.lock(receipt.topic, receipt.group, receipt.queue);
  Noted out;
  for (const std::int64_t offset : receipt.offsets) {
    const auto begin = p_.offsets.find(receipt.group, receipt.topic, receipt.queue);
    if (begin && offset < *begin) continue;  // it has been, and all before it
    const auto ack = p_.orders.acknowledge(queue, offset, receipt.pop_ms, begin);
    if (ack.what == PopOrders::Acked::kUnknown) out.legal = false;
    if (ack.what != PopOrders::Acked::kYes) continue;
    // The offset is on disk some seconds later: until then the log knows.
    auto put = p_.log.put_done({.id = {.topic = std::string(receipt.topic),
                                       .group = std::string(receipt.group),
                                       .broker = std::string(receipt.broker),
                                       .queue = receipt.queue,
                                       .start = ack.next,
                                       .pop_ms = receipt.pop_ms},
                                .offsets = {offset}},
                               /*revive_queue=*/0, now_ms);
    const bool noted = store::is_stored(put.status);
    out.put = std::move(put);
    if (!noted) return out;
    (void)p_.offsets.commit(receipt.group, receipt.topic, receipt.queue, ack.next);
    out.free = !p_.orders.is_blocked(queue, {}, receipt.invisible_ms, now_ms);
  }
  return out;
}

Pop::Changed Pop::change_invisible(const Receipt& receipt, std::int64_t invisible_ms,
                                   std::int64_t now_ms) {
  const std::int64_t offset = receipt.offsets.front();
  Changed out{.pop_ms = now_ms, .invisible_ms = invisible_ms, .put = {}};
  if (receipt.revive_queue == format::kOrderedReviveQueue) {
    const auto guard = locks_.lock(receipt.topic, receipt.group, receipt.queue);
    const auto begin = p_.offsets.find(receipt.group, receipt.topic, receipt.queue);
    const std::int64_t visible_ms =
        checkpoint_of(receipt, {}, offset, now_ms, invisible_ms).due_ms();
    if (!begin || offset >= *begin) {
      p_.orders.set_visible({receipt.topic, receipt.group, receipt.queue}, offset, receipt.pop_ms,
                            visible_ms);
    }
    out.pop_ms = receipt.pop_ms;
    out.invisible_ms = visible_ms - receipt.pop_ms;
    out.put.status = store::PutStatus::kOk;
    return out;
  }
  // Never to be taken for the one that it replaces, be they of one millisecond.
  out.pop_ms = std::max(now_ms, receipt.pop_ms + 1);
  auto renewed = checkpoint_of(receipt, p_.config.name, offset, out.pop_ms, invisible_ms);
  renewed.diffs = {0};
  out.put = p_.log.put_checkpoint(renewed, receipt.revive_queue, now_ms);
  if (!store::is_stored(out.put.status)) return out;
  // Without it the message comes twice, by the old time and by the new one.
  const auto old = acknowledge(receipt, /*batch=*/false, now_ms);
  if (old.put && store::is_stored(old.put->status)) out.put.end = old.put->end;
  return out;
}

}  // namespace mq::broker
