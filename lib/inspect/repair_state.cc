#include "inspect/repair_state.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/state_files.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

constexpr std::int64_t kStateBytesMax = 256 << 20;
constexpr std::int64_t kTimerWheelBytes = 38'707'200;
constexpr std::string_view kBak = ".bak";
constexpr std::string_view kTopics = "topics.json";

// Why a broker could not read that text; "" if it can.
std::string why_unreadable(std::string_view name, const std::string& text) {
  const auto why = [](const auto& parsed) {
    return parsed ? std::string() : parsed.error().text();
  };
  if (text.empty()) return "empty";
  const auto value = parse_json(text);
  if (!value) return value.error().text();
  if (!value->is_object()) return "no JSON object";
  if (name == kTopics) return why(format::parse_topics_json(text));
  if (name == "subscriptionGroup.json") return why(format::parse_subscription_group_json(text));
  if (format::is_consumer_offset_file(name)) return why(format::parse_consumer_offset_json(text));
  if (name == "delayOffset.json") return why(format::parse_delay_offset_json(text));
  return {};
}

// `table` with the topics that it lacks.
std::string complete_topics(format::TopicTable table, const QueueRanges& queues,
                            std::int64_t now_ms) {
  table.version.bump(now_ms);
  std::set<std::string> had;
  for (const auto& [name, topic] : table.topics) had.insert(name);
  for (const auto& [queue, range] : queues) {
    if (is_system_topic(queue.topic) || had.contains(queue.topic)) continue;
    format::TopicConfig& topic = table.topics[queue.topic];
    topic.name = queue.topic;
    topic.read_queues = topic.write_queues = queue.id + 1;  // ids go up
  }
  return format::to_topics_json(table);
}

// What is left of JSON that was cut short: all up to the last member that is whole, with its
// brackets closed. "" if that is nothing.
std::string close_json(std::string_view text) {
  std::string open;  // the brackets that are to be closed
  std::size_t whole = 0;
  std::string whole_open;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    in_string = c == '"';
    if (c == '{' || c == '[') open += c == '{' ? '}' : ']';
    if ((c == '}' || c == ']') && (open.empty() || open.back() != c)) return {};
    if (c == '}' || c == ']') open.pop_back();
    if (c == '{' || c == '[' || c == ',') whole = c == ',' ? i : i + 1, whole_open = open;
  }
  std::string out(text.substr(0, whole));
  out.append(whole_open.rbegin(), whole_open.rend());
  return out;
}

// The file, or its backup if it cannot be read.
template <typename Parse>
auto read_either(fs::Fs& fs, const std::string& path, Parse&& parse) {
  auto out = parse(std::string_view("0"));
  for (const std::string& each : {path, path + std::string(kBak)}) {
    const auto text = fs::read_file(fs, each, kStateBytesMax);
    if (!text || text->empty()) continue;
    out = parse(std::string_view(*text));
    if (out) break;
  }
  return out;
}

class StateFiles {
 public:
  StateFiles(fs::Fs& fs, const std::string& store, const QueueRanges& queues, std::int64_t now_ms)
      : fs_(fs), store_(store), queues_(queues), now_ms_(now_ms) {}

  Result<std::vector<StateWork>> look() {
    auto names = fs_.list(store_ + "/config");
    if (!names && names.error().code() != Errc::kNotFound) return std::move(names).error();
    bool has_topics = false;
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      if (name.ends_with(".json")) {
        has_topics |= name == kTopics;
        MQ_CHECK(look_at(name));
      } else if (name.ends_with(".json.bak") &&
                 std::find(names->begin(), names->end(), name.substr(0, name.size() - 4)) ==
                     names->end()) {
        MQ_CHECK(restore(name.substr(0, name.size() - kBak.size()), "is missing"));
        has_topics |= name == std::string(kTopics) + std::string(kBak);
      }
    }
    if (!has_topics && !queues_.empty()) MQ_CHECK(restore(std::string(kTopics), "is missing"));
    for (const std::string_view name : format::kConsumerOffsetFiles)
      clamp_consumers(std::string(name));
    clamp_delays();
    MQ_CHECK(clamp_timer());
    MQ_CHECK(look_at_wheel());
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::int64_t max_of(const QueueKey& queue) const {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? 0 : found->second.second;
  }
  Result<std::string> read(const std::string& name) {
    return fs::read_file(fs_, store_ + "/config/" + name, kStateBytesMax);
  }
  StateWork& add(const std::string& name, std::string content, std::string what) {
    out_.push_back({.kind = StateWork::Kind::kReplace,
                    .path = "config/" + name,
                    .content = std::move(content),
                    .what = std::move(what)});
    return out_.back();
  }

  Result<void> look_at(const std::string& name) {
    MQ_TRY(std::string text, read(name));
    if (const std::string why = why_unreadable(name, text); !why.empty())
      return restore(name, "cannot be read (" + why + ")");
    good_[name] = std::move(text);
    // A broker looks at the backup only when it needs it, and then does not start if it is broken.
    const auto backup = read(name + std::string(kBak));
    if (backup && !backup->empty() && !why_unreadable(name, *backup).empty()) {
      add(name + std::string(kBak), good_[name],
          "cannot be read; replaced by a copy of the file that it backs up");
    }
    return {};
  }

