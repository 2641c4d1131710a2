// sql_cases SEED COUNT: COUNT random SQL filters, each on a few random sets of properties, and what
// we make of them, a line each for peer.SqlCases to compare with the reference's classes:
//
//   hex(expression) TAB {hex(name)=hex(value),} TAB result
//
// Result: E does not compile, X fails, T, F, N (unknown). The same seed, the same lines.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "broker/sql_expression.h"

using namespace mq::broker;

namespace {

using Properties = std::map<std::string, std::string, std::less<>>;

class Given final : public sql::Properties {
 public:
  explicit Given(const ::Properties& map) : map_(map) {}
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override {
    const auto found = map_.find(name);
    if (found == map_.end()) return std::nullopt;
    return found->second;
  }

 private:
  const ::Properties& map_;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::string expression() {
    std::string out = one_in(3) ? condition(3) : condition(1);
    if (one_in(8)) damage(out);
    if (one_in(20)) out += pick(kTails);
    return out;
  }

  ::Properties properties() {
    ::Properties out;
    for (const char* name : kNames) {
      if (!one_in(3)) out[name] = one_in(2) ? pick(kNumbers) : pick(kTexts);
    }
    return out;
  }

 private:
  static constexpr std::array kNames = {"a", "b", "c", "_x$1", "TAGS"};
  static constexpr std::array kNumbers = {"0",
                                          "1",
                                          "5",
                                          "-5",
                                          "+5",
                                          "5.5",
                                          "5.0",
                                          "007",
                                          "1e1",
                                          " 5",
                                          "5 ",
                                          "2147483647",
                                          "2147483648",
                                          "-2147483648",
                                          "5f",
                                          "5D",
                                          "0x5",
                                          "0x1.4p2",
                                          "NaN",
                                          "Infinity",
                                          "-Infinity",
                                          "-0.0",
                                          "0.0",
                                          ".5",
                                          "5.",
                                          "1e999",
                                          "-1e-999",
                                          "9223372036854775807",
                                          "5L",
                                          "1e+0_1",
                                          "0x.8P1",
                                          "0x1p99999",
                                          "9223372036854775808",
                                          "-9223372036854775808",
                                          "4.9E-324",
                                          "0.1",
                                          "100000000000000000000"};
  static constexpr std::array kTexts = {"",     "x",    "y",     "abc",  "abcd", "it's", "true",
                                        "TRUE", "True", "false", "null", "中文", "a b",  "--"};
  static constexpr std::array kLiterals = {"0",
                                           "1",
                                           "5",
                                           "5L",
                                           "10",
                                           "2147483647",
                                           "2147483648",
                                           "5.0",
                                           "5.5",
                                           ".5",
                                           "5.",
                                           "1e1",
                                           "9223372036854775807",
                                           "1.5E-3",
                                           "0.0",
                                           "1e400",
                                           "007",
                                           "0L",
                                           "5l",
                                           "9223372036854775808",
                                           "1e-400",
                                           "4.9E-324",
                                           "2.4703282292062328e-324",
                                           "1.7976931348623159e308",
                                           "01.5",
                                           "5e"};
  static constexpr std::array kStrings = {"'x'", "'y'",    "''",   "'abc'", "'bc'", "'it''s'",
                                          "'5'", "'true'", "'中'", "'5.0'", "' '",  "'TRUE'"};
  static constexpr std::array kTails = {" garbage", " ,", " )",   " #",  " + 1",      " 'x'",
                                        " -- x",    "\n", " ;",   " 'x", " /* c */ ", " . ",
                                        " -- \n",   " =", " NOT", " IS", " /* "};
  static constexpr std::array kPieces = {
      "NOT ", "(",  ")",  "AND",       " OR ", "=", "<>",   "<",   ">=", "IN",
      "'x'",  "5",  "a",  "-",         "+",    ",", "NULL", " IS", "'",  ".",
      "#",    "--", "/*", " BETWEEN ", "TRUE", "L", "e5",   "\n",  "中", "$"};

