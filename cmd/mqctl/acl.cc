// mqctl acl list|set|delete: what users may do.
#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "client/users.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

class Acls {
 public:
  explicit Acls(Tool& tool) : tool_(tool) {}
  std::string user, resource;
  std::vector<std::string> actions, from;
  bool deny = false, fine = false;

  // One line an entry; what several brokers say alike, once.
  Result<int> list() {
    std::set<std::string> said;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto acls, client::acls(rpc));
      for (const wire::AclInfo& acl : acls) {
        const std::string name = acl.subject.substr(acl.subject.find(':') + 1);
        if (!user.empty() && name != user) continue;
        for (const wire::PolicyInfo& policy : acl.policies)
          for (const wire::PolicyEntryInfo& entry : policy.entries)
            if (const std::string line = text(name, policy, entry); said.insert(line).second)
              tool_.print(line);
      }
      return {};
    }));
    return cli::kExitOk;
  }

  Result<int> set() {
    wire::PolicyEntryInfo entry{.resource = resource,
                                .actions = actions,
                                .source_ips = from,
                                .decision = deny ? "Deny" : "Allow"};
    const wire::AclInfo wanted{.subject = "User:" + user,
                               .policies = {{.type = "Custom", .entries = {entry}}}};
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto old, entries(rpc));
      if (!tool_.is_real(where(b.name), old.empty() ? "(none)" : joined(old), describe(entry)))
        return {};
      return client::update_acl(rpc, wanted);
    }));
    return cli::kExitOk;
  }

  Result<int> remove() {
    bool any = false;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto old, entries(rpc));
      if (old.empty()) return {};
      any = true;
      if (!tool_.is_real(where(b.name), joined(old), "(none)")) return {};
      return client::delete_acl(rpc, "User:" + user, resource);
    }));
    if (any || fine) return cli::kExitOk;
    return Error{Errc::kNotFound,
                 resource.empty() ? fmt::format("user '{}' has no policies", user)
                                  : fmt::format("user '{}' has no policy for {}", user, resource)};
  }

 private:
  static std::string describe(const wire::PolicyEntryInfo& entry) {
    return fmt::format("{} {} {}{}", entry.decision, entry.resource, joined(entry.actions),
                       entry.source_ips.empty() ? "" : " from " + joined(entry.source_ips));
  }
  [[nodiscard]] std::string text(const std::string& name, const wire::PolicyInfo& policy,
                                 const wire::PolicyEntryInfo& entry) const {
    if (!tool_.json())
      return fmt::format("{} {}{}", name, describe(entry),
                         policy.type == "Default" ? " (default)" : "");
    json::object out{{"user", name},
                     {"policy", policy.type},
                     {"resource", entry.resource},
                     {"decision", entry.decision},
                     {"actions", joined(entry.actions)},
                     {"from", joined(entry.source_ips)}};
    return to_json(out);
  }
  // What the broker has for user and resource ("": any), custom policies alone.
  Result<std::vector<std::string>> entries(client::Rpc& rpc) {
    MQ_TRY(const auto acls, client::acls(rpc));
    std::vector<std::string> out;
    for (const wire::AclInfo& acl : acls) {
      if (acl.subject != "User:" + user) continue;
      for (const wire::PolicyInfo& policy : acl.policies) {
        if (policy.type == "Default" && !resource.empty()) continue;
        for (const wire::PolicyEntryInfo& entry : policy.entries)
          if (resource.empty() || entry.resource == resource) out.push_back(describe(entry));
      }
    }
    return out;
  }
  [[nodiscard]] std::string where(const std::string& broker) const {
    return fmt::format("acl {} at {}", user, broker);
  }

  Tool& tool_;
};

}  // namespace

void add_acl(Tool& tool) {
  auto acls = std::make_shared<Acls>(tool);
  cli::Command* noun = tool.noun("acl", "what users may do");
  const auto verb = [&](const char* name, const char* what, Result<int> (Acls::*work)()) {
    return tool.verb(noun, name, what, [acls, work] { return ((*acls).*work)(); });
  };
  const auto for_user = [&](cli::Command* command) {
    return command->add_option("user", acls->user, "name of the user")->type_name("USER");
  };
  const auto for_resource = [&](cli::Command* command) {
    return command
        ->add_option("resource", acls->resource,
                     "Topic:NAME, Group:NAME, Cluster:NAME, * at the end")
        ->type_name("RESOURCE");
  };
  cli::Command* list = verb("list", "of all users, or of one", &Acls::list);
  for_user(list);
  tool.add_json(list);
  cli::Command* set = verb("set", "allow or deny actions on a resource", &Acls::set);
  for_user(set)->required();
  for_resource(set)->required();
  set->add_option("--action", acls->actions, "All, Pub, Sub, Create, Update, Delete, Get, List")
      ->type_name("ACTION[,ACTION]...")
      ->allow_extra_args(false)
      ->delimiter(',')
      ->required();
  set->add_option("--from", acls->from, "addresses and networks; otherwise from anywhere")
      ->type_name("IP[,IP]...")
      ->allow_extra_args(false)
      ->delimiter(',');
  set->add_flag("--deny", acls->deny, "deny instead");
  tool.add_dry_run(set);
  cli::Command* remove = verb("delete", "what is said of a resource, or everything", &Acls::remove);
  for_user(remove)->required();
  for_resource(remove);
  remove->add_flag("--if-exists", acls->fine, "fine if there is nothing");
  tool.add_dry_run(remove);
}

}  // namespace mq::mqctl