  Result<void> restore(const std::string& name, const std::string& what) {
    const auto backup = read(name + std::string(kBak));
    if (backup && why_unreadable(name, *backup).empty()) {
      add(name, *backup, what + "; restored from its .bak").is_damage = what != "is missing";
      good_[name] = *backup;
      return {};
    }
    const auto there = read(name);
    std::string left = there ? close_json(*there) : std::string();
    if (!why_unreadable(name, left).empty()) left.clear();
    if (name == kTopics) {
      auto table = format::parse_topics_json(left);
      good_[name] =
          complete_topics(table ? *std::move(table) : format::TopicTable(), queues_, now_ms_);
      add(name, good_[name],
          what +
              ", and there is no backup: topics and numbers of queues are taken from the log, "
              "permissions and attributes are lost")
          .is_loss = true;
    } else if (!left.empty()) {
      good_[name] = left;
      add(name, left, what + ", and there is no backup: what is left of it is kept").is_loss = true;
    } else if (there) {
      out_.push_back({.kind = StateWork::Kind::kPutAside,
                      .path = "config/" + name,
                      .what = what + ", and there is no backup: a broker starts without it",
                      .is_loss = true});
    }
    if (backup && (!backup->empty() || name != kTopics)) {
      out_.push_back({.kind = StateWork::Kind::kPutAside,
                      .path = "config/" + name + std::string(kBak),
                      .what = "cannot be read either"});
    }
    return {};
  }

  // Replaces what was to be written already, or adds it.
  void change(const std::string& name, std::string content, std::string what) {
    const auto there = std::find_if(out_.begin(), out_.end(), [&](const StateWork& work) {
      return work.path == "config/" + name;
    });
    if (there == out_.end()) {
      add(name, std::move(content), std::move(what));
    } else {
      there->content = std::move(content);
      there->what += "; " + what;
    }
  }

  void clamp_consumers(const std::string& name) {
    const auto text = good_.find(name);
    if (text == good_.end()) return;
    auto table = format::parse_consumer_offset_json(text->second);
    if (!table) return;
    std::string what;
    std::size_t count = 0;
    for (auto& [key, offsets] : table->offsets) {
      const std::string topic = key.substr(0, key.find('@'));
      for (auto& [id, offset] : offsets) {
        const std::int64_t right = std::clamp<std::int64_t>(offset, 0, max_of({topic, id}));
        if (right == offset) continue;
        if (++count <= 3)
          what +=
              fmt::format("{}{} queue {}: {} to {}", count > 1 ? ", " : "", key, id, offset, right);
        offset = right;
      }
    }
    if (count == 0) return;
    if (count > 3) what += fmt::format(" and {} more", count - 3);
    table->version.bump(now_ms_);
    change(name, format::to_consumer_offset_json(*table), "offsets behind their queues: " + what);
  }

  void clamp_delays() {
    const std::string name = "delayOffset.json";
    const auto text = good_.find(name);
    if (text == good_.end()) return;
    auto table = format::parse_delay_offset_json(text->second);
    if (!table) return;
    std::string what;
    for (auto& [level, offset] : table->offsets) {
      const std::int64_t right = std::clamp<std::int64_t>(
          offset, 0, max_of({std::string(format::kScheduleTopic), level - 1}));
      if (right == offset) continue;
      what += fmt::format("{}level {}: {} to {}", what.empty() ? "" : ", ", level, offset, right);
      offset = right;
    }
    if (what.empty()) return;
    table->version.bump(now_ms_);
    change(name, format::to_delay_offset_json(*table), "offsets behind their queues: " + what);
  }

  // Offsets of the timer's own queue, at 16 and 24 (11.5).
  Result<void> clamp_timer() {
    auto raw = read("timercheck");
    if (!raw || raw->size() < 32) return {};
    const std::int64_t max = max_of({"rmq_sys_wheel_timer", 0});
    std::string content = *raw;
    std::string what;
    for (const std::size_t at : {16, 24}) {
      auto* const field = reinterpret_cast<std::byte*>(content.data() + at);
      const auto offset = load_be<std::int64_t>(field);
      if (offset <= max) continue;
      store_be(field, max);
      what += fmt::format("{}offset {} to {}", what.empty() ? "" : ", ", offset, max);
    }
    if (!what.empty()) add("timercheck", std::move(content), "behind its queue: " + what);
    return {};
  }

  // A wheel of another length keeps a stock broker from starting. Without one it begins anew from
  // the timer log.
  Result<void> look_at_wheel() {
    auto stat = fs_.stat(store_ + "/timerwheel");
    if (!stat || stat->bytes == 0 || stat->bytes == kTimerWheelBytes) return {};
    out_.push_back({.kind = StateWork::Kind::kPutAside,
                    .path = "timerwheel",
                    .what = fmt::format("{} bytes, expected {}: a broker makes it anew from the "
                                        "timer log",
                                        stat->bytes, kTimerWheelBytes),
                    .is_loss = true});
    return {};
  }

