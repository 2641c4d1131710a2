// mqctl group list|show|create|alter|delete: what groups are. Where they are: group_position.cc.
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "client/admin.h"
#include "client/groups.h"
#include "format/names.h"
#include "group_text.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

struct Options {
  std::string group;
  std::string consume, broadcast, orderly;  // "on", "off"; "": not said
  int retry_max = -1, retry_queues = -1;
  bool all = false;   // list: the brokers' own, too
  bool fine = false;  // --if-exists, --if-not-exists
};

class Group {
 public:
  explicit Group(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> list() {
    std::map<std::string, wire::GroupConfig> groups;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto table, client::group_table(rpc));
      for (const auto& [name, config] : table.groups)
        if (o.all || !client::is_own_group(name)) groups.emplace(name, config);
      return {};
    }));
    for (const auto& [name, config] : groups)
      tool_.print(tool_.json() ? to_json(group_object(config)) : name);
    return cli::kExitOk;
  }

  Result<int> show() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return nowhere();
    for (const auto& [broker, config] : found) {
      json::object object = group_object(config);
      object["broker"] = broker;
      tool_.print(tool_.json() ? to_json(object)
                               : fmt::format("{}{} {}", found.size() > 1 ? broker + " " : "",
                                             config.name, describe_group(config)));
    }
    return cli::kExitOk;
  }

  // On every broker, and on those of several that lack it alone.
  Result<int> create() {
    MQ_TRY(const Found found, find());
    bool made = false;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      if (found.contains(b.name)) return {};
      made = true;
      wire::GroupConfig fresh;
      fresh.name = o.group;
      return put(b.name, rpc, std::nullopt, fresh);
    }));
    if (made || o.fine) return cli::kExitOk;
    return Error{Errc::kExists, fmt::format("group '{}' exists already: {}", o.group,
                                            describe_group(found.begin()->second))};
  }

  Result<int> alter() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      const auto at = found.find(b.name);
      return at == found.end() ? Result<void>() : put(b.name, rpc, at->second, at->second);
    }));
    return cli::kExitOk;
  }

  Result<int> remove() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    for (const auto& [broker, config] : found)
      (void)tool_.is_real(where(broker), describe_group(config), "(none)");
    if (tool_.is_dry()) return cli::kExitOk;
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_TRY(const auto progress, client::group_progress(*cluster, o.group));
    if (!progress.members.empty()) {
      return Error{Errc::kBusy,
                   fmt::format("group '{}' has {} members on line, {} the first", o.group,
                               progress.members.size(), progress.members.front().client_id)};
    }
    MQ_TRY(const bool agreed,
           tool_.may(fmt::format("delete group '{}' with its positions, retries and dead letters",
                                 o.group)));
    if (!agreed) return cli::kExitNo;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) {
      return client::delete_group(rpc, o.group);
    }));
    for (const std::string_view prefix : {format::kRetryPrefix, format::kDlqPrefix})
      MQ_CHECK(client::delete_topic_everywhere(*cluster, std::string(prefix) + o.group));
    return cli::kExitOk;
  }

 private:
  using Found = std::map<std::string, wire::GroupConfig>;  // by broker

  Result<Found> find() {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    return client::group_configs(*cluster, o.group);
  }
  Result<int> nowhere() const {
    return Error{Errc::kNotFound, fmt::format("group '{}' does not exist", o.group)};
  }
  [[nodiscard]] std::string where(const std::string& broker) const {
    return fmt::format("group {} at {}", o.group, broker);
  }

  Result<void> put(const std::string& broker, client::Rpc& rpc,
                   const std::optional<wire::GroupConfig>& old, wire::GroupConfig wanted) {
    if (!o.consume.empty()) wanted.consume_enable = o.consume == "on";
    if (!o.broadcast.empty()) wanted.consume_broadcast_enable = o.broadcast == "on";
    if (!o.orderly.empty()) wanted.consume_message_orderly = o.orderly == "on";
    if (o.retry_max >= 0) wanted.retry_max_times = o.retry_max;
    if (o.retry_queues >= 0) wanted.retry_queues = o.retry_queues;
    if (!tool_.is_real(where(broker), old ? describe_group(*old) : "(none)",
                       describe_group(wanted)))
      return {};
    return client::put_group(rpc, wanted);
  }

  Tool& tool_;
};

void add_shape(cli::Command* command, Options& o) {
  const auto add_switch = [&](const char* flag, std::string& value, const char* what) {
    command->add_option(flag, value, what)->type_name("on|off")->check(cli::one_of({"on", "off"}));
  };
  add_switch("--consume", o.consume, "may its members consume?");
  add_switch("--broadcast", o.broadcast, "may its members broadcast?");
  add_switch("--orderly", o.orderly, "is it marked as consuming in order?");
  command->add_option("--retry-max", o.retry_max, "so many attempts before it is a dead letter")
      ->type_name("N")
      ->check(cli::at_least(0));
  command->add_option("--retry-queues", o.retry_queues, "queues of its retry topic")
      ->type_name("N")
      ->check(cli::at_least(0));
}

}  // namespace

void add_group(Tool& tool) {
  auto group = std::make_shared<Group>(tool);
  cli::Command* noun = tool.noun("group", "consumer groups");
  const auto verb = [&](const char* name, const char* what, Result<int> (Group::*work)()) {
    return tool.verb(noun, name, what, [group, work] { return ((*group).*work)(); });
  };
  const auto named = [&](cli::Command* command) {
    command->add_option("group", group->o.group, "name of the group")
        ->type_name("GROUP")
        ->required();
    return command;
  };
  cli::Command* list = verb("list", "names of all groups", &Group::list);
  list->add_flag("--all", group->o.all, "the brokers' own groups, too");
  tool.add_json(list);
  tool.add_json(named(verb("show", "one group", &Group::show)));
  cli::Command* create = named(verb("create", "a new group, on every broker", &Group::create));
  add_shape(create, group->o);
  create->add_flag("--if-not-exists", group->o.fine, "fine if it exists");
  tool.add_dry_run(create);
  cli::Command* alter = named(verb("alter", "change a group", &Group::alter));
  add_shape(alter, group->o);
  alter->add_flag("--if-exists", group->o.fine, "fine if it does not exist");
  tool.add_dry_run(alter);
  cli::Command* remove =
      named(verb("delete", "a group with its positions, retries and dead letters", &Group::remove));
  remove->add_flag("--if-exists", group->o.fine, "fine if it does not exist");
  tool.add_yes(remove);
  add_group_positions(tool, noun);
}

}  // namespace mq::mqctl
