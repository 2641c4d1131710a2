// Members of a JSON object one after the other, with a complaint about those that are wrong or that
// nobody asked for.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace mq::mqctl {

class ObjectMembers {
 public:
  explicit ObjectMembers(const json::object& object) : object_(object) {}

  // What stands there goes to `out`, which else stays as it is.
  void take(std::string_view name, std::string& out);
  void take(std::string_view name, bool& out);
  void take(std::string_view name, std::int32_t& out);  // none below 0
  void take(std::string_view name, std::map<std::string, std::string>& out);
  void pass_over(std::string_view name) { (void)find(name); }
  // Errors: kInvalid naming the first member that was of another type or is not known.
  Result<void> finish() const;

 private:
  const json::value* find(std::string_view name);
  void complain(std::string_view name, std::string_view expected);

  const json::object& object_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> wrong_;
};

}  // namespace mq::mqctl
