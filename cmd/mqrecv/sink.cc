#include "sink.h"

#include <cerrno>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"

namespace mq::mqrecv {
namespace {

class Stdout final : public Sink {
 public:
  Result<std::string*> open(std::string_view) override { return &out_.buffer(); }
  Result<void> settle() override { return out_.settle(); }
  Result<void> flush() override { return out_.flush(); }
  Result<void> sync() override {
    MQ_CHECK(out_.flush());
    if (fdatasync(1) == 0) return {};
    return Error{Errc::kIo, Error::from_errno(errno, "standard output").text()};
  }
  Result<void> close() override { return out_.close(); }
  void while_blocked(const std::function<void()>& hook) override { out_.while_blocked(hook); }

 private:
  cli::Output out_;
};

}  // namespace

Result<std::unique_ptr<Sink>> open_stdout(bool wants_sync) {
  struct stat s {};
  if (wants_sync && (fstat(1, &s) != 0 || !(S_ISREG(s.st_mode) || S_ISBLK(s.st_mode)))) {
    return Error{Errc::kInvalid, "--sync: standard output is not a file on a disk"};
  }
  return std::unique_ptr<Sink>(std::make_unique<Stdout>());
}

}  // namespace mq::mqrecv
