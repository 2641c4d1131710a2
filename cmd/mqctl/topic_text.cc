#include "topic_text.h"

#include <fmt/format.h>

#include "object_members.h"

namespace mq::mqctl {
namespace {

constexpr std::int32_t kInherit = 1;
constexpr std::int32_t kWrite = 2;
constexpr std::int32_t kRead = 4;

std::string perm_text(std::int32_t perm) {
  return fmt::format("{}{}{}", (perm & kRead) != 0 ? "R" : "-", (perm & kWrite) != 0 ? "W" : "-",
                     (perm & kInherit) != 0 ? "X" : "-");
}

}  // namespace

Result<std::int32_t> parse_perm(const std::string& text) {
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '7') return text[0] - '0';
  std::int32_t perm = 0;
  for (const char c : text) {
    if (c == 'R' || c == 'r') {
      perm |= kRead;
    } else if (c == 'W' || c == 'w') {
      perm |= kWrite;
    } else if (c == 'X' || c == 'x') {
      perm |= kInherit;
    } else if (c != '-') {
      return Error{Errc::kInvalid,
                   fmt::format("--perm {}: expected letters of RWX or 0 to 7", text)};
    }
  }
  return perm;
}

std::string describe_topic(const wire::TopicConfig& c) {
  std::string out = fmt::format("readQueues={} writeQueues={} perm={} order={}", c.read_queues,
                                c.write_queues, perm_text(c.perm), c.order);
  for (const auto& [key, value] : c.attributes)
    fmt::format_to(std::back_inserter(out), " {}={}", key, value);
  return out;
}

json::object topic_object(const wire::TopicConfig& c) {
  json::object attributes;
  for (const auto& [key, value] : c.attributes) attributes[key] = value;
  return {{"topic", c.name},
          {"readQueues", c.read_queues},
          {"writeQueues", c.write_queues},
          {"perm", c.perm},
          {"order", c.order},
          {"attributes", std::move(attributes)}};
}

Result<wire::TopicConfig> with_topic_object(wire::TopicConfig c, const json::object& object) {
  ObjectMembers members(object);
  members.pass_over("broker");
  members.take("topic", c.name);
  members.take("readQueues", c.read_queues);
  members.take("writeQueues", c.write_queues);
  members.take("perm", c.perm);
  members.take("order", c.order);
  members.take("attributes", c.attributes);
  MQ_CHECK(members.finish());
  return c;
}

std::string attribute_changes(const std::map<std::string, std::string>& old,
                              const std::map<std::string, std::string>& wanted) {
  std::string out;
  const auto add = [&](std::string_view sign, const std::string& change) {
    if (!out.empty()) out += ',';
    out.append(sign).append(change);
  };
  for (const auto& [key, value] : wanted) {
    const auto at = old.find(key);
    if (at == old.end() || at->second != value) add("+", fmt::format("{}={}", key, value));
  }
  for (const auto& [key, value] : old)
    if (!wanted.contains(key)) add("-", key);
  return out;
}

wire::CreateTopicRequest topic_request(const wire::TopicConfig& config,
                                       std::string_view attribute_changes) {
  return {.topic = config.name,
          .read_queues = config.read_queues,
          .write_queues = config.write_queues,
          .perm = config.perm,
          .filter_type = config.filter_type,
          .sys_flag = config.sys_flag,
          .order = config.order,
          .attributes = attribute_changes};
}

}  // namespace mq::mqctl
