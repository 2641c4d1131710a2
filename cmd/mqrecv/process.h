// A command that runs for one message: its body on standard input, its fields in the environment.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/bytes.h"
#include "base/result.h"

namespace mq::mqrecv {

class Process {
 public:
  // Starts `sh -c command` in a process group of its own, so that an interrupt at the terminal does
  // not reach it. `variables` are NAME=VALUE, on top of our environment. Errors: kIo, kNoSpace.
  static Result<Process> start(const std::string& command,
                               const std::vector<std::string>& variables, Bytes input);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();  // does not end it

  [[nodiscard]] int descriptor() const noexcept { return fd_; }  // readable once it has ended
  // Its exit status, 128 + N when signal N ended it; only after descriptor() became readable.
  int wait();
  void terminate(int signal) const;  // the whole group

 private:
  Process(pid_t pid, int fd) noexcept : pid_(pid), fd_(fd) {}
  pid_t pid_ = -1;
  int fd_ = -1;
};

}  // namespace mq::mqrecv
