#include "broker/acl.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace mq::broker {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"Unknown",   "Any",   "Cluster",
                                                    "Namespace", "Topic", "Group"};
constexpr std::array<std::string_view, 10> kActions = {
    "Unknown", "All", "Any", "Pub", "Sub", "Create", "Update", "Delete", "Get", "List"};

template <typename Value, std::size_t N>
std::optional<Value> find_word(const std::array<std::string_view, N>& words,
                               std::string_view word) noexcept {
  for (std::size_t i = 0; i < N; ++i)
    if (is_word(words[i], word)) return static_cast<Value>(i);
  return std::nullopt;
}
std::string_view name_of(ResourceKind kind) noexcept {
  return kKinds[static_cast<std::size_t>(kind)];
}

Error refused(std::string text) { return Error{Errc::kDenied, std::move(text)}; }

Result<PolicyEntry> entry_from(const wire::PolicyEntryInfo& info) {
  PolicyEntry out;
  auto resource = parse_resource(info.resource);
  if (!resource) return refused("The resource is null.");
  out.resource = *std::move(resource);
  for (const std::string& name : info.actions) {
    const auto action = find_word<Action>(kActions, name);
    if (!action) continue;
    out.actions.push_back(*action);
    out.mask |= bit(*action);
  }
  if (out.actions.empty()) return refused("The actions is empty.");
  if ((out.mask & bit(Action::kAny)) != 0) return refused("The actions can not be Any.");
  for (const std::string& ip : info.source_ips) {
    if (is_blank(ip)) return refused("The source ip is empty.");
    const auto range = parse_ip_range(ip);
    if (!range) return refused("The source ip is invalid.");
    out.sources.push_back(*range);
  }
  out.source_ips = info.source_ips;
  out.deny = is_word(info.decision, "Deny");
  if (!out.deny && !is_word(info.decision, "Allow"))
    return refused("The decision is null or illegal.");
  return out;
}

Policy& policy_of(Acl& acl, bool is_default) {
  for (Policy& policy : acl.policies)
    if (policy.is_default == is_default) return policy;
  return acl.policies.emplace_back(Policy{.is_default = is_default, .entries = {}});
}

bool comes_from(const PolicyEntry& entry, std::string_view ip) {
  if (entry.sources.empty()) return true;
  const auto address = parse_ip_range(ip);
  return address && std::any_of(entry.sources.begin(), entry.sources.end(),
                                [&](const IpRange& range) { return range.contains(*address); });
}
bool fits(const PolicyEntry& entry, const Need& need, std::string_view ip) {
  return entry.resource.covers(need) && (entry.mask & (need.any_of | bit(Action::kAll))) != 0 &&
         comes_from(entry, ip);
}

// How closely the entry fits what it covers.
std::size_t closeness(const PolicyEntry& entry) noexcept {
  if (entry.resource.kind == ResourceKind::kAny) return 0;
  switch (entry.resource.pattern) {
    case Resource::Pattern::kAny:
      return 1;
    case Resource::Pattern::kPrefix:
      return 2 + entry.resource.name.size();
    case Resource::Pattern::kLiteral:
      break;
  }
  return static_cast<std::size_t>(-1);
}

