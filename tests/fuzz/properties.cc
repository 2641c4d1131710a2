// Any bytes as a property string: all ways of reading it agree, and what was written is read.
#include "format/light_queues.h"
#include "format/properties.h"

#include <algorithm>

#include "base/assert.h"

using namespace mq::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto all = parse_properties(text);
  for (const Property& property : all) {
    MQ_ASSERT(check_property(property.name, property.value));
    MQ_ASSERT(find_property(text, property.name) == property.value);
  }
  std::size_t pairs = 0;
  for_each_property(text, [&](const Property& property) {
    ++pairs;
    MQ_ASSERT(std::ranges::find(all, property.name, &Property::name) != all.end());
  });
  MQ_ASSERT(pairs >= all.size());
  MQ_ASSERT(find_property(text, kTags).has_value() || tag_code(text) == 0);

  // The start of the input as a name, that may occur or not.
  const std::string_view name = text.substr(0, text.find(kNameEnd));
  // And as light queues, the rest as their numbers.
  for_each_light_queue(name, text.substr(std::min(text.size(), name.size() + 1)),
                       [](std::string_view queue, std::int64_t number) {
                         MQ_ASSERT(is_light_queue_name(queue) && number >= 0);
                       });
  const std::string without = remove_property(text, name);
  MQ_ASSERT(!find_property(without, name));
  if (check_property(name, "v")) {
    std::string with(text);
    append_property(with, name, "v");
    MQ_ASSERT(find_property(with, name) == "v");
    MQ_ASSERT(parse_properties(with).size() <= all.size() + 1);
  } else {
    MQ_ASSERT(!find_property(text, name));
  }
  return 0;
}
