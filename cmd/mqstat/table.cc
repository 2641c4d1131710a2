#include "table.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json.h"

namespace mq::mqstat {
namespace {

constexpr int kRowsAHeader = 25;

}  // namespace

Value::Value(double n)
    : text(std::abs(n) >= 100 ? fmt::format("{:.0f}", n) : fmt::format("{:.2f}", n)),
      number(true) {}

void Table::print(const std::vector<Row>& rows, std::string& b) {
  if (form_ == Form::kJson) {
    for (const Row& row : rows) {
      b += '{';
      for (const auto& [name, value] : row) {
        if (b.back() != '{') b += ',';
        append_json_string(b, name);
        b += ':';
        if (value.number) {
          b += value.text;
        } else {
          append_json_string(b, value.text);
        }
      }
      b += "}\n";
    }
    return;
  }
  if (rows.empty()) return;
  const bool csv = form_ == Form::kCsv;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < rows.front().size(); ++i) {
    std::size_t width = std::string_view(rows.front()[i].first).size();
    for (const Row& row : rows) width = std::max(width, row[i].second.text.size());
    widths.push_back(width);
  }
  if (!has_header_ || (!csv && since_header_ >= kRowsAHeader)) {
    for (std::size_t i = 0; i < rows.front().size(); ++i) {
      if (csv) {
        b += (i == 0 ? "" : ",") + std::string(rows.front()[i].first);
      } else if (rows.front()[i].second.number) {
        fmt::format_to(std::back_inserter(b), "{}{:>{}}", i == 0 ? "" : "  ", rows.front()[i].first,
                       widths[i]);
      } else {
        fmt::format_to(std::back_inserter(b), "{}{:<{}}", i == 0 ? "" : "  ", rows.front()[i].first,
                       widths[i]);
      }
    }
    while (b.ends_with(' ')) b.pop_back();
    b += '\n';
    has_header_ = true;
    since_header_ = 0;
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Value& v = row[i].second;
      if (csv) {
        b += (i == 0 ? "" : ",") + v.text;
      } else if (v.number) {
        fmt::format_to(std::back_inserter(b), "{}{:>{}}", i == 0 ? "" : "  ", v.text, widths[i]);
      } else {
        fmt::format_to(std::back_inserter(b), "{}{:<{}}", i == 0 ? "" : "  ", v.text, widths[i]);
      }
    }
    while (b.ends_with(' ')) b.pop_back();
    b += '\n';
    ++since_header_;
  }
}

}  // namespace mq::mqstat
