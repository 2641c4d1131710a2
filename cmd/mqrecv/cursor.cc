#include "cursor.h"

#include <fmt/format.h>

#include "base/json.h"
#include "fs/fs.h"

namespace mq::mqrecv {

Result<Cursor> Cursor::open(std::string path) {
  Cursor out(std::move(path));
  auto text = fs::read_file(fs::posix(), out.path_, 64 << 20);
  if (!text) {
    if (text.error().code() == Errc::kNotFound) return out;
    return std::move(text).error();
  }
  const auto wrong = [&](std::string_view why) {
    return Error{Errc::kCorrupt,
                 fmt::format("{}: {}; it is no cursor file of mqrecv, or damaged", out.path_, why)};
  };
  auto value = parse_json(*text);
  if (!value) return wrong(value.error().text());
  const json::value* queues = member(*value, "queues");
  if (int_or(member(*value, "v"), 0) != 1 || queues == nullptr || !queues->is_array())
    return wrong("no {\"v\":1,\"queues\":[...]}");
  for (const json::value& queue : queues->get_array()) {
    const std::int64_t id = int_or(member(queue, "queue"), -1);
    const std::int64_t next = int_or(member(queue, "next"), -1);
    if (id < 0 || id > INT32_MAX || next < 0) return wrong("a queue without number or position");
    out.next_[{string_or(member(queue, "topic"), ""), string_or(member(queue, "broker"), ""),
               static_cast<std::int32_t>(id)}] = next;
  }
  return out;
}

std::optional<std::int64_t> Cursor::next(const std::string& topic, const std::string& broker,
                                         std::int32_t queue) const {
  const auto at = next_.find(Key{topic, broker, queue});
  return at == next_.end() ? std::nullopt : std::optional(at->second);
}

void Cursor::set(const std::string& topic, const std::string& broker, std::int32_t queue,
                 std::int64_t next) {
  std::int64_t& kept = next_.try_emplace(Key{topic, broker, queue}, -1).first->second;
  if (kept == next) return;
  kept = next;
  dirty_ = true;
}

Result<void> Cursor::save() {
  if (!dirty_) return {};
  json::array queues;
  for (const auto& [key, next] : next_) {
    queues.push_back(json::object{{"topic", std::get<0>(key)},
                                  {"broker", std::get<1>(key)},
                                  {"queue", std::get<2>(key)},
                                  {"next", next}});
  }
  const std::string text = to_json(json::object{{"v", 1}, {"queues", std::move(queues)}}) + "\n";
  MQ_CHECK(fs::write_file_atomically(fs::posix(), path_, text, false));
  dirty_ = false;
  return {};
}

}  // namespace mq::mqrecv
