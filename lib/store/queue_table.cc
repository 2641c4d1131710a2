#include "store/queue_table.h"

#include <cstring>

#include "base/hash.h"
#include "format/names.h"

namespace mq::store {
namespace {

constexpr std::size_t kSlotsFirst = 256;

__extension__ using Uint128 = unsigned __int128;  // not ISO, but both compilers have it

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<Uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Spreads well and costs a few ns for a topic of usual length; not for hostile input: a topic has
// to be created before it is looked up often.
std::uint64_t hash_of(std::string_view topic, QueueId id) noexcept {
  constexpr std::uint64_t kFirst = 0xA0761D6478BD642FULL;
  constexpr std::uint64_t kSecond = 0xE7037ED1A0B428DBULL;
  std::uint64_t hash = kFirst ^ (static_cast<std::uint32_t>(id) * kSecond) ^ topic.size();
  while (topic.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, topic.data(), 8);
    hash = mix(hash ^ word, kSecond);
    topic.remove_prefix(8);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, topic.data(), topic.size());
  return mix(hash ^ last, kFirst);
}

}  // namespace

struct QueueTable::Slots {
  struct Slot {
    std::atomic<std::uint64_t> hash{0};
    std::atomic<ConsumeQueue*> queue{nullptr};
  };
  explicit Slots(std::size_t count) : mask(count - 1), slots(count) {}
  const std::size_t mask;  // a power of two, less one
  std::vector<Slot> slots;
};

QueueTable::QueueTable() {
  tables_.push_back(std::make_unique<Slots>(kSlotsFirst));
  slots_.store(tables_.back().get(), std::memory_order_release);
}

QueueTable::~QueueTable() = default;

ConsumeQueue* QueueTable::find(std::string_view topic, QueueId id) const noexcept {
  const std::uint64_t hash = hash_of(topic, id);
  const Slots& table = *slots_.load(std::memory_order_acquire);
  for (std::size_t at = hash & table.mask;; at = (at + 1) & table.mask) {
    ConsumeQueue* const queue = table.slots[at].queue.load(std::memory_order_acquire);
    if (queue == nullptr) return nullptr;
    if (table.slots[at].hash.load(std::memory_order_relaxed) == hash && queue->id() == id &&
        queue->topic().name == topic) {
      return queue;
    }
  }
}

void QueueTable::insert(Slots& table, std::uint64_t hash, ConsumeQueue* queue) noexcept {
  std::size_t at = hash & table.mask;
  while (table.slots[at].queue.load(std::memory_order_relaxed) != nullptr) {
    at = (at + 1) & table.mask;
  }
  table.slots[at].hash.store(hash, std::memory_order_relaxed);
  table.slots[at].queue.store(queue, std::memory_order_release);
}

QueueTopic& QueueTable::topic_of(std::string_view name) {
  auto found = topics_.find(name);
  if (found == topics_.end()) {
    auto topic = std::make_unique<QueueTopic>();
    topic->name = name;
    topic->index_prefix_hash = java_string_hash(java_string_hash(name), "#");
    topic->delayed = name == format::kScheduleTopic;
    found = topics_.emplace(topic->name, std::move(topic)).first;
  }
  return *found->second;
}

ConsumeQueue& QueueTable::find_or_create(std::string_view topic, QueueId id) {
  if (ConsumeQueue* const queue = find(topic, id)) return *queue;
  MutexLock lock(mu_);
  if (ConsumeQueue* const queue = find(topic, id)) return *queue;
  queues_.push_back(std::make_unique<ConsumeQueue>(topic_of(topic), id));
  ConsumeQueue* const queue = queues_.back().get();
  Slots* table = tables_.back().get();
  if (queues_.size() * 2 > table->mask) {
    tables_.push_back(std::make_unique<Slots>((table->mask + 1) * 2));
    table = tables_.back().get();
    for (const auto& each : queues_) {
      insert(*table, hash_of(each->topic().name, each->id()), each.get());
    }
    slots_.store(table, std::memory_order_release);
  } else {
    insert(*table, hash_of(topic, id), queue);
  }
  return *queue;
}

std::vector<ConsumeQueue*> QueueTable::all() const {
  MutexLock lock(mu_);
  std::vector<ConsumeQueue*> out;
  out.reserve(queues_.size());
  for (const auto& queue : queues_) out.push_back(queue.get());
  return out;
}

void QueueTable::set_batch(std::string_view topic, bool batch) {
  MutexLock lock(mu_);
  topic_of(topic).batch.store(batch, std::memory_order_release);
}

}  // namespace mq::store
