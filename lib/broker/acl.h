// What one user may do: policies of entries, each a resource, actions, where from, and a decision
// (remoting.md 15.3). Values and rules without a file. Any thread.
//
// The entry that fits best decides: Custom policies before Default ones; a literal name before a
// prefix, the longer prefix before the shorter, any name of a kind before any resource at all; of
// entries for the same, one that denies. (The order of 5.3.3 is not that: there a short prefix goes
// before a long one, and literals and prefixes before each other as they come.) Nothing fits:
// refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/access.h"

namespace mq::broker {

enum class ResourceKind : std::uint8_t { kUnknown, kAny, kCluster, kNamespace, kTopic, kGroup };
enum class Action : std::uint8_t {
  kUnknown,
  kAll,
  kAny,
  kPub,
  kSub,
  kCreate,
  kUpdate,
  kDelete,
  kGet,
  kList,
};
// A bit for each.
using Actions = std::uint16_t;
[[nodiscard]] constexpr Actions bit(Action action) noexcept {
  return static_cast<Actions>(1U << static_cast<unsigned>(action));
}
[[nodiscard]] constexpr Actions operator|(Action a, Action b) noexcept {
  return static_cast<Actions>(bit(a) | bit(b));
}

// What a request needs: one of the actions on the resource of that very name.
struct Need {
  ResourceKind kind = ResourceKind::kUnknown;
  std::string_view name{};
  Actions any_of = 0;
};
[[nodiscard]] std::string to_string(const Need& need);  // "Topic:orders"

// Resources of an entry.
struct Resource {
  enum class Pattern : std::uint8_t { kLiteral, kPrefix, kAny };
  ResourceKind kind = ResourceKind::kUnknown;
  Pattern pattern = Pattern::kLiteral;
  std::string name{};
  [[nodiscard]] bool covers(const Need& need) const noexcept;
  friend bool operator==(const Resource&, const Resource&) = default;
};
// "Topic:orders", "Topic:or*", "Topic:*", "*"; nothing for what is none.
[[nodiscard]] std::optional<Resource> parse_resource(std::string_view text);
[[nodiscard]] std::string to_string(const Resource& resource);

// One address, or a network "10.0.0.0/8".
struct IpRange {
  int family = 0;
  int prefix_bits = 0;
  std::array<unsigned char, 16> bytes{};
  [[nodiscard]] bool contains(const IpRange& address) const noexcept;
};
[[nodiscard]] std::optional<IpRange> parse_ip_range(std::string_view text);

struct PolicyEntry {
  Resource resource;
  std::vector<Action> actions;          // as they were given
  std::vector<std::string> source_ips;  // as they were given
  bool deny = false;
  // Both again, to compare with.
  Actions mask = 0;
  std::vector<IpRange> sources;
};
struct Policy {
  bool is_default = false;
  std::vector<PolicyEntry> entries;
};
struct Acl {
  std::vector<Policy> policies;  // at most one of each type
};

// The policies of a request's body. An entry replaces one for the same resource in `acl`, all else
// stays. Errors: kDenied in the reference's words.
Result<void> update_acl(Acl& acl, const wire::AclInfo& wanted);
// Takes out the entry for that resource, and policies without entries.
void remove_entry(Acl& acl, bool in_default, const Resource& resource);
[[nodiscard]] wire::AclInfo to_info(const Acl& acl, std::string_view user);

enum class Decision : std::uint8_t { kAllow, kDeny, kNoMatch };
// `ip` is the peer's address.
[[nodiscard]] Decision decide(const Acl& acl, const Need& need, std::string_view ip);

// The same but for the case of letters? Names of kinds, actions, types are compared so.
[[nodiscard]] bool is_word(std::string_view text, std::string_view word) noexcept;
// Nothing, or blanks and line ends alone: what the reference takes for not given.
[[nodiscard]] bool is_blank(std::string_view text) noexcept;
// The user of a subject "User:name"; nothing for one of another kind.
[[nodiscard]] std::optional<std::string_view> user_of_subject(std::string_view subject) noexcept;

}  // namespace mq::broker
