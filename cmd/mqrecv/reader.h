// Reading alone, without a group: parts of queues to the end as seen at the start, the last
// messages of all, queues merged by time, or what comes from now on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cursor.h"
#include "options.h"
#include "printer.h"
#include "source.h"

namespace mq::mqrecv {

class RemoteSource;

class Reader {
 public:
  // All are borrowed; `remote` is the source if it can be followed, `cursor` may be null.
  Reader(const Options& options, Source& source, RemoteSource* remote, Printer& printer,
         Cursor* cursor);
  // Errors: those of the source and of the printer, and of saving the cursor.
  Result<void> run();

 private:
  // A queue and what of it is to be read.
  struct Part {
    QueueAt queue;
    std::int64_t begin = 0;
    std::int64_t at = 0;  // all before is printed, or was not wanted
    std::int64_t end = 0;
  };
  // A record kept for ordering.
  struct Kept {
    std::int64_t time;
    std::int64_t physical;
    std::int64_t offset;
    std::string bytes;
  };
  // What of a part is read ahead for ordering, the next one at the back.
  struct Head {
    std::int64_t next = 0;  // to read from
    std::vector<Kept> kept;
  };

  Result<void> find_parts();
  Result<std::int64_t> resolve(const QueueAt& queue, const Bound& bound);
  Result<Part> part_of(QueueAt queue);
  [[nodiscard]] bool is_over() const;
  Result<void> print_part(Part& part);
  Result<void> fill(const Part& part, Head& head);
  Result<void> print_sorted();
  Result<void> print_tail();
  Result<void> follow();
  Result<void> save(bool last);
  void show_progress();

  const Options& o_;
  Source& source_;
  RemoteSource* remote_;
  Printer& printer_;
  Cursor* cursor_;
  cli::Progress progress_;
  std::vector<Part> parts_;
  bool only_new_;  // following begins with what comes from now on
  std::int64_t begin_us_;
  std::int64_t saved_us_ = 0;
};

}  // namespace mq::mqrecv