const PolicyEntry* best_of(const Policy& policy, const Need& need, std::string_view ip) {
  const PolicyEntry* best = nullptr;
  for (const PolicyEntry& entry : policy.entries) {
    if (!fits(entry, need, ip)) continue;
    if (best == nullptr || closeness(entry) > closeness(*best) ||
        (closeness(entry) == closeness(*best) && entry.deny && !best->deny))
      best = &entry;
  }
  return best;
}

}  // namespace

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_word(std::string_view text, std::string_view word) noexcept {
  return std::equal(
      text.begin(), text.end(), word.begin(), word.end(),
      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::string to_string(const Need& need) {
  return fmt::format("{}:{}", name_of(need.kind), need.name);
}

bool Resource::covers(const Need& need) const noexcept {
  if (kind == ResourceKind::kAny) return true;
  if (kind != need.kind) return false;
  switch (pattern) {
    case Pattern::kAny:
      return true;
    case Pattern::kPrefix:
      return need.name.starts_with(name);
    case Pattern::kLiteral:
      break;
  }
  return need.name == name;
}

std::optional<Resource> parse_resource(std::string_view text) {
  if (text == "*") return Resource{.kind = ResourceKind::kAny, .pattern = Resource::Pattern::kAny};
  const std::size_t colon = text.find(':');
  const auto kind = find_word<ResourceKind>(kKinds, text.substr(0, colon));
  if (!kind || is_blank(text)) return std::nullopt;
  const std::string_view name =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (name == "*") return Resource{.kind = *kind, .pattern = Resource::Pattern::kAny};
  if (name.ends_with('*'))
    return Resource{.kind = *kind,
                    .pattern = Resource::Pattern::kPrefix,
                    .name = std::string(name.substr(0, name.find('*')))};
  return Resource{.kind = *kind, .name = std::string(name)};
}

std::string to_string(const Resource& resource) {
  if (resource.kind == ResourceKind::kAny) return "*";
  const bool open = resource.pattern != Resource::Pattern::kLiteral;
  return fmt::format("{}:{}{}", name_of(resource.kind), resource.name, open ? "*" : "");
}

bool IpRange::contains(const IpRange& address) const noexcept {
  if (family != address.family) return false;
  const auto whole = static_cast<std::size_t>(prefix_bits / 8);
  if (std::memcmp(bytes.data(), address.bytes.data(), whole) != 0) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  return ((bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

std::optional<IpRange> parse_ip_range(std::string_view text) {
  IpRange out;
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  if (::inet_pton(AF_INET, address.c_str(), out.bytes.data()) == 1) {
    out.family = AF_INET;
    out.prefix_bits = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), out.bytes.data()) == 1) {
    out.family = AF_INET6;
    out.prefix_bits = 128;
  } else {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return out;
  const char* const begin = text.data() + slash + 1;
  const char* const end = text.data() + text.size();
  int bits = -1;
  const auto [stop, error] = std::from_chars(begin, end, bits);
  if (error != std::errc{} || stop != end || bits < 0 || bits > out.prefix_bits)
    return std::nullopt;
  out.prefix_bits = bits;
  return out;
}

Result<void> update_acl(Acl& acl, const wire::AclInfo& wanted) {
  bool any = false;
  for (const wire::PolicyInfo& policy : wanted.policies) {
    if (policy.entries.empty()) continue;
    any = true;
    Policy& into = policy_of(acl, is_word(policy.type, "Default"));
    for (const wire::PolicyEntryInfo& info : policy.entries) {
      MQ_TRY(PolicyEntry entry, entry_from(info));
      const auto same =
          std::find_if(into.entries.begin(), into.entries.end(),
                       [&](const PolicyEntry& known) { return known.resource == entry.resource; });
      if (same == into.entries.end())
        into.entries.push_back(std::move(entry));
      else
        *same = std::move(entry);
    }
  }
  return any ? Result<void>() : refused("The policies is empty.");
}

void remove_entry(Acl& acl, bool in_default, const Resource& resource) {
  for (Policy& policy : acl.policies) {
    if (policy.is_default != in_default) continue;
    std::erase_if(policy.entries,
                  [&](const PolicyEntry& entry) { return entry.resource == resource; });
  }
  std::erase_if(acl.policies, [](const Policy& policy) { return policy.entries.empty(); });
}

wire::AclInfo to_info(const Acl& acl, std::string_view user) {
  wire::AclInfo out{.subject = fmt::format("User:{}", user)};
  for (const Policy& policy : acl.policies) {
    wire::PolicyInfo& info = out.policies.emplace_back();
    info.type = policy.is_default ? "Default" : "Custom";
    for (const PolicyEntry& entry : policy.entries) {
      auto& one = info.entries.emplace_back();
      one.resource = to_string(entry.resource);
      for (const Action action : entry.actions)
        one.actions.emplace_back(kActions[static_cast<std::size_t>(action)]);
      one.source_ips = entry.source_ips;
      one.decision = entry.deny ? "Deny" : "Allow";
    }
  }
  return out;
}

Decision decide(const Acl& acl, const Need& need, std::string_view ip) {
  for (const bool is_default : {false, true}) {
    for (const Policy& policy : acl.policies) {
      if (policy.is_default != is_default) continue;
      if (const PolicyEntry* const entry = best_of(policy, need, ip))
        return entry->deny ? Decision::kDeny : Decision::kAllow;
    }
  }
  return Decision::kNoMatch;
}

std::optional<std::string_view> user_of_subject(std::string_view subject) noexcept {
  const std::size_t colon = subject.find(':');
  if (!is_word(subject.substr(0, colon), "User")) return std::nullopt;
  return colon == std::string_view::npos ? std::string_view() : subject.substr(colon + 1);
}

}  // namespace mq::broker
