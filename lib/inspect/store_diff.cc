#include "inspect/store_diff.h"

#include <algorithm>
#include <thread>

#include "base/mutex.h"
#include "base/thread.h"

namespace mq::inspect {
namespace {

struct Sides {
  const StoreDigest& first;
  const StoreDigest& second;
};

class MessageDiff {
 public:
  MessageDiff(const Sides& sides, const OnDifference& tell) : sides_(sides), tell_(tell) {}

  // Ranges that one side lacks are told at once; blocks whose sums differ are noted.
  void compare_queue(const QueueKey& key) {
    static const QueueDigest none{};
    const auto find = [&](const StoreDigest& side) -> const QueueDigest& {
      const auto found = side.find(key);
      return found == side.end() ? none : found->second;
    };
    const QueueDigest& a = find(sides_.first);
    const QueueDigest& b = find(sides_.second);
    if (a.count == 0) return only(key, Difference::Kind::kOnlySecond, b.min, b.max);
    if (b.count == 0) return only(key, Difference::Kind::kOnlyFirst, a.min, a.max);
    only(key, Difference::Kind::kOnlyFirst, a.min, std::min(a.max, b.min));
    only(key, Difference::Kind::kOnlySecond, b.min, std::min(b.max, a.min));
    const std::int64_t from = std::max(a.min, b.min);
    const std::int64_t to = std::min(a.max, b.max);
    if (from < to) note_blocks(key, a, b, from, to);
    only(key, Difference::Kind::kOnlyFirst, std::max(a.min, b.max), a.max);
    only(key, Difference::Kind::kOnlySecond, std::max(b.min, a.max), b.max);
  }

  [[nodiscard]] const std::set<BlockKey>& blocks() const { return blocks_; }

  // What the blocks hold on either side.
  void compare_blocks(const BlockMessages& first, const BlockMessages& second) {
    static const std::map<std::int64_t, PartHashes> none;
    for (const auto& [key, range] : common_) {
      const auto find = [&key = key](const BlockMessages& side) -> const auto& {
        const auto found = side.find(key);
        return found == side.end() ? none : found->second;
      };
      compare_messages(key, range, find(first), find(second));
    }
  }

  void tell_more() {
    for (const auto& [key, ranges] : more_) {
      for (const auto& [from, to] : ranges)
        tell({.kind = Difference::Kind::kMore,
              .topic = key.first,
              .queue = key.second,
              .from = from,
              .to = to});
    }
  }
  [[nodiscard]] std::int64_t told() const { return told_; }

 private:
  using Range = std::pair<std::int64_t, std::int64_t>;  // to: behind

  void tell(const Difference& d) {
    ++told_;
    tell_(d);
  }
  void only(const QueueKey& key, Difference::Kind kind, std::int64_t from, std::int64_t to) {
    if (from >= to) return;
    tell({.kind = kind, .topic = key.first, .queue = key.second, .from = from, .to = to - 1});
  }

  void note_blocks(const QueueKey& key, const QueueDigest& a, const QueueDigest& b,
                   std::int64_t from, std::int64_t to) {
    common_[key] = {from, to};
    static const BlockDigest none{};
    const auto find = [](const QueueDigest& queue, std::int64_t number) -> const BlockDigest& {
      const auto found = queue.blocks.find(number);
      return found == queue.blocks.end() ? none : found->second;
    };
    std::set<std::int64_t> numbers;
    for (const auto* queue : {&a, &b})
      for (const auto& [number, block] : queue->blocks) numbers.insert(number);
    for (const std::int64_t number : numbers) {
      const std::int64_t begin = std::max(from, number * kBlock);
      const std::int64_t behind = std::min(to, (number + 1) * kBlock);
      if (begin >= behind || find(a, number) == find(b, number)) continue;
      if (blocks_.size() < kBlocksMax) {
        blocks_.insert({key, number});
      } else if (auto& ranges = more_[key]; !ranges.empty() && ranges.back().second == begin - 1) {
        ranges.back().second = behind - 1;
      } else {
        ranges.push_back({begin, behind - 1});
      }
    }
  }

