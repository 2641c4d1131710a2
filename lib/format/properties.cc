#include "format/properties.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// Calls visit(i), in rising order, for each i with `before` at i - 1 and 0x01 at i. Two bytes are
// compared at once, in sixteen places, as most names in a string end in another letter: dispatch
// looks up three names in every record.
template <typename Visit>
void for_each_name_end(std::string_view text, char before, Visit&& visit) {
#if defined(__SSE2__)
  constexpr std::size_t kBlock = sizeof(__m128i);
  if (text.size() > kBlock) {
    const __m128i befores = _mm_set1_epi8(before);
    const __m128i ends = _mm_set1_epi8(kNameEnd);
    for (std::size_t next = 1; next < text.size(); next += kBlock) {
      // The last block overlaps the one before it, whose places are then left out.
      const std::size_t at = std::min(next, text.size() - kBlock);
      const auto load = [&](std::size_t from) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
      };
      const __m128i both =
          _mm_and_si128(_mm_cmpeq_epi8(load(at - 1), befores), _mm_cmpeq_epi8(load(at), ends));
      auto mask = static_cast<unsigned>(_mm_movemask_epi8(both)) & (~0U << (next - at));
      for (; mask != 0; mask &= mask - 1)
        visit(at + static_cast<std::size_t>(std::countr_zero(mask)));
    }
    return;
  }
#endif
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == kNameEnd && text[at - 1] == before) visit(at);
  }
}

}  // namespace

std::optional<std::string_view> find_property(std::string_view properties,
                                              std::string_view name) noexcept {
  if (name.empty()) return std::nullopt;
  std::optional<std::string_view> last;
  for_each_name_end(properties, name.back(), [&](std::size_t split) {
    if (split < name.size()) return;
    const std::size_t start = split - name.size();
    if (start > 0 && properties[start - 1] != kPairEnd) return;
    // Names are short: a loop is done before memcmp is called. None holds a 0x01 or 0x02.
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (properties[start + i] != name[i] || name[i] == kNameEnd || name[i] == kPairEnd) return;
    }
    const std::string_view rest = properties.substr(split + 1);
    const std::string_view value = rest.substr(0, rest.find(kPairEnd));
    if (!value.empty()) last = value;
  });
  return last;
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

void set_property(std::string& properties, std::string_view name, std::string_view value) {
  if (find_property(properties, name)) properties = remove_property(properties, name);
  append_property(properties, name, value);
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
