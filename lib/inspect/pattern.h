// A compiled regular expression (PCRE2); any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace mq::inspect {

class Pattern {
 public:
  // Errors: kInvalid, with the place in `text`.
  static Result<std::shared_ptr<const Pattern>> compile(std::string_view text);
  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<void> code) : code_(std::move(code)) {}
  std::shared_ptr<void> code_;
};

}  // namespace mq::inspect
