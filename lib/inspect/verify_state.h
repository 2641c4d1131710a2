// The small files under verify: names in the directories, checkpoint, abort, the state files, and
// the offsets in them against the queues.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "format/checkpoint.h"
#include "fs/fs.h"
#include "inspect/verify_facts.h"

namespace mq::inspect {

class VerifyState {
 public:
  VerifyState(fs::Fs& fs, VerifyFacts& facts, VerifyReport& report)
      : fs_(fs), facts_(facts), report_(report) {}

  // Before the log is walked: the checkpoint and the topics, which the other parts ask for.
  void read();
  // All zeros if there is none or it cannot be read.
  [[nodiscard]] const format::Checkpoint& checkpoint() const noexcept { return checkpoint_; }
  // Does the broker's configuration have it? Yes when there is no telling.
  [[nodiscard]] bool is_topic(std::string_view topic) const;

  // Behind the last message of a queue, by its entries or its records; nothing if it has neither.
  using QueueEnd =
      std::function<std::optional<std::int64_t>(std::string_view topic, QueueId queue)>;
  // After the log was walked. `sealed_index`: an index file is full, which the checkpoint knows.
  void finish(const QueueEnd& queue_end, bool sealed_index, std::int64_t records);

 private:
  void add(Severity severity, std::string file, std::int64_t at, std::string what,
           std::string expected = {}, std::string found = {}, std::string mend = {});
  void check_names();
  void check_names_in(const std::string& directory, Part part);
  void check_checkpoint(bool sealed_index, std::int64_t records);
  void check_config(bool has_topics);
  // The file's value, from its .bak when it has none; tells of both.
  std::optional<std::string> usable(const std::string& name);
  void check_offsets(const QueueEnd& queue_end);
  void check_delays(const QueueEnd& queue_end);
  void check_offset(const std::string& file, const std::string& who, std::int64_t offset,
                    std::optional<std::int64_t> end, bool is_known);

  fs::Fs& fs_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  format::Checkpoint checkpoint_{};
  std::string checkpoint_problem_;
  std::int64_t checkpoint_bytes_ = -1;  // -1: no such file
  std::optional<std::set<std::string, std::less<>>> topics_;
};

}  // namespace mq::inspect
