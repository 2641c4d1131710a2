// Messages that one record holds together (store-format.md 2.8).
#pragma once

#include <functional>
#include <string>

#include "format/record.h"

namespace mq::format {

// Calls visit(record) for each message of an inner batch: the record with the item's flag, body and
// properties and its own queue offset. For any other record, and for one whose body is no batch,
// once with the record as it is. `body`: the record's, inflated. Views last for the call. Returns
// what the last visit did: false ends it.
bool for_each_message(const Record& record, Bytes body,
                      const std::function<bool(const Record&)>& visit);

// Of how many messages the record is, by its properties: 1 for all but an inner batch.
[[nodiscard]] std::int32_t message_count(const Record& record) noexcept;

// Records back to back, as a queue of batches is read: those of inner batches are replaced by one
// ordinary record a message, from the queue offset `from` on. Returns `records` where there is
// nothing to replace, else a view of `buffer`. What does not decode stays as it is.
[[nodiscard]] Bytes unwrap(Bytes records, QueueOffset from, std::string& buffer);

}  // namespace mq::format