  void compare_messages(const QueueKey& key, const Range& range,
                        const std::map<std::int64_t, PartHashes>& a,
                        const std::map<std::int64_t, PartHashes>& b) {
    auto left = a.lower_bound(range.first);
    auto right = b.lower_bound(range.first);
    const auto left_end = a.lower_bound(range.second);
    const auto right_end = b.lower_bound(range.second);
    Run run;
    while (left != left_end || right != right_end) {
      const bool has_left = left != left_end && (right == right_end || left->first <= right->first);
      const bool has_right =
          right != right_end && (left == left_end || right->first <= left->first);
      const std::int64_t offset = has_left ? left->first : right->first;
      if (has_left && has_right) {
        end_run(key, run);
        compare_message(key, offset, left->second, right->second);
      } else {
        grow_run(key, run, has_left ? Difference::Kind::kOnlyFirst : Difference::Kind::kOnlySecond,
                 offset);
      }
      if (has_left) ++left;
      if (has_right) ++right;
    }
    end_run(key, run);
  }
  void compare_message(const QueueKey& key, std::int64_t offset, const PartHashes& a,
                       const PartHashes& b) {
    Difference d{.kind = Difference::Kind::kMessage,
                 .topic = key.first,
                 .queue = key.second,
                 .from = offset,
                 .to = offset};
    for (std::size_t i = 0; i < kParts; ++i)
      if (a[i] != b[i]) d.parts.push_back(static_cast<MessagePart>(i));
    if (!d.parts.empty()) tell(d);
  }

  // Neighbours that are on one side alone are told as one.
  struct Run {
    Difference::Kind kind = Difference::Kind::kOnlyFirst;
    std::int64_t from = 0;
    std::int64_t to = -1;
  };
  void grow_run(const QueueKey& key, Run& run, Difference::Kind kind, std::int64_t offset) {
    if (run.to >= run.from && (run.kind != kind || run.to + 1 != offset)) end_run(key, run);
    if (run.to < run.from) run = {kind, offset, offset};
    run.to = offset;
  }
  void end_run(const QueueKey& key, Run& run) {
    only(key, run.kind, run.from, run.to + 1);
    run = {};
  }

  const Sides& sides_;
  const OnDifference& tell_;
  std::int64_t told_ = 0;
  std::set<BlockKey> blocks_;
  std::map<QueueKey, Range> common_;
  std::map<QueueKey, std::vector<Range>> more_;  // to: the last
};

}  // namespace

Result<std::int64_t> diff_messages(fs::Fs& fs, const std::string& first, const std::string& second,
                                   const DigestOptions& options, const OnDifference& tell) {
  // With several threads both are read at once.
  DigestOptions half = options;
  half.jobs = std::max(1, options.jobs / 2);
  Mutex mu;
  half.note = [&](const Finding& finding) {
    const MutexLock lock(mu);
    if (options.note) options.note(finding);
  };
  Result<StoreDigest> other = StoreDigest();
  const auto read_other = [&] { other = digest_store(fs, second, half); };
  std::jthread thread;
  if (options.jobs > 1)
    thread = start_thread("diff", [&](const std::stop_token&) { read_other(); });
  const auto one = digest_store(fs, first, half);
  if (thread.joinable()) {
    thread.join();
  } else {
    read_other();
  }
  if (!one) return Error(one.error());
  if (!other) return Error(other.error());
  const Sides sides{*one, *other};
  MessageDiff diff(sides, tell);
  std::set<QueueKey> keys;
  for (const StoreDigest* side : {&sides.first, &sides.second})
    for (const auto& [key, queue] : *side) keys.insert(key);
  for (const QueueKey& key : keys) diff.compare_queue(key);
  if (!diff.blocks().empty()) {
    MQ_TRY(const auto a, read_blocks(fs, first, *one, diff.blocks(), options));
    MQ_TRY(const auto b, read_blocks(fs, second, *other, diff.blocks(), options));
    diff.compare_blocks(a, b);
  }
  diff.tell_more();
  return diff.told();
}

}  // namespace mq::inspect
