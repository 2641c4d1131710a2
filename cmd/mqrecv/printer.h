// Messages to standard output, in the form that was asked for.
#pragma once

#include <optional>
#include <string>

#include "cli/message_format.h"
#include "cli/message_json.h"
#include "cli/output.h"
#include "filter.h"
#include "options.h"

namespace mq::mqrecv {

class Printer {
 public:
  // Errors: kInvalid (format, regular expression).
  static Result<Printer> create(const Options& options);

  // Prints every wanted record of the stretch below queue offset `end`. Errors: standard output.
  Result<void> print(Bytes records, std::int64_t end, std::string_view broker);
  Result<void> print_one(const format::Record& record, std::string_view broker);
  Result<void> flush() { return out_.flush(); }
  Result<void> close() { return out_.close(); }

  [[nodiscard]] std::int64_t printed() const noexcept { return printed_; }
  [[nodiscard]] bool is_done() const noexcept {
    return options_->count >= 0 && printed_ >= options_->count;
  }
  [[nodiscard]] std::int64_t damaged() const noexcept { return damaged_; }

 private:
  Printer(const Options& options, Filter filter) : options_(&options), filter_(std::move(filter)) {}
  void append(const cli::Message& message);

  const Options* options_;
  Filter filter_;
  std::optional<cli::MessageFormat> format_;
  cli::Output out_;
  std::string inflated_;
  bool sanitise_ = false;
  std::int64_t printed_ = 0;
  std::int64_t damaged_ = 0;
};

}  // namespace mq::mqrecv
