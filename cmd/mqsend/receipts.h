// A line for each acknowledged message: %n %x %i %p %o %e (and %b, the broker).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "cli/output.h"
#include "sender.h"

namespace mq::mqsend {

class Receipts {
 public:
  // Errors: kInvalid (format), kExists (the file cannot be made).
  static Result<std::unique_ptr<Receipts>> open(const Options& options);
  // The lines are in the file when it returns. Errors: those of writing.
  Result<void> write(const Outcome& outcome);
  Result<void> close() { return out_.close(); }

 private:
  Receipts(std::string format, int fd) : format_(std::move(format)), out_(fd) {}
  void line(const Outcome& outcome, std::size_t i);

  const std::string format_;
  cli::Output out_;
};

}  // namespace mq::mqsend
