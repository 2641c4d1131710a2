#include "format/properties.h"

#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "base/hash.h"

namespace mq::format {
namespace {

// Up to this many pairs duplicates are found by looking at all; a hostile string holds 8,000.
constexpr std::size_t kFewPairs = 32;

bool has_byte(std::string_view text, char byte) noexcept {
  return text.find(byte) != std::string_view::npos;
}

// A pair of that name; as a name holds no 0x01 it is enough to look behind it.
bool is_pair_of(std::string_view piece, std::string_view name) noexcept {
  return piece.size() > name.size() + 1 && piece[name.size()] == kNameEnd &&
         std::memcmp(piece.data(), name.data(), name.size()) == 0;
}

}  // namespace

std::optional<std::string_view> find_property(std::string_view properties,
                                              std::string_view name) noexcept {
  if (name.empty()) return std::nullopt;
  // From the end, where the one that counts comes first.
  const char* const begin = properties.data();
  std::size_t end = properties.size();
  while (end > name.size() + 1) {
    const auto* split = static_cast<const char*>(memrchr(begin, kPairEnd, end));
    const std::size_t start = split == nullptr ? 0 : static_cast<std::size_t>(split - begin) + 1;
    const std::string_view piece = properties.substr(start, end - start);
    if (is_pair_of(piece, name) && !has_byte(name, kNameEnd)) {
      return piece.substr(name.size() + 1);
    }
    if (start == 0) break;
    end = start - 1;
  }
  return std::nullopt;
}

std::vector<Property> parse_properties(std::string_view properties) {
  std::vector<Property> all;
  std::unordered_map<std::string_view, std::size_t> places;
  const auto place_of = [&](std::string_view name) -> std::size_t {
    if (all.size() < kFewPairs) {
      std::size_t i = 0;
      while (i < all.size() && all[i].name != name) ++i;
      return i;
    }
    if (places.empty()) {
      for (std::size_t i = 0; i < all.size(); ++i) places.emplace(all[i].name, i);
    }
    return places.try_emplace(name, all.size()).first->second;
  };
  for_each_property(properties, [&](const Property& property) {
    const std::size_t place = place_of(property.name);
    if (place == all.size()) {
      all.push_back(property);
    } else {
      all[place].value = property.value;
    }
  });
  return all;
}

void append_property(std::string& properties, std::string_view name, std::string_view value) {
  if (!properties.empty() && properties.back() != kPairEnd) properties += kPairEnd;
  properties += name;
  properties += kNameEnd;
  properties += value;
  properties += kPairEnd;
}

std::string remove_property(std::string_view properties, std::string_view name) {
  std::string kept;
  kept.reserve(properties.size());
  while (!properties.empty()) {
    const std::size_t end = properties.find(kPairEnd);
    const std::string_view piece = properties.substr(0, end);
    const std::string_view with_end =
        end == std::string_view::npos ? piece : properties.substr(0, end + 1);
    if (name.empty() || has_byte(name, kNameEnd) || !is_pair_of(piece, name)) kept += with_end;
    properties.remove_prefix(with_end.size());
  }
  return kept;
}

Result<void> check_property(std::string_view name, std::string_view value) {
  if (name.empty()) return Error{Errc::kInvalid, "property without a name"};
  if (has_byte(name, kNameEnd) || has_byte(name, kPairEnd)) {
    return Error{Errc::kInvalid, "property name with a byte 0x01 or 0x02"};
  }
  if (value.empty()) {
    return Error{Errc::kInvalid, fmt::format("property {} has no value", name)};
  }
  if (has_byte(value, kPairEnd)) {
    return Error{Errc::kInvalid, fmt::format("property {} has a byte 0x02 in its value", name)};
  }
  return {};
}

std::int64_t tag_code(std::string_view properties) noexcept {
  const auto tags = find_property(properties, kTags);
  return tags ? java_string_hash(*tags) : 0;
}

}  // namespace mq::format
