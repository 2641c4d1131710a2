#include "inspect/space_map.h"

#include <algorithm>

namespace mq::inspect {

std::string_view name_of(SpaceKind kind) noexcept {
  constexpr std::array<std::string_view, kSpaceKinds> kNames = {
      "live", "waiting", "dead", "blank", "free", "damaged", "missing"};
  return kNames[static_cast<std::size_t>(kind)];
}

SpaceMap::SpaceMap(PhysicalOffset begin, PhysicalOffset end, std::size_t columns)
    : begin_(begin),
      end_(std::max(begin, end)),
      columns_(std::clamp<std::size_t>(columns, 1, kColumnsMax)) {
  const auto count = static_cast<std::int64_t>(columns_);
  column_bytes_ = std::max<std::int64_t>(1, (end_ - begin_ + count - 1) / count);
  for (Row& row : kinds_) row.columns.resize(columns_);
}

void SpaceMap::add_to(Row& row, PhysicalOffset at, std::int64_t bytes) const {
  const std::int64_t from = std::max<std::int64_t>(0, at - begin_);
  const std::int64_t to = std::min(end_ - begin_, at - begin_ + bytes);
  if (from >= to) return;
  row.bytes += to - from;
  for (std::int64_t here = from; here < to;) {
    const std::int64_t column = here / column_bytes_;
    const std::int64_t next = std::min(to, (column + 1) * column_bytes_);
    row.columns[static_cast<std::size_t>(column)] += next - here;
    here = next;
  }
}

SpaceMap::Row& SpaceMap::topic_row(std::string_view topic) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) {
    found =
        topics_.try_emplace(topics_.size() < kTopicsMax ? std::string(topic) : std::string()).first;
    found->second.columns.resize(columns_);
  }
  return found->second;
}

void SpaceMap::add(SpaceKind kind, std::string_view topic, PhysicalOffset at, std::int64_t bytes) {
  Row& row = kinds_[static_cast<std::size_t>(kind)];
  add_to(row, at, bytes);
  ++row.records;
  if (kind != SpaceKind::kLive && kind != SpaceKind::kWaiting) return;
  Row& of_topic = topic_row(topic);
  add_to(of_topic, at, bytes);
  ++of_topic.records;
}

void SpaceMap::merge(const SpaceMap& other) {
  const auto take = [](Row& to, const Row& from) {
    to.bytes += from.bytes;
    to.records += from.records;
    for (std::size_t i = 0; i < to.columns.size() && i < from.columns.size(); ++i)
      to.columns[i] += from.columns[i];
  };
  for (std::size_t i = 0; i < kSpaceKinds; ++i) take(kinds_[i], other.kinds_[i]);
  for (const auto& [topic, row] : other.topics_) take(topic_row(topic), row);
}

}  // namespace mq::inspect
