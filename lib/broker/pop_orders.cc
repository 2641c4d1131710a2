#include "broker/pop_orders.h"

#include <algorithm>
#include <limits>

#include "broker/state_file.h"

namespace mq::broker {
namespace {

using format::OrderInfo;

constexpr std::int64_t kCleanIntervalMs = 3'600'000;

// Neither names of topics nor of groups contain '@'.
std::string key_of(const PopOrders::Queue& queue) {
  return std::string(queue.topic).append("@").append(queue.group);
}
std::string_view topic_of(std::string_view key) { return key.substr(0, key.find('@')); }
std::string_view group_of(std::string_view key) {
  const std::size_t split = key.find('@');
  return split == std::string_view::npos ? std::string_view() : key.substr(split + 1);
}

bool is_acked(const OrderInfo& info, std::size_t index) noexcept {
  return ((info.acked >> index) & 1U) != 0;
}

std::optional<std::size_t> index_of(const OrderInfo& info, std::int64_t offset) {
  const auto at = std::lower_bound(info.offsets.begin(), info.offsets.end(), offset);
  if (at == info.offsets.end() || *at != offset) return std::nullopt;
  return static_cast<std::size_t>(at - info.offsets.begin());
}

// A pointer to the OrderInfo of that queue, null: there is none.
template <typename Table>
auto find_in(Table& table, const PopOrders::Queue& queue)
    -> decltype(&table.begin()->second.begin()->second) {
  const auto queues = table.find(key_of(queue));
  if (queues == table.end()) return nullptr;
  const auto found = queues->second.find(queue.id);
  return found == queues->second.end() ? nullptr : &found->second;
}

// When the last message that is not acknowledged may be handed out again; 0 if there is none.
std::int64_t free_at(const OrderInfo& info, std::int64_t otherwise_invisible_ms) {
  std::int64_t latest = 0;
  const std::int64_t invisible = info.invisible_ms > 0 ? info.invisible_ms : otherwise_invisible_ms;
  for (std::size_t i = 0; i < info.offsets.size(); ++i) {
    if (is_acked(info, i)) continue;
    const auto own = info.visible_ms.find(info.offsets[i]);
    std::int64_t visible = std::numeric_limits<std::int64_t>::max();
    if (own != info.visible_ms.end()) {
      visible = own->second;
    } else {
      (void)__builtin_add_overflow(info.pop_ms, invisible, &visible);
    }
    latest = std::max(latest, visible);
  }
  return latest;
}

}  // namespace

Result<void> PopOrders::load() {
  format::OrderTable stored;
  MQ_CHECK(load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(stored, format::parse_order_info_json(text));
    return {};
  }));
  const MutexLock lock(mu_);
  table_ = std::move(stored);
  for (const auto& [key, queues] : table_) {
    for (const auto& [id, info] : queues) watch({topic_of(key), group_of(key), id}, info);
  }
  return {};
}

Result<void> PopOrders::flush() {
  const MutexLock flushing(flush_mu_);
  format::OrderTable copy;
  {
    const MutexLock lock(mu_);
    if (!dirty_) return {};
    dirty_ = false;
    copy = table_;
  }
  auto done = fs::write_file_atomically(fs_, path_, format::to_order_info_json(copy),
                                        /*keep_backup=*/true);
  if (done) return done;
  const MutexLock lock(mu_);
  dirty_ = true;
  return done;
}

const OrderInfo* PopOrders::find(const Queue& queue) const { return find_in(table_, queue); }
OrderInfo* PopOrders::find(const Queue& queue) { return find_in(table_, queue); }

void PopOrders::watch(const Queue& queue, const OrderInfo& info) {
  const std::int64_t at = free_at(info, 0);
  if (at == 0) return;
  const Key key{key_of(queue), queue.id};
  const auto [known, is_new] = look_at_.try_emplace(key, at);
  if (!is_new && known->second <= at) return;  // and then it is looked at once more
  if (!is_new) looks_.erase({known->second, key});
  known->second = at;
  looks_.insert({at, key});
}

bool PopOrders::is_blocked(const Queue& queue, std::string_view attempt_id,
                           std::int64_t invisible_ms, std::int64_t now_ms) const {
  const MutexLock lock(mu_);
  const OrderInfo* const info = find(queue);
  if (info == nullptr) return false;
  if (!info->attempt_id.empty() && info->attempt_id == attempt_id) return false;
  return now_ms < free_at(*info, invisible_ms);
}

wire::PopCounts PopOrders::popped(const Queue& queue, std::string_view attempt_id,
                                  std::int64_t pop_ms, std::int64_t invisible_ms,
                                  const std::vector<std::int64_t>& offsets) {
  OrderInfo next{.pop_ms = pop_ms,
                 .invisible_ms = invisible_ms,
                 .consumed_ms = pop_ms,
                 .offsets = offsets,
                 .visible_ms = {},
                 .counts = {},
                 .acked = 0,
                 .attempt_id = std::string(attempt_id)};
  const MutexLock lock(mu_);
  OrderInfo& slot = table_[key_of(queue)][queue.id];
  if (!next.attempt_id.empty() && next.attempt_id == slot.attempt_id) {
    next.counts = slot.counts;  // the same attempt: not once more
  } else {
    for (const std::int64_t offset : offsets) {
      if (!index_of(slot, offset)) continue;
      const auto before = slot.counts.find(offset);
      next.counts[offset] = before == slot.counts.end() ? 1 : before->second + 1;
    }
  }
  slot = std::move(next);
  dirty_ = true;
  watch(queue, slot);
  wire::PopCounts out{.queue_id = queue.id, .each = {}, .least = 0};
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (const auto& [offset, count] : slot.counts) {
    out.each.emplace_back(offset, count);
    least = std::min(least, count);
  }
  const bool all_known = !slot.counts.empty() && slot.counts.size() == slot.offsets.size();
  out.least = all_known ? least : 0;
  return out;
}

