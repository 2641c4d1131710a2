// Where printed messages go: standard output, or files of a directory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "options.h"

namespace mq::mqrecv {

class Sink {
 public:
  virtual ~Sink() = default;
  // Where to append the next message of that topic; then settle(). Errors: kCantCreate as kExists.
  virtual Result<std::string*> open(std::string_view topic) = 0;
  // Writes out what has grown large. Errors of these: kIo, kNoSpace; kClosed when nobody reads any
  // more.
  virtual Result<void> settle() = 0;
  virtual Result<void> flush() = 0;  // everything is with the system
  virtual Result<void> sync() = 0;   // and on disk
  virtual Result<void> close() = 0;  // flush, and what only closing tells; once, at the end
  // Called again and again while the output takes nothing; files always do.
  virtual void while_blocked(const std::function<void()>&) {}
};

// Standard output. Errors: kInvalid when sync() is wanted of something that has no disk.
Result<std::unique_ptr<Sink>> open_stdout(bool wants_sync);
// --dir: files DIR/TOPIC.TIME.NNNN, whose names sort in the order of writing, never one that
// exists; the next one begins at `rotate_bytes`. Errors: kNotFound, kIo.
Result<std::unique_ptr<Sink>> open_directory(const Options& options);

}  // namespace mq::mqrecv
