// `KEY` and `KEY=VALUE` as commands that look at or change a configuration take them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tool.h"
#include "wire/topic_body.h"

namespace mq::mqctl {

struct Settings {
  std::vector<std::string> keys;  // to show; none and no change: all
  wire::KvTable changes;
  // Errors: kInvalid; looking and changing do not go together.
  static Result<Settings> parse(const std::vector<std::string>& words);

  // Shows or changes what `whose` has now. Errors: kNotFound for a key that it has not; those of
  // `put`.
  using Put = std::function<Result<void>(const wire::KvTable& changes)>;
  Result<void> apply(Tool& tool, const std::string& whose, bool name_it,
                     const wire::KvTable& current, const Put& put) const;
};

// A table as lines, or as one object that begins with `name: whose`.
void print_table(Tool& tool, const char* name, const std::string& whose, bool name_it,
                 const wire::KvTable& table);

}  // namespace mq::mqctl
