#include "inspect/json_leaves.h"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace mq::inspect {
namespace {

using Visit = std::function<void(const std::string&, const std::string&)>;

// The reader has bounded the depth.
void go(const json::value& value, std::string& path, const Visit& visit) {
  const std::size_t length = path.size();
  const auto into = [&](std::string_view name, const json::value& child) {
    if (length > 0) path += '.';
    path += name;
    go(child, path, visit);
    path.resize(length);
  };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    std::vector<std::string_view> names;
    for (const auto& member : *object) names.emplace_back(member.key());
    std::sort(names.begin(), names.end());
    for (const std::string_view name : names) into(name, object->at(name));
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    for (std::size_t i = 0; i < array->size(); ++i) into(std::to_string(i), (*array)[i]);
  } else {
    visit(path,
          value.is_string() ? std::string(std::string_view(value.get_string())) : to_json(value));
  }
}

}  // namespace

void for_each_leaf(const json::value& value, const Visit& visit) {
  std::string path;
  go(value, path, visit);
}

}  // namespace mq::inspect