  bool one_in(int n) { return random_() % static_cast<unsigned>(n) == 0; }
  template <typename Pool>
  std::string pick(const Pool& pool) {
    return pool[random_() % pool.size()];
  }
  std::string cased(std::string word) {
    if (one_in(4)) {
      for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return word;
  }

  std::string condition(int depth) {
    if (depth > 0 && one_in(2)) {
      switch (random_() % 5) {
        case 0:
          return cased("NOT ") + condition(depth - 1);
        case 1:
          return "(" + condition(depth - 1) + ")";
        case 2:
          return cased("NOT") + " (" + condition(depth - 1) + ")";
        case 3:
          return condition(depth - 1) + cased(" AND ") + condition(depth - 1);
        default:
          return condition(depth - 1) + cased(" OR ") + condition(depth - 1);
      }
    }
    return predicate(depth);
  }

  std::string predicate(int depth) {
    static constexpr std::array kOrder = {"<", "<=", ">", ">="};
    static constexpr std::array kSearch = {" CONTAINS ", " STARTSWITH ", " ENDSWITH "};
    const std::string left = operand(depth);
    const std::string negated = one_in(3) ? cased(" NOT") : "";
    switch (random_() % 8) {
      case 0:
      case 1:
        return left + (one_in(3) ? " <> " : "=") + operand(depth);
      case 2:
        return left + " " + pick(kOrder) + " " + operand(depth);
      case 3:
        return left + cased(" IS ") + (one_in(2) ? cased("NOT ") : "") + cased("NULL");
      case 4:
        return left + negated + cased(" BETWEEN ") + operand(depth) + " AND " + operand(depth);
      case 5: {
        std::string list = pick(kStrings);
        while (one_in(2)) list += ", " + (one_in(10) ? pick(kLiterals) : pick(kStrings));
        return left + negated + cased(" IN ") + "(" + list + ")";
      }
      case 6:
        return left + negated + cased(pick(kSearch)) + (one_in(10) ? "b" : pick(kStrings));
      default:
        return left;
    }
  }

  std::string operand(int depth) {
    switch (random_() % 12) {
      case 0:
        return pick(kLiterals);
      case 1:
      case 2:
        return pick(kLiterals);
      case 3:
      case 4:
        return pick(kStrings);
      case 5:
        return cased(one_in(2) ? "TRUE" : (one_in(4) ? "NULL" : "FALSE"));
      case 6:
        return (one_in(2) ? "-" : "+") + operand(depth);
      case 7:
        return depth > 0 ? "(" + condition(depth - 1) + ")" : pick(kNames);
      default:
        return one_in(20) ? "A" : pick(kNames);
    }
  }

  void damage(std::string& text) {
    const std::size_t at = random_() % (text.size() + 1);
    if (one_in(3)) {
      text.erase(at, random_() % 4);
    } else {
      text.insert(at, pick(kPieces));
    }
  }

  std::mt19937_64 random_;
};

char result_of(const mq::Result<SqlExpression>& expression, const ::Properties& properties) {
  if (!expression) return 'E';
  const sql::Value value = expression->evaluate(Given(properties));
  if (value.is_failed()) return 'X';
  if (value.is_null()) return 'N';
  return value.is_true() ? 'T' : 'F';
}

void put_hex(std::string_view text) {
  for (const char c : text) std::printf("%02x", static_cast<unsigned char>(c));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: sql_cases SEED COUNT\n", stderr), 64;
  Maker maker(std::strtoull(argv[1], nullptr, 10));
  for (long i = 0; i < std::strtol(argv[2], nullptr, 10); ++i) {
    const std::string text = maker.expression();
    const auto expression = SqlExpression::compile(text);
    for (int set = 0; set < 6; ++set) {
      const ::Properties properties = maker.properties();
      put_hex(text);
      std::putchar('\t');
      for (const auto& [name, value] : properties) {
        put_hex(name);
        std::putchar('=');
        put_hex(value);
        std::putchar(',');
      }
      std::printf("\t%c\n", result_of(expression, properties));
    }
  }
  return std::fflush(stdout) == 0 ? 0 : 74;
}
