// Records on standard output: a line for people, a format string, or a JSON object a line.
#pragma once

#include <memory>
#include <string>

#include "cli/message_format.h"
#include "commands.h"
#include "format/record.h"

namespace mq::mqdump {

struct ShowOptions : StoreOptions {
  std::string format;  // -F; "": a line for people
  bool all_properties = false;
};
void add_show_options(cli::Command& command, ShowOptions& options);

class Show {
 public:
  // `options` is borrowed. Errors: kInvalid for a format.
  static Result<Show> create(const ShowOptions& options);
  // A body that does not inflate is said, shown as stored, and counts as damage.
  Result<void> record(const format::Record& record);
  // Only says so.
  void damaged_body(const format::Record& record, const Error& error);
  cli::Output& output() { return out_; }
  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] bool damaged() const { return damaged_; }

 private:
  explicit Show(const ShowOptions& options) : options_(&options) {}
  const ShowOptions* options_;
  cli::MessageFormat format_;
  cli::Output out_;
  std::string inflated_;
  std::int64_t number_ = 0;
  bool damaged_ = false;
};

}  // namespace mq::mqdump
