// Messages in the form that was asked for, into a sink.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/message_format.h"
#include "cli/message_json.h"
#include "filter.h"
#include "options.h"
#include "sink.h"

namespace mq::mqrecv {

class Printer {
 public:
  // Errors: kInvalid (format, regular expression), those of opening the sink.
  static Result<Printer> create(const Options& options);

  // Prints every wanted record of the stretch below queue offset `end`, while the count of -c
  // lasts. Returns the offset to go on from when it stopped early. Errors: those of the sink.
  Result<std::optional<std::int64_t>> print(Bytes records, std::int64_t end,
                                            std::string_view broker);
  // One, if it is wanted. `topic` is what it is shown as.
  Result<void> print_one(const format::Record& record, std::string_view broker);
  // Its body, inflated, if the message is wanted; nothing otherwise. Damage is told and counted.
  std::optional<Bytes> wanted_body(const format::Record& record);
  // One that went elsewhere, for the figures.
  void count(const format::Record& record);
  // Called again and again while standard output takes nothing.
  void while_blocked(const std::function<void()>& hook) { sink_->while_blocked(hook); }
  // What was printed is with the system, and with --sync or --dir on disk.
  Result<void> settle_all();
  Result<void> close() { return sink_->close(); }

  [[nodiscard]] std::int64_t printed() const noexcept { return printed_; }
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_done() const noexcept {
    return options_->count >= 0 && printed_ >= options_->count;
  }
  [[nodiscard]] std::int64_t damaged() const noexcept { return damaged_; }

 private:
  Printer(const Options& options, Filter filter) : options_(&options), filter_(std::move(filter)) {}
  void append(std::string& out, const cli::Message& message);

  const Options* options_;
  Filter filter_;
  std::unique_ptr<Sink> sink_;
  std::optional<cli::MessageFormat> format_;
  std::string inflated_;
  bool sanitise_ = false;
  std::int64_t printed_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t damaged_ = 0;
};

// The topic that a message is of: a retry of it lies in the group's retry topic.
[[nodiscard]] std::string_view shown_topic(const format::Record& record);

}  // namespace mq::mqrecv
