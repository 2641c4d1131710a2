// Rows of named values, printed as columns, CSV or JSON objects.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mq::mqstat {

enum class Form { kColumns, kCsv, kJson };

struct Value {
  // NOLINTBEGIN(google-explicit-constructor): a row reads as its literals
  Value(std::string t) : text(std::move(t)) {}
  Value(const char* t) : text(t) {}
  Value(std::int64_t n) : text(std::to_string(n)), number(true) {}
  Value(std::int32_t n) : Value(static_cast<std::int64_t>(n)) {}
  Value(double n);
  // NOLINTEND(google-explicit-constructor)
  std::string text;
  bool number = false;
};
using Row = std::vector<std::pair<const char*, Value>>;

class Table {
 public:
  explicit Table(Form form) : form_(form) {}
  // All rows of one look; columns are as wide as their widest value.
  void print(const std::vector<Row>& rows, std::string& out);

 private:
  Form form_;
  bool has_header_ = false;
  int since_header_ = 0;
};

}  // namespace mq::mqstat
