// mqctl export and apply: topics and groups as lines of JSON, out and in again.
//
// The lines are those of `topic list -J` and `group list -J`. A line with "broker" is about that
// broker, one without about all of them.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/json.h"
#include "client/admin.h"
#include "client/groups.h"
#include "format/names.h"
#include "group_text.h"
#include "tool.h"
#include "topic_text.h"

namespace mq::mqctl {
namespace {

constexpr std::int32_t kDefaultQueues = 8;

// What one broker has, as objects without "broker".
struct Having {
  std::map<std::string, wire::TopicConfig> topics;
  std::map<std::string, wire::GroupConfig> groups;
};

// Brokers make these themselves, for the groups that are exported anyway.
bool is_of_group(const std::string& topic) {
  return topic.starts_with(format::kRetryPrefix) || topic.starts_with(format::kDlqPrefix);
}

Result<Having> having(client::Rpc& rpc) {
  Having out;
  MQ_TRY(const auto topics, client::topic_table(rpc));
  MQ_TRY(const auto own, client::system_topics(rpc));
  for (const auto& [name, config] : topics.topics) {
    if (std::find(own.begin(), own.end(), name) == own.end() && !is_of_group(name))
      out.topics.emplace(name, config);
  }
  MQ_TRY(const auto groups, client::group_table(rpc));
  for (const auto& [name, config] : groups.groups)
    if (!client::is_own_group(name)) out.groups.emplace(name, config);
  return out;
}

class Export {
 public:
  explicit Export(Tool& tool) : tool_(tool) {}

  Result<int> run() {
    Lines topics, groups;
    std::size_t brokers = 0;
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& at, client::Rpc& rpc) -> Result<void> {
      ++brokers;
      MQ_TRY(const Having has, having(rpc));
      for (const auto& [name, config] : has.topics) topics[name][at.name] = topic_object(config);
      for (const auto& [name, config] : has.groups) groups[name][at.name] = group_object(config);
      return {};
    }));
    print(topics, brokers);
    print(groups, brokers);
    return cli::kExitOk;
  }

 private:
  using Lines = std::map<std::string, std::map<std::string, json::object>>;  // by name and broker

  // One line when all brokers have the same, one for each that has it otherwise.
  void print(const Lines& lines, std::size_t brokers) {
    for (const auto& [name, by_broker] : lines) {
      const json::object& first = by_broker.begin()->second;
      const bool same = by_broker.size() == brokers &&
                        std::all_of(by_broker.begin(), by_broker.end(),
                                    [&](const auto& at) { return at.second == first; });
      if (same) {
        tool_.print(to_json(first));
        continue;
      }
      for (const auto& [broker, object] : by_broker) {
        json::object line = object;
        line["broker"] = broker;
        tool_.print(to_json(line));
      }
    }
  }

  Tool& tool_;
};

class Apply {
 public:
  explicit Apply(Tool& tool) : tool_(tool) {}
  std::string file;

  // Looks at every line before the first change is made.
  Result<int> run() {
    MQ_CHECK(read());
    MQ_CHECK(check_brokers());
    MQ_CHECK(tool_.each_broker([&](const client::BrokerAt& at, client::Rpc& rpc) -> Result<void> {
      MQ_TRY(const Having has, having(rpc));
      for (const Line& line : lines_) {
        if (!line.broker.empty() && line.broker != at.name) continue;
        auto done = line.is_topic ? put_topic(at, rpc, has, line) : put_group(at, rpc, has, line);
        if (!done) return std::move(done).error().within(fmt::format("line {}", line.number));
      }
      return {};
    }));
    if (!tool_.common().quiet) {
      cli::say(fmt::format("{} created, {} altered, {} as they were{}", created_, altered_, same_,
                           tool_.is_dry() ? " (dry run)" : ""));
    }
    return cli::kExitOk;
  }

 private:
  struct Line {
    std::size_t number = 0;
    bool is_topic = false;
    std::string name;
    std::string broker;
    json::object object;
  };

