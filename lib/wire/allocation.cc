#include "wire/allocation.h"

#include <algorithm>
#include <optional>

namespace mq::wire {
namespace {

std::optional<std::size_t> index_of(const std::vector<std::string>& client_ids,
                                    std::string_view own_id) {
  const auto at = std::find(client_ids.begin(), client_ids.end(), own_id);
  if (at == client_ids.end()) return std::nullopt;
  return static_cast<std::size_t>(at - client_ids.begin());
}

}  // namespace

void sort_queues(std::vector<MessageQueue>& queues) {
  std::sort(queues.begin(), queues.end());
  queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
}

std::vector<MessageQueue> allocate_average(const std::vector<MessageQueue>& queues,
                                           const std::vector<std::string>& client_ids,
                                           std::string_view own_id) {
  const auto own = index_of(client_ids, own_id);
  if (!own) return {};
  const std::size_t each = queues.size() / client_ids.size();
  const std::size_t more = queues.size() % client_ids.size();  // members with one more
  const std::size_t begin = *own * each + std::min(*own, more);
  const std::size_t count = each + (*own < more ? 1 : 0);
  const auto first = queues.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

std::vector<MessageQueue> allocate_in_turn(const std::vector<MessageQueue>& queues,
                                           const std::vector<std::string>& client_ids,
                                           std::string_view own_id) {
  std::vector<MessageQueue> out;
  const auto own = index_of(client_ids, own_id);
  if (!own) return out;
  for (std::size_t i = *own; i < queues.size(); i += client_ids.size()) out.push_back(queues[i]);
  return out;
}

}  // namespace mq::wire
