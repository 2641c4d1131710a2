// mqctl topic list|show|create|alter|delete.
#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "client/admin.h"
#include "tool.h"
#include "topic_text.h"

namespace mq::mqctl {
namespace {

struct Options {
  std::string topic;
  int queues = 0;  // 0: not said
  int read_queues = 0;
  int write_queues = 0;
  std::string perm;  // "6" or "RW"
  bool order = false;
  std::string type;                     // message.type
  std::vector<std::string> attributes;  // "+key=value", "-key"
  bool all = false;                     // list: the broker's own, too
  bool fine = false;                    // --if-exists, --if-not-exists
};

class Topic {
 public:
  explicit Topic(Tool& tool) : tool_(tool) {}
  Options o;

  Result<int> list() {
    std::map<std::string, wire::TopicConfig> topics;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt&, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto table, client::topic_table(rpc));
      MQ_TRY(const auto own, client::system_topics(rpc));
      for (const auto& [name, config] : table.topics) {
        const bool system = std::find(own.begin(), own.end(), name) != own.end();
        if (!system || o.all) topics.emplace(name, config);
      }
      return {};
    }));
    for (const auto& [name, config] : topics)
      tool_.print(tool_.json() ? to_json(topic_object(config)) : name);
    return cli::kExitOk;
  }

  Result<int> show() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return nowhere();
    const bool several = found.size() > 1;
    for (const auto& [broker, config] : found) {
      json::object object = topic_object(config);
      object["broker"] = broker.name;
      tool_.print(tool_.json() ? to_json(object)
                               : fmt::format("{}{} {}", several ? broker.name + " " : "",
                                             config.name, describe_topic(config)));
    }
    return cli::kExitOk;
  }

  // On every broker, and on those of several that lack it alone.
  Result<int> create() {
    bool made = false;
    std::string existing;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const auto old, config_at(rpc));
      if (old) {
        existing = describe_topic(*old);
        return {};
      }
      made = true;
      return put(b, rpc, std::nullopt,
                 {.name = o.topic, .read_queues = kDefaultQueues, .write_queues = kDefaultQueues});
    }));
    if (made || o.fine) return cli::kExitOk;
    return Error{Errc::kExists, fmt::format("topic '{}' exists already: {}", o.topic, existing)};
  }

  Result<int> alter() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const auto& [broker, config] : found) {
      MQ_TRY(client::Rpc* const rpc, cluster->rpc(broker));
      MQ_CHECK(put(broker, *rpc, config, config));
    }
    return cli::kExitOk;
  }

  Result<int> remove() {
    MQ_TRY(const Found found, find());
    if (found.empty()) return o.fine ? Result<int>(cli::kExitOk) : nowhere();
    for (const auto& [broker, config] : found)
      (void)tool_.is_real(where(broker), describe_topic(config), "(none)");
    if (tool_.is_dry()) return cli::kExitOk;
    MQ_TRY(const bool agreed,
           tool_.may(fmt::format("delete topic '{}' with all its queues", o.topic)));
    if (!agreed) return cli::kExitNo;
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    MQ_CHECK(client::delete_topic_everywhere(*cluster, o.topic));
    return cli::kExitOk;
  }

 private:
  using Found = std::vector<std::pair<client::BrokerAt, wire::TopicConfig>>;

  Result<int> nowhere() const {
    return Error{Errc::kNotFound, fmt::format("topic '{}' does not exist", o.topic)};
  }
  [[nodiscard]] std::string where(const client::BrokerAt& broker) const {
    return fmt::format("topic {} at {}", o.topic, broker.name);
  }

  Result<std::optional<wire::TopicConfig>> config_at(client::Rpc& rpc) const {
    auto config = client::topic_config(rpc, o.topic);
    if (config) return std::optional(*std::move(config));
    if (config.error().code() == Errc::kNotFound) return std::optional<wire::TopicConfig>();
    return std::move(config).error();
  }

  Result<Found> find() {
    Found out;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& b, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(auto config, config_at(rpc));
      if (config) out.emplace_back(b, *std::move(config));
      return {};
    }));
    return out;
  }

  Result<void> put(const client::BrokerAt& broker, client::Rpc& rpc,
                   const std::optional<wire::TopicConfig>& old, wire::TopicConfig wanted) {
    if (o.queues > 0) wanted.read_queues = wanted.write_queues = o.queues;
    if (o.read_queues > 0) wanted.read_queues = o.read_queues;
    if (o.write_queues > 0) wanted.write_queues = o.write_queues;
    if (!o.perm.empty()) {
      MQ_TRY(wanted.perm, parse_perm(o.perm));
    }
    if (o.order) wanted.order = true;
    std::string attributes;
    if (!o.type.empty()) attributes = "+message.type=" + o.type;
    for (const std::string& change : o.attributes)
      attributes += (attributes.empty() ? "" : ",") + change;
    const std::string after = describe_topic(wanted) + (attributes.empty() ? "" : " " + attributes);
    if (!tool_.is_real(where(broker), old ? describe_topic(*old) : "(none)", after)) return {};
    return client::put_topic(rpc, topic_request(wanted, attributes));
  }

  static constexpr std::int32_t kDefaultQueues = 8;
  Tool& tool_;
};