  Result<void> read() {
    std::ifstream opened;
    if (file != "-") {
      opened.open(file);
      if (!opened) return Error{Errc::kNotFound, fmt::format("{} cannot be read", file)};
    }
    std::istream& in = file == "-" ? std::cin : opened;
    std::string text;
    for (std::size_t number = 1; std::getline(in, text); ++number) {
      if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
      auto line = parse(text);
      if (!line) return wrong(number, line.error());
      line->number = number;
      lines_.push_back(*std::move(line));
    }
    return {};
  }
  static Error wrong(std::size_t number, const Error& error) {
    return Error{Errc::kCorrupt, fmt::format("line {}: {}", number, error.text())};
  }

  static Result<Line> parse(const std::string& text) {
    MQ_TRY(const auto value, parse_json(text));
    if (!value.is_object()) return Error{Errc::kCorrupt, "expected an object"};
    Line out;
    out.object = value.get_object();
    out.is_topic = out.object.contains("topic");
    if (out.is_topic == out.object.contains("group"))
      return Error{Errc::kCorrupt, "expected either 'topic' or 'group'"};
    out.name = string_or(member(value, out.is_topic ? "topic" : "group"), "");
    out.broker = string_or(member(value, "broker"), "");
    if (out.name.empty()) return Error{Errc::kCorrupt, "the name is empty or no string"};
    // Members that are wrong are found now, not at the first broker.
    if (out.is_topic) {
      MQ_CHECK(with_topic_object({}, out.object));
    } else {
      MQ_CHECK(with_group_object({}, out.object));
    }
    return out;
  }

  Result<void> check_brokers() {
    MQ_TRY(client::Cluster* const cluster, tool_.cluster());
    for (const Line& line : lines_) {
      if (line.broker.empty()) continue;
      if (auto known = cluster->broker(line.broker); !known)
        return wrong(line.number, known.error());
    }
    return {};
  }

  Result<void> put_topic(const client::BrokerAt& at, client::Rpc& rpc, const Having& has,
                         const Line& line) {
    const auto old = has.topics.find(line.name);
    const bool is_new = old == has.topics.end();
    const wire::TopicConfig before = is_new ? wire::TopicConfig{.name = line.name,
                                                                .read_queues = kDefaultQueues,
                                                                .write_queues = kDefaultQueues}
                                            : old->second;
    MQ_TRY(const auto wanted, with_topic_object(before, line.object));
    if (!is_new && topic_object(wanted) == topic_object(before)) return keep();
    count(is_new);
    if (!tool_.is_real(fmt::format("topic {} at {}", line.name, at.name),
                       is_new ? "(none)" : describe_topic(before), describe_topic(wanted)))
      return {};
    const std::string changes = attribute_changes(
        is_new ? decltype(before.attributes){} : before.attributes, wanted.attributes);
    return client::put_topic(rpc, topic_request(wanted, changes));
  }

  Result<void> put_group(const client::BrokerAt& at, client::Rpc& rpc, const Having& has,
                         const Line& line) {
    const auto old = has.groups.find(line.name);
    const bool is_new = old == has.groups.end();
    wire::GroupConfig before;
    if (!is_new) before = old->second;
    MQ_TRY(const auto wanted, with_group_object(before, line.object));
    if (!is_new && wanted == before) return keep();
    count(is_new);
    if (!tool_.is_real(fmt::format("group {} at {}", line.name, at.name),
                       is_new ? "(none)" : describe_group(before), describe_group(wanted)))
      return {};
    return client::put_group(rpc, wanted);
  }

  Result<void> keep() {
    ++same_;
    return {};
  }
  void count(bool is_new) { ++(is_new ? created_ : altered_); }

  Tool& tool_;
  std::vector<Line> lines_;
  int created_ = 0, altered_ = 0, same_ = 0;
};

}  // namespace

void add_apply(Tool& tool) {
  auto apply = std::make_shared<Apply>(tool);
  tool.command("export", "topics and groups as lines of JSON",
               [&tool] { return Export(tool).run(); });
  cli::Command* command = tool.command("apply", "make topics and groups what such lines say",
                                       [apply] { return apply->run(); });
  command->add_option("-f,--file", apply->file, "the lines; - for standard input")
      ->type_name("FILE")
      ->required();
  tool.add_dry_run(command);
}

}  // namespace mq::mqctl
