#include "map.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"
#include "cli/units.h"
#include "terminal.h"

namespace mq::mqdump {
namespace {

using inspect::SpaceKind;
using inspect::SpaceMap;

constexpr std::array kBlocks = {" ", "░", "▒", "▓", "█"};
constexpr std::array kSigns = {" ", ".", ":", "+", "#"};

struct Line {
  std::string label;
  const SpaceMap::Row* row;
  std::string_view colour;  // as in ESC[..m
};

class Drawing {
 public:
  Drawing(std::string& out, const SpaceMap& map, const MapStyle& style)
      : out_(out), map_(map), style_(style) {}

  void head(const std::vector<inspect::LogFile>& files) {
    if (map_.begin().value() > 0)
      fmt::format_to(std::back_inserter(out_), "{:<{}}0 to {}: {} deleted\n", "deleted",
                     kMapLabelColumns, map_.begin().value(), size(map_.begin().value()));
    fmt::format_to(std::back_inserter(out_), "{:<{}}{} to {}: {}, a column is {}\n", "commit log",
                   kMapLabelColumns, map_.begin().value(), map_.end().value(),
                   size(map_.end() - map_.begin()), size(map_.column_bytes()));
    // Where files begin, unless that is everywhere.
    if (files.size() * 2 > map_.columns()) return;
    std::string line(map_.columns(), '-');
    for (const auto& file : files) {
      const std::int64_t column = (file.start - map_.begin()) / map_.column_bytes();
      if (column >= 0 && column < static_cast<std::int64_t>(line.size()))
        line[static_cast<std::size_t>(column)] = '|';
    }
    fmt::format_to(std::back_inserter(out_), "{:<{}}{}\n", fmt::format("{} files", files.size()),
                   kMapLabelColumns, line);
  }

  void line(const Line& line) {
    std::string cells;
    for (const std::int64_t bytes : line.row->columns) cells += shade(bytes);
    fmt::format_to(std::back_inserter(out_), "{}{}{}{} {:>{}}\n", label(line.label),
                   style_.colour ? fmt::format("\x1b[{}m", line.colour) : "", cells,
                   style_.colour ? "\x1b[0m" : "", size(line.row->bytes), kMapTotalColumns - 1);
  }

 private:
  static std::string size(std::int64_t bytes) {
    return cli::human_bytes(static_cast<double>(bytes));
  }
  // The least is seen; full is full.
  [[nodiscard]] const char* shade(std::int64_t bytes) const {
    const auto level = static_cast<std::size_t>(
        bytes <= 0 ? 0 : std::clamp<std::int64_t>(1 + bytes * 4 / (map_.column_bytes() + 1), 1, 4));
    return style_.blocks ? kBlocks[level] : kSigns[level];
  }
  static std::string label(const std::string& text) {
    std::string out;
    std::size_t width = 0;
    for (const char c : safe(text)) {
      const bool starts = (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
      if (starts && ++width > kMapLabelColumns - 2) break;
      out += c;
    }
    width = std::min<std::size_t>(width, kMapLabelColumns - 2);
    return out + std::string(kMapLabelColumns - width, ' ');
  }

  std::string& out_;
  const SpaceMap& map_;
  const MapStyle& style_;
};

struct NamedRow {
  std::string topic;
  const SpaceMap::Row* row;
};
std::vector<NamedRow> by_size(const SpaceMap& map) {
  std::vector<NamedRow> out;
  for (const auto& [topic, row] : map.topics()) out.push_back({topic, &row});
  std::stable_sort(out.begin(), out.end(), [](const NamedRow& a, const NamedRow& b) {
    return a.row->bytes > b.row->bytes;
  });
  return out;
}

struct KindLine {
  SpaceKind kind;
  const char* label;
  std::string_view colour;
};
constexpr std::array kKinds = {
    KindLine{SpaceKind::kWaiting, "(of it not in a queue)", "33"},
    KindLine{SpaceKind::kDead, "dead", "90"},
    KindLine{SpaceKind::kBlank, "ends of files", "90"},
    KindLine{SpaceKind::kFree, "free", "90"},
    KindLine{SpaceKind::kDamaged, "DAMAGED", "31;1"},
    KindLine{SpaceKind::kMissing, "MISSING", "31;1"},
};
constexpr std::array<std::string_view, 5> kTopicColours = {"32", "36", "34", "35", "92"};

json::array numbers(const std::vector<std::int64_t>& values) {
  return json::array(values.begin(), values.end());
}

}  // namespace

void append_map(std::string& out, const SpaceMap& map, const std::vector<inspect::LogFile>& files,
                const MapStyle& style) {
  Drawing drawing(out, map, style);
  drawing.head(files);
  const auto topics = by_size(map);
  SpaceMap::Row others;
  others.columns.resize(map.columns());
  std::size_t more = 0;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (i < style.topics && !topics[i].topic.empty()) {
      drawing.line({topics[i].topic, topics[i].row, kTopicColours[i % kTopicColours.size()]});
      continue;
    }
    ++more;
    others.bytes += topics[i].row->bytes;
    for (std::size_t c = 0; c < map.columns(); ++c) others.columns[c] += topics[i].row->columns[c];
  }
  if (more > 0) drawing.line({fmt::format("{} other topics", more), &others, "37"});
  for (const KindLine& line : kKinds) {
    if (map.row(line.kind).bytes > 0) drawing.line({line.label, &map.row(line.kind), line.colour});
  }
}

void append_map_json(std::string& out, const SpaceMap& map,
                     const std::vector<inspect::LogFile>& files) {
  json::array rows;
  for (const auto& [topic, row] : by_size(map)) {
    rows.push_back(json::object{{"kind", "topic"},
                                {"topic", topic},
                                {"bytes", row->bytes},
                                {"records", row->records},
                                {"columns", numbers(row->columns)}});
  }
  for (std::size_t i = 0; i < inspect::kSpaceKinds; ++i) {
    const auto kind = static_cast<SpaceKind>(i);
    rows.push_back(json::object{{"kind", inspect::name_of(kind)},
                                {"bytes", map.row(kind).bytes},
                                {"columns", numbers(map.row(kind).columns)}});
  }
  json::array starts;
  for (const auto& file : files) starts.push_back(file.start.value());
  out += to_json(json::object{{"begin", map.begin().value()},
                              {"end", map.end().value()},
                              {"deleted", map.begin().value()},
                              {"columns", map.columns()},
                              {"columnBytes", map.column_bytes()},
                              {"files", std::move(starts)},
                              {"rows", std::move(rows)}});
  out += '\n';
}

}  // namespace mq::mqdump
