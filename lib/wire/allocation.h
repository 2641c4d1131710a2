// Which queues belong to which member of a clustering group (semantics.md 10.2). Every member works
// it out for itself, from the same two lists: the clients of all makes must come to the same
// answer, so this is part of the protocol. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/message_queue.h"

namespace mq::wire {

// Queues in the order that counts: by topic, broker name, queue id; each once.
void sort_queues(std::vector<MessageQueue>& queues);

// Neighbours together, the first members one more where it does not divide: the default of the
// official clients. `queues` sorted, `client_ids` sorted bytewise; none for an id that is not in
// the list.
[[nodiscard]] std::vector<MessageQueue> allocate_average(const std::vector<MessageQueue>& queues,
                                                         const std::vector<std::string>& client_ids,
                                                         std::string_view own_id);
// One after the other round the members (AVG_BY_CIRCLE).
[[nodiscard]] std::vector<MessageQueue> allocate_in_turn(const std::vector<MessageQueue>& queues,
                                                         const std::vector<std::string>& client_ids,
                                                         std::string_view own_id);

}  // namespace mq::wire
