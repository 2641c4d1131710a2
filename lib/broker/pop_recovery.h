// After a crash the consumer offsets on disk are some seconds old, and what was popped since would
// be handed out a second time. The checkpoints in the log say how far the groups were.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/consumer_offsets.h"
#include "broker/group_configs.h"
#include "broker/pop_orders.h"
#include "store/message_store.h"

namespace mq::broker {

// Moves the offsets behind the messages of every checkpoint that was put since the offsets were
// written, and to where every acknowledgement says that its group was (its start: a pop's begin, or
// where a group that pops in order went on). Groups that are not known any more are made. Returns
// how many queues of groups were moved. Before anything is popped.
std::int64_t restore_pop_offsets(store::MessageStore& store, ConsumerOffsets& offsets,
                                 GroupConfigs& groups, PopOrders& orders,
                                 std::string_view revive_topic);

}  // namespace mq::broker
