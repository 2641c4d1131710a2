#include "inspect/find_message.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "format/message_id.h"
#include "format/properties.h"
#include "inspect/index_lookup.h"
#include "inspect/store_files.h"

namespace mq::inspect {
namespace {

// Digits alone, within the type.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

Result<PhysicalOffset> search_log(fs::Fs& fs, const std::string& store, const WalkOptions& options,
                                  const std::function<bool(const format::Record&)>& wanted,
                                  const std::string& what) {
  std::int64_t at = -1;
  MQ_CHECK(search_parallel(
      fs, store, options, [&](std::size_t, const format::Record& record) { return wanted(record); },
      [&](const format::Record& record, Bytes) {
        at = record.physical_offset.value();
        return false;
      }));
  if (at < 0) return Error{Errc::kNotFound, fmt::format("no message {}", what)};
  return PhysicalOffset(at);
}

// A topic may not contain a slash.
Result<PhysicalOffset> find_in_queue(fs::Fs& fs, LogReader& log, const std::string& store,
                                     const std::string& what, const WalkOptions& options) {
  const std::size_t second = what.rfind('/');
  const std::size_t first = what.rfind('/', second - 1);
  const std::string topic = what.substr(0, first);
  const auto queue =
      parse_number<std::int32_t>(std::string_view(what).substr(first + 1, second - first - 1));
  const auto offset = parse_number<std::int64_t>(std::string_view(what).substr(second + 1));
  if (!queue || !offset || topic.empty())
    return Error{Errc::kInvalid, fmt::format("'{}' is not TOPIC/QUEUE/OFFSET", what)};
  const auto is_it = [&](const format::Record& record) {
    return record.topic == topic && record.queue_id == *queue &&
           record.queue_offset.value() == *offset;
  };
  MQ_TRY(const auto directory, list_queue(fs, store, "consumequeue", topic, *queue));
  if (const auto entry = read_queue_entry(fs, directory, *offset)) {
    const auto record = log.record_at(entry->entry.commitlog_offset);
    if (record && is_it(*record)) return record->physical_offset;
  }
  // The queue may lag behind the log, or be gone.
  return search_log(fs, store, options, is_it, what);
}

// The index knows keys by topic: each topic of the store is tried.
Result<std::optional<PhysicalOffset>> ask_index(fs::Fs& fs, LogReader& log,
                                                const std::string& store, const std::string& id) {
  std::optional<PhysicalOffset> out;
  const auto topics = fs.list(store + "/consumequeue");
  if (!topics) return out;
  MQ_TRY(const auto files, list_index(fs, store));
  for (const IndexInfo& file : files) {
    if (!file.damage.empty()) continue;
    for (const std::string& topic : *topics) {
      MQ_CHECK(find_in_index(fs, file, format::index_key_hash(topic, id), [&](const IndexHit& hit) {
        const auto record = log.record_at(hit.entry.commitlog_offset);
        if (record && format::find_property(record->properties, format::kUniqKey) == id &&
            (!out || record->physical_offset < *out))
          out = record->physical_offset;
        return true;
      }));
    }
  }
  return out;
}

Result<PhysicalOffset> find_by_id(fs::Fs& fs, LogReader& log, const std::string& store,
                                  const std::string& id, const WalkOptions& options) {
  if (const auto parsed = format::parse_offset_message_id(id)) {
    const auto record = log.record_at(parsed->offset);
    if (record && record->store_host == parsed->store_host) return parsed->offset;
  }
  MQ_TRY(const auto known, ask_index(fs, log, store, id));
  if (known) return *known;
  return search_log(
      fs, store, options,
      [&](const format::Record& record) {
        return format::find_property(record.properties, format::kUniqKey) == id;
      },
      "with id " + id);
}

}  // namespace

Result<PhysicalOffset> find_message(fs::Fs& fs, LogReader& log, const std::string& store,
                                    const std::string& what, const WalkOptions& options) {
  if (what.starts_with('@')) {
    const auto at = parse_number<std::int64_t>(std::string_view(what).substr(1));
    if (!at) return Error{Errc::kInvalid, fmt::format("'{}': expected @PHYSICAL-OFFSET", what)};
    return PhysicalOffset(*at);
  }
  if (std::count(what.begin(), what.end(), '/') >= 2)
    return find_in_queue(fs, log, store, what, options);
  return find_by_id(fs, log, store, what, options);
}

}  // namespace mq::inspect
