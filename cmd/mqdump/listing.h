// What the commands have in common that print entries one by one: how many, damage on the way, the
// end.
#pragma once

#include <string>

#include "commands.h"
#include "line_format.h"

namespace mq::mqdump {

class Listing {
 public:
  [[nodiscard]] bool wants_more() const {
    return written_ && number_ != count_max_ && cli::stop_signal() == 0;
  }
  // Says it; the command goes on, and ends with the status for damage.
  void damage(const std::string& what) {
    cli::say(what);
    status_ = cli::kExitData;
  }
  // The exit status.
  int end() { return finish(written_, out_, status_); }

 protected:
  // `count_max`: -1 for all.
  Listing(LineFormat format, std::int64_t count_max)
      : format_(std::move(format)), count_max_(count_max) {}
  // Call when one entry is in out_. False when nobody wants more.
  bool entry_done() {
    written_ = out_.settle();
    ++number_;
    return wants_more();
  }

  const LineFormat format_;
  cli::Output out_;
  std::int64_t number_ = 0;  // entries so far
  int status_ = cli::kExitOk;

 private:
  const std::int64_t count_max_;
  Result<void> written_;
};

}  // namespace mq::mqdump