  fs::Fs& fs_;
  const std::string& store_;
  const QueueRanges& queues_;
  const std::int64_t now_ms_;
  std::map<std::string, std::string> good_;  // state files as they are or will be
  std::vector<StateWork> out_;
};

}  // namespace

std::map<QueueKey, std::int64_t> highest_committed(fs::Fs& fs, const std::string& store) {
  std::map<QueueKey, std::int64_t> out;
  const auto topics = read_either(fs, store + "/config/topics.json", format::parse_topics_json);
  for (const std::string_view name : format::kConsumerOffsetFiles) {
    const auto offsets = read_either(fs, fmt::format("{}/config/{}", store, name),
                                     format::parse_consumer_offset_json);
    if (!offsets) continue;
    for (const auto& [key, queues] : offsets->offsets) {
      const std::string topic = key.substr(0, key.find('@'));
      if (!is_directory_name(topic)) continue;
      if (topics && !topics->topics.contains(topic) && !format::is_light(topic)) continue;
      for (const auto& [id, offset] : queues) {
        std::int64_t& highest = out[{topic, id}];
        highest = std::max(highest, offset);
      }
    }
  }
  return out;
}

Result<std::vector<StateWork>> state_work(fs::Fs& fs, const std::string& store,
                                          const QueueRanges& queues, std::int64_t now_ms) {
  return StateFiles(fs, store, queues, now_ms).look();
}

Result<std::vector<StateWork>> mark_work(fs::Fs& fs, const std::string& store,
                                         const Vouched& vouched, bool is_changed) {
  std::vector<StateWork> out;
  const bool crashed = fs.exists(store + "/abort");
  format::Checkpoint c;
  std::string what;
  const auto raw = fs::read_file(fs, store + "/checkpoint", 1 << 20);
  if (!raw) {
    what = "is missing";
  } else if (const auto decoded = format::decode_checkpoint(as_bytes(*raw)); !decoded) {
    what = decoded.error().text();
  } else {
    c = *decoded;
    const auto [oldest, newest] =
        std::minmax({c.physic_timestamp_ms, c.logics_timestamp_ms, c.index_timestamp_ms});
    if (raw->size() != format::Checkpoint::kEncodedBytes) {
      what = fmt::format("{} bytes, expected {}", raw->size(), format::Checkpoint::kEncodedBytes);
    } else if (newest > vouched.last_store_timestamp_ms) {
      what = fmt::format("{} is later than the last record, of {}", newest,
                         vouched.last_store_timestamp_ms);
    } else if (oldest < 0) {
      what = fmt::format("{} is no time", oldest);
    } else if (newest <= 0 && vouched.last_store_timestamp_ms > 0) {
      what = "says nothing";
    }
  }
  if (!what.empty() || is_changed || crashed) {
    const bool is_damage = !what.empty();
    c.physic_timestamp_ms = c.logics_timestamp_ms = vouched.last_store_timestamp_ms;
    c.index_timestamp_ms = vouched.index_sealed_ms;
    c.master_flushed_offset = std::clamp(c.master_flushed_offset, PhysicalOffset(0), vouched.end);
    c.confirm_offset = std::max(vouched.last_record, PhysicalOffset(0));
    std::string content(format::Checkpoint::kEncodedBytes, '\0');
    format::encode(c, std::span<std::byte, format::Checkpoint::kEncodedBytes>(
                          reinterpret_cast<std::byte*>(content.data()), content.size()));
    out.push_back({.kind = StateWork::Kind::kReplace,
                   .path = "checkpoint",
                   .content = std::move(content),
                   .what = is_damage ? what : std::string("set to the end of the log"),
                   .is_damage = is_damage});
  }
  if (crashed) {
    out.push_back({.kind = StateWork::Kind::kPutAside,
                   .path = "abort",
                   .what = "the store was not closed properly; it is whole then",
                   .is_damage = false});
  }
  return out;
}

Result<void> write_state(fs::Fs& fs, const std::vector<StateWork>& work, StoreChange& change) {
  for (const StateWork& file : work) {
    if (file.kind == StateWork::Kind::kPutAside) {
      change.put_aside(file.path);
      continue;
    }
    const std::string path = change.area() + "/" + file.path;
    const std::string directory = path.substr(0, path.rfind('/'));
    MQ_CHECK(fs.make_directories(directory));
    MQ_TRY(const auto out, fs.open(path, fs::OpenMode::kCreate));
    MQ_CHECK(out->truncate(0));
    MQ_CHECK(out->write_at(0, as_bytes(file.content)));
    MQ_CHECK(out->sync());
    MQ_CHECK(fs.sync_directory(directory));
    change.replace(file.path);
  }
  return {};
}

}  // namespace mq::inspect