PopOrders::Ack PopOrders::acknowledge(const Queue& queue, std::int64_t offset, std::int64_t pop_ms,
                                      std::optional<std::int64_t> next) {
  const MutexLock lock(mu_);
  OrderInfo* const info = find(queue);
  // A pop that is not in the book: it was lost with a kill, or cleared by a reset. The reference
  // moves the group behind `offset`, past messages that are still open.
  if (info == nullptr || info->pop_ms < pop_ms)
    return offset == next ? Ack{Acked::kYes, offset + 1} : Ack{Acked::kUnknown, 0};
  if (info->offsets.empty()) return {Acked::kUnknown, 0};
  if (info->pop_ms != pop_ms) return {Acked::kOther, 0};
  const auto index = index_of(*info, offset);
  if (!index) return {Acked::kUnknown, 0};
  for (std::size_t i = 0; i < info->offsets.size(); ++i) {
    // What the group is past was acknowledged, though a kill may have taken it from the book.
    if (i == *index || info->offsets[i] < next.value_or(0)) info->acked |= std::uint64_t{1} << i;
  }
  dirty_ = true;
  watch(queue, *info);
  for (std::size_t i = 0; i < info->offsets.size(); ++i)
    if (!is_acked(*info, i)) return {Acked::kYes, info->offsets[i]};
  return {Acked::kYes, info->offsets.back() + 1};
}

void PopOrders::set_visible(const Queue& queue, std::int64_t offset, std::int64_t pop_ms,
                            std::int64_t visible_ms) {
  const MutexLock lock(mu_);
  OrderInfo* const info = find(queue);
  if (info == nullptr || info->pop_ms != pop_ms) return;
  info->visible_ms[offset] = visible_ms;
  dirty_ = true;
  watch(queue, *info);
}

template <typename Matches>
void PopOrders::remove_if(Matches matches) {
  if (std::erase_if(table_, [&](const auto& entry) { return matches(entry.first); }) > 0)
    dirty_ = true;
}

void PopOrders::clear(const Queue& queue) {
  const MutexLock lock(mu_);
  const auto queues = table_.find(key_of(queue));
  if (queues == table_.end() || queues->second.erase(queue.id) == 0) return;
  if (queues->second.empty()) table_.erase(queues);
  dirty_ = true;
}
void PopOrders::forget_before(const Queue& queue, std::int64_t offset) {
  {
    const MutexLock lock(mu_);
    const OrderInfo* const info = find(queue);
    if (info == nullptr || info->offsets.empty() || info->offsets.back() >= offset) return;
  }
  clear(queue);
}
void PopOrders::remove_topic(std::string_view topic) {
  const MutexLock lock(mu_);
  remove_if([&](std::string_view key) { return topic_of(key) == topic; });
}
void PopOrders::remove_group(std::string_view group) {
  const MutexLock lock(mu_);
  remove_if([&](std::string_view key) { return group_of(key) == group; });
}

void PopOrders::forget_unused(std::int64_t now_ms) {
  cleaned_ms_ = now_ms;
  for (auto& [key, queues] : table_) {
    const auto is_unused = [&](const auto& queue) {
      return now_ms - queue.second.consumed_ms > kUnusedMs;
    };
    if (std::erase_if(queues, is_unused) > 0) dirty_ = true;
  }
  std::erase_if(table_, [](const auto& entry) { return entry.second.empty(); });
}

std::int64_t PopOrders::step(std::int64_t now_ms, const Free& free) {
  std::vector<Key> freed;
  std::int64_t next_ms = std::numeric_limits<std::int64_t>::max();
  {
    const MutexLock lock(mu_);
    while (!looks_.empty() && looks_.begin()->first <= now_ms) {
      Key key = looks_.begin()->second;
      looks_.erase(looks_.begin());
      look_at_.erase(key);
      const Queue queue{topic_of(key.first), group_of(key.first), key.second};
      const OrderInfo* const info = find(queue);
      if (info == nullptr) continue;
      const std::int64_t at = free_at(*info, 0);
      if (at > now_ms) {
        watch(queue, *info);
      } else if (at > 0) {
        freed.push_back(std::move(key));
      }
    }
    if (!looks_.empty()) next_ms = looks_.begin()->first;
    if (now_ms - cleaned_ms_ > kCleanIntervalMs || now_ms < cleaned_ms_) forget_unused(now_ms);
  }
  for (const auto& [key, id] : freed) free(topic_of(key), group_of(key), id);
  return next_ms;
}

}  // namespace mq::broker
