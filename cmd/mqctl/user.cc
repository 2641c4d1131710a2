// mqctl user list|show|create|alter|delete: who may sign requests.
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "client/users.h"
#include "tool.h"

namespace mq::mqctl {
namespace {

struct Options {
  std::string name, password_file, type, status;
  bool fine = false;  // --if-exists, --if-not-exists
};

// Without the password: that is for whoever made it.
std::string describe(const wire::UserInfo& user) {
  return fmt::format("type={} status={}", user.type, user.status);
}
json::object user_object(const wire::UserInfo& user) {
  return {{"user", user.name}, {"type", user.type}, {"status", user.status}};
}

class User {
 public:
  explicit User(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> list() {
    std::map<std::string, wire::UserInfo> all;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(auto users, client::users(rpc));
      for (wire::UserInfo& user : users) all.emplace(user.name, std::move(user));
      return {};
    }));
    for (const auto& [name, user] : all)
      tool_.print(tool_.json() ? to_json(user_object(user)) : name);
    return cli::kExitOk;
  }

  Result<int> show() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return nowhere();
    for (const auto& [broker, user] : found) {
      json::object object = user_object(user);
      object["broker"] = broker;
      tool_.print(tool_.json() ? to_json(object)
                               : fmt::format("{}{} {}", found.size() > 1 ? broker + " " : "",
                                             user.name, describe(user)));
    }
    return cli::kExitOk;
  }

  Result<int> create() {
    MQ_TRY(const wire::UserInfo wanted, this->wanted());
    if (wanted.password.empty())
      return Error{Errc::kInvalid, "user create: --password-file is needed"};
    MQ_TRY(const Found found, find());
    bool made = false;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      if (found.contains(b.name)) return {};
      made = true;
      return make(b.name, rpc, wanted);
    }));
    if (made || o.fine) return cli::kExitOk;
    return Error{Errc::kExists, fmt::format("user '{}' exists already: {}", o.name,
                                            describe(found.begin()->second))};
  }

  Result<int> alter() {
    MQ_TRY(const wire::UserInfo wanted, this->wanted());
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      const auto at = found.find(b.name);
      if (at == found.end()) return {};
      wire::UserInfo shown = at->second;
      if (!wanted.type.empty()) shown.type = wanted.type;
      if (!wanted.status.empty()) shown.status = wanted.status;
      const std::string secret = wanted.password.empty() ? "" : " password=(new)";
      if (!tool_.is_real(where(b.name), describe(at->second), describe(shown) + secret)) return {};
      return client::update_user(rpc, wanted);
    }));
    return cli::kExitOk;
  }

  Result<int> remove() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    for (const auto& [broker, user] : found)
      (void)tool_.is_real(where(broker), describe(user), "(none)");
    if (tool_.is_dry()) return cli::kExitOk;
    MQ_TRY(const bool agreed,
           tool_.may(fmt::format("delete user '{}' with what it may do", o.name)));
    if (!agreed) return cli::kExitNo;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) {
      return client::delete_user(rpc, o.name);
    }));
    return cli::kExitOk;
  }

 private:
  using Found = std::map<std::string, wire::UserInfo>;  // by broker

  Result<Found> find() {
    Found found;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(auto user, client::find_user(rpc, o.name));
      if (user) found.emplace(b.name, *std::move(user));
      return {};
    }));
    return found;
  }
  Result<int> nowhere() const {
    return Error{Errc::kNotFound, fmt::format("user '{}' does not exist", o.name)};
  }
  [[nodiscard]] std::string where(const std::string& broker) const {
    return fmt::format("user {} at {}", o.name, broker);
  }

  Result<void> make(const std::string& broker, client::Rpc& rpc, const wire::UserInfo& wanted) {
    wire::UserInfo shown = wanted;
    if (shown.type.empty()) shown.type = "Normal";
    if (shown.status.empty()) shown.status = "enable";
    if (!tool_.is_real(where(broker), "(none)", describe(shown))) return {};
    return client::create_user(rpc, wanted);
  }

  // As the line says it.
  Result<wire::UserInfo> wanted() const {
    wire::UserInfo out{.name = o.name,
                       .password = {},
                       .type = o.type.empty()      ? ""
                               : o.type == "super" ? "Super"
                                                   : "Normal",
                       .status = o.status};
    if (o.password_file.empty()) return out;
    auto secret = cli::read_secret(o.password_file);
    if (!secret) return std::move(secret).error().within("--password-file");
    out.password = *std::move(secret);
    if (out.password.empty())
      return Error{Errc::kInvalid, fmt::format("--password-file {}: empty", o.password_file)};
    return out;
  }

  Tool& tool_;
};

void add_shape(cli::Command* command, Options& o) {
  command
      ->add_option("--password-file", o.password_file, "its first line is the secret to sign with")
      ->type_name("FILE");
  command->add_option("--type", o.type, "may it do everything?")
      ->type_name("normal|super")
      ->check(cli::one_of({"normal", "super"}));
  command->add_option("--status", o.status, "may it come in?")
      ->type_name("enable|disable")
      ->check(cli::one_of({"enable", "disable"}));
}

}  // namespace

void add_user(Tool& tool) {
  auto user = std::make_shared<User>(tool);
  cli::Command* noun = tool.noun("user", "who may sign requests");
  const auto verb = [&](const char* name, const char* what, Result<int> (User::*work)()) {
    return tool.verb(noun, name, what, [user, work] { return ((*user).*work)(); });
  };
  const auto named = [&](cli::Command* command) {
    command->add_option("user", user->o.name, "name of the user")->type_name("USER")->required();
    return command;
  };
  tool.add_json(verb("list", "names of all users", &User::list));
  tool.add_json(named(verb("show", "one user, without its secret", &User::show)));
  cli::Command* create = named(verb("create", "a new user, on every broker", &User::create));
  add_shape(create, user->o);
  create->add_flag("--if-not-exists", user->o.fine, "fine if it exists");
  tool.add_dry_run(create);
  cli::Command* alter = named(verb("alter", "change a user", &User::alter));
  add_shape(alter, user->o);
  alter->add_flag("--if-exists", user->o.fine, "fine if it does not exist");
  tool.add_dry_run(alter);
  cli::Command* remove = named(verb("delete", "a user with what it may do", &User::remove));
  remove->add_flag("--if-exists", user->o.fine, "fine if it does not exist");
  tool.add_yes(remove);
}

}  // namespace mq::mqctl
