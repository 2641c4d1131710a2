#include "format/index_shape.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace mq::format {
namespace {

constexpr std::int32_t kEntriesLooked = 50;
constexpr std::int32_t kEntriesWithoutHeader = 20;
// Entries that tell the shape beyond doubt, whatever the header counts.
constexpr std::int32_t kEntriesEnough = 10;
constexpr std::int64_t kSlotsMax = 1 << 26;

// What speaks against a shape, the weightiest first.
struct Doubts {
  std::int32_t chains = 0;    // entries that hang in no chain of their hash
  std::int32_t edges = 0;     // something before the first entry or behind the last
  std::int64_t outliers = 0;  // slots that name an entry which is not there
  std::int64_t filled = 0;    // slots in use, more or fewer than the header says
  friend bool operator==(const Doubts&, const Doubts&) = default;
  friend bool operator<(const Doubts& a, const Doubts& b) {
    return std::tie(a.chains, a.edges, a.outliers, a.filled) <
           std::tie(b.chains, b.edges, b.outliers, b.filled);
  }
};

class Candidates {
 public:
  Candidates(Bytes file, const std::optional<IndexHeader>& header)
      : file_(file),
        header_(header),
        looked_(header ? std::min(header->index_count, kEntriesLooked) : kEntriesWithoutHeader) {}

  IndexShape best() {
    const auto room = static_cast<std::int64_t>(file_.size()) - 40;
    IndexShape best{.slots = 0, .entries = 0};
    if (room < 0 || room % 4 != 0) return best;
    Doubts least;
    // Entries take 20 bytes and slots 4, so every fifth number of slots leaves whole entries.
    for (std::int64_t slots = room / 4 % 5; slots * 4 < room && slots <= kSlotsMax; slots += 5) {
      const std::int64_t entries = (room - slots * 4) / 20;
      count_slots_to(slots);
      if (slots == 0 || entries > INT32_MAX) continue;
      if (entries < (header_ ? header_->index_count : looked_)) break;
      const IndexShape shape{.slots = static_cast<std::int32_t>(slots),
                             .entries = static_cast<std::int32_t>(entries)};
      const auto doubts = doubts_of(shape);
      if (!doubts || (best.slots > 0 && !(*doubts < least))) continue;
      best = shape;
      least = *doubts;
      if (is_certain(least)) break;
    }
    return best;
  }

 private:
  [[nodiscard]] bool is_certain(Doubts doubts) const {
    if (looked_ > kEntriesEnough) doubts.filled = 0;  // some brokers of 4.x count it wrong
    return doubts == Doubts{};
  }

  [[nodiscard]] std::int32_t slot(std::int64_t number) const {
    return load_be<std::int32_t>(file_.data() + 40 + number * 4);
  }

  [[nodiscard]] Bytes raw_entry(const IndexShape& shape, std::int32_t number) const {
    return file_.subspan(static_cast<std::size_t>(shape.entry_at(number)), 20);
  }

  [[nodiscard]] bool is_blank(const IndexShape& shape, std::int32_t number) const {
    const Bytes raw = raw_entry(shape, number);
    return std::all_of(raw.begin(), raw.end(), [](std::byte b) { return b == std::byte{0}; });
  }

  // The next free entry of a file of this shape.
  [[nodiscard]] std::int32_t end_of(const IndexShape& shape) const {
    return header_ ? header_->index_count : shape.entries;
  }

  void count_slots_to(std::int64_t slots) {
    for (; counted_ < slots; ++counted_) {
      const std::int32_t newest = slot(counted_);
      if (newest != 0) ++filled_;
      if (newest < 0 || newest >= (header_ ? header_->index_count : INT32_MAX)) ++outliers_;
    }
  }

  [[nodiscard]] bool hangs(const IndexShape& shape, std::int32_t number) const {
    const auto entry = decode_index_entry(raw_entry(shape, number));
    if (!entry || entry->previous >= number || is_blank(shape, number)) return false;
    const std::int32_t own = entry->key_hash % shape.slots;
    const std::int32_t newest = slot(own);
    if (newest < number || newest >= end_of(shape)) return false;
    for (const std::int32_t other : {newest, entry->previous}) {
      if (other == 0) continue;
      const auto neighbour = decode_index_entry(raw_entry(shape, other));
      if (!neighbour || neighbour->key_hash % shape.slots != own) return false;
    }
    return true;
  }

  // Nothing when the entries do not fit at all. A damaged one takes its chain with it.
  [[nodiscard]] std::optional<Doubts> doubts_of(const IndexShape& shape) const {
    Doubts doubts;
    const std::int32_t tolerated = header_ ? (looked_ - 1) / 4 : 0;
    for (std::int32_t i = 1; i < looked_; ++i) {
      if (!hangs(shape, i) && ++doubts.chains > tolerated) return std::nullopt;
    }
    if (!is_blank(shape, 0)) ++doubts.edges;
    doubts.outliers = outliers_;
    if (!header_) return doubts;
    if (header_->index_count < shape.entries && !is_blank(shape, header_->index_count))
      ++doubts.edges;
    doubts.filled = std::abs(filled_ - header_->slot_count);
    return doubts;
  }

  const Bytes file_;
  const std::optional<IndexHeader>& header_;
  const std::int32_t looked_;  // entries below this number are looked at
  std::int64_t counted_ = 0;   // slots, and what was found in them:
  std::int64_t filled_ = 0;
  std::int64_t outliers_ = 0;
};

}  // namespace

IndexShape guess_index_shape(Bytes file, const std::optional<IndexHeader>& header) {
  return Candidates(file, header).best();
}

}  // namespace mq::format
