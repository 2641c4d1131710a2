// diff_state: the JSON state files of two stores, value by value.
#include <algorithm>
#include <array>
#include <optional>

#include "inspect/json_leaves.h"
#include "inspect/store_diff.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

using Leaves = std::map<std::string, std::string>;

// Files that hold what a broker goes on with; the others are statistics.
constexpr std::array<std::string_view, 9> kFiles = {"topics.json",
                                                    "subscriptionGroup.json",
                                                    "consumerOffset.json",
                                                    "lmqConsumerOffset.json",
                                                    "delayOffset.json",
                                                    "consumerFilter.json",
                                                    "consumerOrderInfo.json",
                                                    "topicQueueMapping.json",
                                                    "messageRequestMode.json"};

struct Default {
  std::string_view member;
  std::string_view value;
};
// What a reader takes when the member is not there (store-format.md 6.4, 6.5).
constexpr std::array kDefaults = {
    Default{"order", "false"},
    Default{"perm", "6"},
    Default{"topicFilterType", "SINGLE_TAG"},
    Default{"topicSysFlag", "0"},
    Default{"readQueueNums", "16"},
    Default{"writeQueueNums", "16"},
    Default{"brokerId", "0"},
    Default{"consumeBroadcastEnable", "true"},
    Default{"consumeEnable", "true"},
    Default{"consumeFromMinEnable", "true"},
    Default{"consumeMessageOrderly", "false"},
    Default{"consumeTimeoutMinute", "15"},
    Default{"groupSysFlag", "0"},
    Default{"notifyConsumerIdsChangedEnable", "true"},
    Default{"retryMaxTimes", "16"},
    Default{"retryQueueNums", "1"},
    Default{"whichBrokerWhenConsumeSlowly", "1"},
    Default{"type", "CUSTOMIZED"},
};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view b) { return text.starts_with(b); });
}

// What brokers make for themselves at each start, so that a file may lack it.
bool is_builtin_topic(std::string_view name) {
  return starts_with_any(name, {"rmq_sys_", "RMQ_SYS_"}) || name == "SELF_TEST_TOPIC" ||
         name == "TBW102" || name == "BenchmarkTest" || name == "OFFSET_MOVED_EVENT" ||
         name == "SCHEDULE_TOPIC_XXXX" || name == "TRANS_CHECK_MAX_TIME_TOPIC" ||
         name.ends_with("_REPLY_TOPIC");
}
bool is_builtin_group(std::string_view name) {
  return starts_with_any(name, {"CID_RMQ_SYS_", "CID_ONS", "CID_SYS_"}) ||
         name == "TOOLS_CONSUMER" || name == "FILTERSRV_CONSUMER" || name == "SELF_TEST_C_GROUP" ||
         name == "SELF_TEST_P_GROUP";
}

std::string_view after(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}
std::string_view first_name(std::string_view path) { return path.substr(0, path.find('.')); }
std::string_view last_name(std::string_view path) { return path.substr(path.rfind('.') + 1); }

// Names of topics that carry the cluster's or the broker's own name: they may be inherited from.
constexpr std::string_view kTopicTable = "topicConfigTable.";
bool is_inherited_topic(std::string_view topic, const Leaves& leaves) {
  const auto perm = leaves.find(std::string(kTopicTable) + std::string(topic) + ".perm");
  return perm != leaves.end() && !perm->second.empty() && (perm->second.back() - '0') % 2 == 1;
}

bool counts(std::string_view path, const Leaves& leaves) {
  if (starts_with_any(path, {"dataVersion", "groupTopicMap"})) return false;
  if (const auto topic = after(path, kTopicTable); !topic.empty())
    return !is_builtin_topic(first_name(topic)) && !is_inherited_topic(first_name(topic), leaves);
  if (const auto group = after(path, "subscriptionGroupTable."); !group.empty())
    return !is_builtin_group(first_name(group));
  return true;
}

// Errors: kCorrupt. A missing file is an empty one.
Result<Leaves> read_leaves(fs::Fs& fs, const std::string& store, std::string_view file) {
  Leaves all;
  const std::string path = store + "/config/" + std::string(file);
  const auto text = fs::read_file(fs, path);
  if (!text && text.error().code() == Errc::kNotFound) return all;
  if (!text) return Error(text.error());
  auto value = parse_json(*text);
  if (!value) return std::move(value).error().within(path);
  for_each_leaf(*value,
                [&](const std::string& name, const std::string& leaf) { all[name] = leaf; });
  Leaves out;
  for (const auto& [name, leaf] : all)
    if (leaf != "{}" && leaf != "[]" && counts(name, all)) out[name] = leaf;
  return out;
}

std::optional<std::string_view> default_of(std::string_view path) {
  for (const Default& d : kDefaults)
    if (d.member == last_name(path)) return d.value;
  return std::nullopt;
}

// The entry of its table that a value belongs to, with the dot: "topicConfigTable.orders.".
std::string entry_of(const std::string& path) {
  const std::size_t table = path.find('.');
  if (table == std::string::npos) return path;
  const std::size_t entry = path.find('.', table + 1);
  return entry == std::string::npos ? path : path.substr(0, entry + 1);
}
bool has_entry(const Leaves& leaves, const std::string& entry) {
  const auto at = leaves.lower_bound(entry);
  return at != leaves.end() && at->first.starts_with(entry);
}

// A member that the other side lacks although it has the entry: then it has the default there.
bool is_default(const std::string& path, const std::string& value, const Leaves& other) {
  return default_of(path) == value && has_entry(other, entry_of(path));
}

}  // namespace

Result<std::int64_t> diff_state(fs::Fs& fs, const std::string& first, const std::string& second,
                                const OnDifference& tell) {
  std::int64_t told = 0;
  for (const std::string_view file : kFiles) {
    MQ_TRY(const Leaves a, read_leaves(fs, first, file));
    MQ_TRY(const Leaves b, read_leaves(fs, second, file));
    Leaves names = a;
    names.insert(b.begin(), b.end());
    for (const auto& [name, value] : names) {
      const auto left = a.find(name);
      const auto right = b.find(name);
      if (left != a.end() && right != b.end() && left->second == right->second) continue;
      if (left == a.end() && is_default(name, right->second, a)) continue;
      if (right == b.end() && is_default(name, left->second, b)) continue;
      ++told;
      tell({.kind = Difference::Kind::kState,
            .topic = std::string(file),
            .name = name,
            .first = left == a.end() ? "" : left->second,
            .second = right == b.end() ? "" : right->second});
    }
  }
  return told;
}

}  // namespace mq::inspect
