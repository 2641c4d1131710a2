// Where in a commit log whose bytes lie, and what the rest is: the log cut into columns of equal
// length, and for each kind of content how much of each column it takes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace mq::inspect {

enum class SpaceKind : std::uint8_t {
  kLive,     // records that a queue leads to
  kWaiting,  // records that are not in their queue yet
  kDead,   // records that nothing leads to any more: of deleted topics, before a queue's beginning,
           // of transactions that were not committed
  kBlank,  // ends of full files
  kFree,   // zeros behind the last record
  kDamaged,  // neither
  kMissing,  // no file
};
inline constexpr std::size_t kSpaceKinds = 7;
// "live", "waiting", ...
[[nodiscard]] std::string_view name_of(SpaceKind kind) noexcept;

class SpaceMap {
 public:
  struct Row {
    std::int64_t bytes = 0;
    std::int64_t records = 0;
    std::vector<std::int64_t> columns;
  };
  static constexpr std::size_t kColumnsMax = 1024;
  // Topics with a row of their own; those that come later share one.
  static constexpr std::size_t kTopicsMax = 1024;

  SpaceMap() = default;
  // Of the log's positions from `begin` to `end`.
  SpaceMap(PhysicalOffset begin, PhysicalOffset end, std::size_t columns);

  // `topic`: of kLive and kWaiting. Outside of the map nothing counts.
  void add(SpaceKind kind, std::string_view topic, PhysicalOffset at, std::int64_t bytes);
  // Of another part of the same log.
  void merge(const SpaceMap& other);

  [[nodiscard]] PhysicalOffset begin() const noexcept { return begin_; }
  [[nodiscard]] PhysicalOffset end() const noexcept { return end_; }
  [[nodiscard]] std::int64_t column_bytes() const noexcept { return column_bytes_; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  [[nodiscard]] const Row& row(SpaceKind kind) const {
    return kinds_[static_cast<std::size_t>(kind)];
  }
  // Live and waiting records of each topic; those without a row of their own are under "".
  [[nodiscard]] const std::map<std::string, Row, std::less<>>& topics() const { return topics_; }

 private:
  void add_to(Row& row, PhysicalOffset at, std::int64_t bytes) const;
  Row& topic_row(std::string_view topic);

  PhysicalOffset begin_{};
  PhysicalOffset end_{};
  std::size_t columns_ = 0;
  std::int64_t column_bytes_ = 1;
  std::array<Row, kSpaceKinds> kinds_;
  std::map<std::string, Row, std::less<>> topics_;
};

}  // namespace mq::inspect