void add_shape(cli::Command* command, Options& o) {
  command->add_option("--queues", o.queues, "queues to read and to write")
      ->type_name("N")
      ->check(cli::at_least(1));
  command->add_option("--read-queues", o.read_queues, "queues to read")
      ->type_name("N")
      ->check(cli::at_least(1));
  command->add_option("--write-queues", o.write_queues, "queues to write")
      ->type_name("N")
      ->check(cli::at_least(1));
  command->add_option("--perm", o.perm, "letters of RWX, or 0 to 7")->type_name("PERM");
  command->add_flag("--order", o.order, "an ordered topic");
  command->add_option("--type", o.type, "kind of its messages")
      ->type_name("TYPE")
      ->transform(
          cli::one_of_any_case({"NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED", "UNSPECIFIED"}));
  command->add_option("--attribute", o.attributes, "+KEY=VALUE or -KEY, repeatable")
      ->type_name("CHANGE")
      ->allow_extra_args(false);
}

}  // namespace

void add_topic(Tool& tool) {
  auto topic = std::make_shared<Topic>(tool);
  cli::Command* noun = tool.noun("topic", "topics of the brokers");
  const auto verb = [&](const char* name, const char* what, Result<int> (Topic::*work)()) {
    return tool.verb(noun, name, what, [topic, work] { return ((*topic).*work)(); });
  };
  const auto named = [&](cli::Command* command) {
    command->add_option("topic", topic->o.topic, "name of the topic")
        ->type_name("TOPIC")
        ->required();
    return command;
  };
  cli::Command* list = verb("list", "names of all topics", &Topic::list);
  list->add_flag("--all", topic->o.all, "the broker's own topics, too");
  tool.add_json(list);
  tool.add_json(named(verb("show", "one topic", &Topic::show)));
  cli::Command* create = named(verb("create", "a new topic, on every broker", &Topic::create));
  add_shape(create, topic->o);
  create->add_flag("--if-not-exists", topic->o.fine, "fine if it exists");
  tool.add_dry_run(create);
  cli::Command* alter = named(verb("alter", "change a topic", &Topic::alter));
  add_shape(alter, topic->o);
  alter->add_flag("--if-exists", topic->o.fine, "fine if it does not exist");
  tool.add_dry_run(alter);
  cli::Command* remove = named(verb("delete", "a topic with all its queues", &Topic::remove));
  remove->add_flag("--if-exists", topic->o.fine, "fine if it does not exist");
  tool.add_yes(remove);
}

}  // namespace mq::mqctl
