// Whether a group pulls or pops a topic, as an administrator set it:
// config/messageRequestMode.json; and which queues a member gets when the broker says so
// (semantics.md 10.3). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "format/pop_state.h"
#include "fs/fs.h"
#include "wire/message_queue.h"

namespace mq::broker {

class RequestModes {
 public:
  RequestModes(fs::Fs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  // Errors: kCorrupt (neither file nor backup can be read), kIo.
  Result<void> load();
  [[nodiscard]] std::optional<format::RequestMode> find(std::string_view topic,
                                                        std::string_view group) const;
  // On disk before the call returns. Errors: kIo, kNoSpace.
  Result<void> set(std::string_view topic, std::string_view group, const format::RequestMode& mode);
  [[nodiscard]] format::RequestModes all() const;

 private:
  fs::Fs& fs_;
  const std::string path_;
  Mutex file_mu_;  // one change with its write at a time; taken before mu_
  mutable Mutex mu_;
  format::RequestModes modes_ MQ_GUARDED_BY(mu_);
};

// AVG, AVG_BY_CIRCLE; nothing for a strategy that is not known. Both lists sorted.
[[nodiscard]] std::optional<std::vector<wire::MessageQueue>> allocate(
    std::string_view strategy, const std::vector<wire::MessageQueue>& queues,
    const std::vector<std::string>& client_ids, std::string_view own_id);
// For a group that pops: everything for everybody, as one queue -1 a broker, or, if `share_queues`
// says so, the own queues and those of so many members behind.
[[nodiscard]] std::optional<std::vector<wire::MessageQueue>> allocate_shared(
    std::string_view strategy, const std::vector<wire::MessageQueue>& queues,
    const std::vector<std::string>& client_ids, std::string_view own_id, std::int32_t share_queues);

}  // namespace mq::broker
