// Messages that one record holds together (store-format.md 2.8).
#pragma once

#include <functional>

#include "format/record.h"

namespace mq::inspect {

// Calls visit(record) for each message of an inner batch: the record with the item's flag, body and
// properties and its own queue offset. For any other record, and for one whose body is no batch,
// once with the record as it is. `body`: the record's, inflated. Views last for the call. Returns
// what the last visit did: false ends it.
bool for_each_message(const format::Record& record, Bytes body,
                      const std::function<bool(const format::Record&)>& visit);

}  // namespace mq::inspect
