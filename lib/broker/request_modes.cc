#include "broker/request_modes.h"

#include <algorithm>

#include "broker/state_file.h"
#include "wire/allocation.h"

namespace mq::broker {

Result<void> RequestModes::load() {
  format::RequestModes stored;
  MQ_CHECK(load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(stored, format::parse_request_modes_json(text));
    return {};
  }));
  const MutexLock lock(mu_);
  modes_ = std::move(stored);
  return {};
}

std::optional<format::RequestMode> RequestModes::find(std::string_view topic,
                                                      std::string_view group) const {
  const MutexLock lock(mu_);
  const auto groups = modes_.find(topic);
  if (groups == modes_.end()) return std::nullopt;
  const auto found = groups->second.find(std::string(group));
  if (found == groups->second.end()) return std::nullopt;
  return found->second;
}

Result<void> RequestModes::set(std::string_view topic, std::string_view group,
                               const format::RequestMode& mode) {
  const MutexLock writing(file_mu_);
  format::RequestModes next = all();
  next[std::string(topic)][std::string(group)] = mode;
  MQ_CHECK(fs::write_file_atomically(fs_, path_,
                                     format::to_request_modes_json(next, /*pretty=*/true),
                                     /*keep_backup=*/true));
  const MutexLock lock(mu_);
  modes_ = std::move(next);
  return {};
}

format::RequestModes RequestModes::all() const {
  const MutexLock lock(mu_);
  return modes_;
}

std::optional<std::vector<wire::MessageQueue>> allocate(
    std::string_view strategy, const std::vector<wire::MessageQueue>& queues,
    const std::vector<std::string>& client_ids, std::string_view own_id) {
  if (strategy == "AVG") return wire::allocate_average(queues, client_ids, own_id);
  if (strategy == "AVG_BY_CIRCLE") return wire::allocate_in_turn(queues, client_ids, own_id);
  return std::nullopt;
}

std::optional<std::vector<wire::MessageQueue>> allocate_shared(
    std::string_view strategy, const std::vector<wire::MessageQueue>& queues,
    const std::vector<std::string>& client_ids, std::string_view own_id,
    std::int32_t share_queues) {
  std::vector<wire::MessageQueue> out;
  const auto own = std::find(client_ids.begin(), client_ids.end(), own_id);
  const auto index = static_cast<std::size_t>(own - client_ids.begin());
  if (share_queues <= 0 || static_cast<std::size_t>(share_queues) + 1 >= client_ids.size()) {
    for (const wire::MessageQueue& queue : queues) {
      wire::MessageQueue any = queue;
      any.queue_id = -1;
      out.push_back(std::move(any));
    }
    wire::sort_queues(out);
    return out;
  }
  if (client_ids.size() > queues.size()) {
    if (own != client_ids.end() && !queues.empty()) out.push_back(queues[index % queues.size()]);
    return out;
  }
  for (std::size_t i = 0; i <= static_cast<std::size_t>(share_queues); ++i) {
    if (own == client_ids.end()) break;
    auto part = allocate(strategy, queues, client_ids, client_ids[(index + i) % client_ids.size()]);
    if (!part) return std::nullopt;
    out.insert(out.end(), part->begin(), part->end());
  }
  wire::sort_queues(out);
  return out;
}

}  // namespace mq::broker
