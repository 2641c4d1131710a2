// A JSON document as its leaves: what can be compared and printed a line each.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace mq::inspect {

// Calls visit(path, value) for each number, text, boolean, null and empty container, members sorted
// by name. Names and positions in the path are joined by '.': "topicConfigTable.orders.perm". Texts
// come without quotes.
void for_each_leaf(
    const json::value& value,
    const std::function<void(const std::string& path, const std::string& text)>& visit);

}  // namespace mq::inspect
