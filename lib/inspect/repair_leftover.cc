#include "inspect/repair_leftover.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "format/names.h"

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;

constexpr auto kEntryBytes = static_cast<std::int64_t>(ConsumeQueueEntry::kEncodedBytes);

bool is_number(const std::string& name) {
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  return error == std::errc{} && end == name.data() + name.size();
}

}  // namespace

Result<Leftover> examine_leftover(fs::Fs& fs, const QueueDirectory& queue, std::int64_t file_bytes,
                                  PhysicalOffset log_begin) {
  Leftover out;
  const auto differ = [&](std::string what) {
    if (out.what.empty()) out.what = std::move(what);
  };
  std::int64_t expected = queue.files.front().start;
  for (const QueueFile& file : queue.files) {
    if (file.bytes != file_bytes)
      differ(fmt::format("{} bytes, expected {}", file.bytes, file_bytes));
    if (file.start % file_bytes != 0 || file.start != expected)
      differ(fmt::format("a file at {}, expected {}", file.start, expected));
    expected = file.start + file_bytes;
  }
  std::int64_t end = queue.files.front().start / kEntryBytes;
  MQ_CHECK(walk_queue(
      fs, queue,
      [&](std::int64_t number, const ConsumeQueueEntry& entry) {
        if (number != end) differ(fmt::format("no entry {}, and entries follow", end));
        end = number + 1;
        if (entry.is_filler()) return true;
        if (entry.commitlog_offset >= log_begin) {
          differ(fmt::format("entry {} of a record at {}, where there is none of the queue", number,
                             entry.commitlog_offset.value()));
          return false;
        }
        if (out.last && entry.commitlog_offset <= out.last->entry.commitlog_offset) {
          differ(fmt::format("entry {} is not of a later record than the one before it", number));
          return false;
        }
        out.last = LastEntry{.queue = {}, .number = number, .entry = entry};
        return true;
      },
      [&](const std::string& damage) { differ(damage); }));
  if (!out.last) differ("no entry of a record");
  // Behind the last real entry there may be nothing: neither fillers nor another file (9.2, 16).
  if (out.last &&
      (out.last->number + 1 != end || queue.files.back().start > out.last->number * kEntryBytes))
    differ(fmt::format("ends with entry {}, and something stands behind it", out.last->number));
  return out;
}

Result<std::vector<std::string>> stray_queue_files(fs::Fs& fs, const std::string& store,
                                                   std::int64_t file_bytes) {
  std::vector<std::string> out;
  auto topics = fs.list(store + "/consumequeue");
  if (!topics) return out;
  for (const std::string& topic : *topics) {
    auto ids = fs.list(store + "/consumequeue/" + topic);
    if (!ids) continue;
    for (const std::string& id : *ids) {
      const std::string directory = fmt::format("consumequeue/{}/{}", topic, id);
      auto names = fs.list(store + "/" + directory);
      if (!names || !is_number(id)) continue;
      for (const std::string& name : *names) {
        const std::string path = directory + "/" + name;
        MQ_TRY(const fs::Stat stat, fs.stat(store + "/" + path));
        const auto start = format::parse_stream_file_name(name);
        if (!stat.is_directory && (!start || *start % file_bytes != 0)) out.push_back(path);
      }
    }
  }
  return out;
}

}  // namespace mq::inspect
