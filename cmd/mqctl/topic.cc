#include "topic.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/output.h"
#include "client/admin.h"

namespace mq::mqctl {
namespace {

std::string perm_text(std::int32_t perm) {
  return fmt::format("{}{}{}", (perm & 4) != 0 ? "R" : "-", (perm & 2) != 0 ? "W" : "-",
                     (perm & 1) != 0 ? "X" : "-");
}

Result<std::int32_t> parse_perm(const std::string& text) {
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '7') return text[0] - '0';
  std::int32_t perm = 0;
  for (const char c : text) {
    if (c == 'R' || c == 'r') {
      perm |= 4;
    } else if (c == 'W' || c == 'w') {
      perm |= 2;
    } else if (c == 'X' || c == 'x') {
      perm |= 1;
    } else if (c != '-') {
      return Error{Errc::kInvalid,
                   fmt::format("--perm {}: expected letters of RWX or 0 to 7", text)};
    }
  }
  return perm;
}

std::string describe(const wire::TopicConfig& c) {
  std::string out = fmt::format("readQueues={} writeQueues={} perm={} order={}", c.read_queues,
                                c.write_queues, perm_text(c.perm), c.order);
  for (const auto& [key, value] : c.attributes)
    fmt::format_to(std::back_inserter(out), " {}={}", key, value);
  return out;
}

json::object to_object(const wire::TopicConfig& c) {
  json::object attributes;
  for (const auto& [key, value] : c.attributes) attributes[key] = value;
  return {{"topic", c.name},
          {"readQueues", c.read_queues},
          {"writeQueues", c.write_queues},
          {"perm", c.perm},
          {"order", c.order},
          {"attributes", std::move(attributes)}};
}

class Topic {
 public:
  Topic(const TopicOptions& options, client::Rpc rpc) : o_(options), rpc_(std::move(rpc)) {}

  Result<int> run() {
    if (o_.action == "list") return list();
    if (o_.action == "show") return show();
    if (o_.action == "delete") return remove();
    return put();
  }
  cli::Output& output() { return out_; }

 private:
  Result<int> list() {
    MQ_TRY(const auto table, client::topic_table(rpc_));
    MQ_TRY(const auto own, client::system_topics(rpc_));
    for (const auto& [name, config] : table.topics) {
      const bool system = std::find(own.begin(), own.end(), name) != own.end();
      if (system && !o_.all) continue;
      out_.buffer() += o_.json ? to_json(to_object(config)) + "\n" : name + "\n";
    }
    return 0;
  }

  Result<int> show() {
    MQ_TRY(const auto config, client::topic_config(rpc_, o_.topic));
    out_.buffer() +=
        o_.json ? to_json(to_object(config)) + "\n" : config.name + " " + describe(config) + "\n";
    return 0;
  }

  Result<int> put() {
    auto old = client::topic_config(rpc_, o_.topic);
    if (!old && old.error().code() != Errc::kNotFound) return std::move(old).error();
    const bool creating = o_.action == "create";
    if (creating && old) {
      if (o_.if_not_exists) return 0;
      return Error{Errc::kExists,
                   fmt::format("topic '{}' exists already: {}", o_.topic, describe(*old))};
    }
    if (!creating && !old) {
      if (o_.if_exists) return 0;
      return Error{Errc::kNotFound, fmt::format("topic '{}' does not exist", o_.topic)};
    }
    wire::TopicConfig wanted =
        old ? *old : wire::TopicConfig{.name = o_.topic, .read_queues = 8, .write_queues = 8};
    if (o_.queues > 0) wanted.read_queues = wanted.write_queues = o_.queues;
    if (o_.read_queues > 0) wanted.read_queues = o_.read_queues;
    if (o_.write_queues > 0) wanted.write_queues = o_.write_queues;
    if (!o_.perm.empty()) {
      MQ_TRY(wanted.perm, parse_perm(o_.perm));
    }
    if (o_.order) wanted.order = true;
    std::string attributes;
    for (const std::string& change : o_.attributes)
      attributes += (attributes.empty() ? "" : ",") + change;
    if (o_.dry_run) {
      out_.buffer() += fmt::format("{}: {} -> {}{}\n", o_.topic, old ? describe(*old) : "(none)",
                                   describe(wanted), attributes.empty() ? "" : " " + attributes);
      return 0;
    }
    MQ_CHECK(client::put_topic(rpc_, {.topic = wanted.name,
                                      .read_queues = wanted.read_queues,
                                      .write_queues = wanted.write_queues,
                                      .perm = wanted.perm,
                                      .filter_type = wanted.filter_type,
                                      .sys_flag = wanted.sys_flag,
                                      .order = wanted.order,
                                      .attributes = attributes}));
    return 0;
  }

  Result<int> remove() {
    auto old = client::topic_config(rpc_, o_.topic);
    if (!old) {
      if (old.error().code() == Errc::kNotFound && o_.if_exists) return 0;
      return std::move(old).error();
    }
    if (o_.dry_run) {
      out_.buffer() += fmt::format("{}: {} -> (none)\n", o_.topic, describe(*old));
      return 0;
    }
    if (!o_.yes) {
      if (isatty(0) == 0)
        return Error{
            Errc::kInvalid,
            fmt::format("deleting topic '{}' needs --yes when nobody can be asked", o_.topic)};
      std::cerr << "delete topic '" << o_.topic << "' with all its queues? [y/N] ";
      std::string answer;
      std::getline(std::cin, answer);
      if (answer != "y" && answer != "yes") return static_cast<int>(cli::kExitNo);
    }
    MQ_CHECK(client::delete_topic(rpc_, o_.topic));
    return 0;
  }

  const TopicOptions& o_;
  client::Rpc rpc_;
  cli::Output out_;
};

}  // namespace

int topic(const TopicOptions& o) {
  auto connected = cli::connect_broker(o.common);
  if (!connected) return cli::fail(connected.error());
  Topic topic(o, std::move(connected->rpc));
  auto status = topic.run();
  if (!status) return cli::fail(status.error());
  if (auto closed = topic.output().close(); !closed) return cli::fail(closed.error());
  return *status;
}

}  // namespace mq::mqctl
