#include "inspect/store_files.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "format/index_shape.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "inspect/page_cache.h"

namespace mq::inspect {
namespace {

using format::ConsumeQueueEntry;
using format::IndexShape;

constexpr std::int64_t kEntryBytes = ConsumeQueueEntry::kEncodedBytes;

}  // namespace

bool is_system_topic(std::string_view topic) {
  constexpr std::array<std::string_view, 5> kNames = {"TBW102", "SELF_TEST_TOPIC", "BenchmarkTest",
                                                      "OFFSET_MOVED_EVENT", format::kScheduleTopic};
  return topic.starts_with(format::kSystemTopicPrefix) || topic.starts_with("RMQ_SYS_") ||
         format::is_light(topic) || topic.ends_with("_REPLY_TOPIC") ||
         std::find(kNames.begin(), kNames.end(), topic) != kNames.end();
}

Result<QueueDirectory> list_queue(fs::Fs& fs, const std::string& store, std::string_view kind,
                                  std::string_view topic, std::int32_t queue) {
  QueueDirectory out{.topic = std::string(topic), .queue = queue, .files = {}};
  const std::string directory = fmt::format("{}/{}/{}/{}", store, kind, topic, queue);
  auto names = fs.list(directory);
  if (!names) return out;
  for (const std::string& name : *names) {
    const auto start = format::parse_stream_file_name(name);
    if (!start) continue;
    const std::string path = directory + "/" + name;
    auto stat = fs.stat(path);
    if (!stat && stat.error().code() == Errc::kNotFound) continue;  // deleted a moment ago
    if (!stat) return std::move(stat).error();
    out.files.push_back({path, *start, stat->bytes});
  }
  return out;
}

Result<std::vector<QueueDirectory>> list_queues(fs::Fs& fs, const std::string& store,
                                                std::string_view kind) {
  std::vector<QueueDirectory> out;
  const std::string root = fmt::format("{}/{}", store, kind);
  auto topics = fs.list(root);
  if (!topics) return out;
  for (const std::string& topic : *topics) {
    auto ids = fs.list(root + "/" + topic);
    if (!ids) continue;
    for (const std::string& id : *ids) {
      std::int32_t number = 0;
      const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
      if (error != std::errc{} || end != id.data() + id.size()) continue;
      MQ_TRY(QueueDirectory queue, list_queue(fs, store, kind, topic, number));
      if (!queue.files.empty()) out.push_back(std::move(queue));
    }
  }
  std::sort(out.begin(), out.end(), [](const QueueDirectory& a, const QueueDirectory& b) {
    return std::tie(a.topic, a.queue) < std::tie(b.topic, b.queue);
  });
  return out;
}

Result<QueueEntryAt> read_queue_entry(fs::Fs& fs, const QueueDirectory& queue,
                                      std::int64_t offset) {
  constexpr std::int64_t kOffsetMax = INT64_MAX / kEntryBytes - 1;
  for (const QueueFile& file : queue.files) {
    if (offset < 0 || offset > kOffsetMax) break;
    const std::int64_t position = offset * kEntryBytes - file.start;
    if (position < 0 || position + kEntryBytes > file.bytes) continue;
    MQ_TRY(const auto in, fs.open(file.path, fs::OpenMode::kRead));
    std::array<std::byte, kEntryBytes> raw{};
    MQ_TRY(const std::size_t got, in->read_at(position, raw));
    auto entry = format::decode_consume_queue_entry(Bytes(raw).first(got));
    if (!entry)
      return std::move(entry).error().within(fmt::format("{} at {}", file.path, position));
    return QueueEntryAt{file.path, position, *entry};
  }
  return Error{Errc::kNotFound,
               fmt::format("no entry {} in queue {}/{}", offset, queue.topic, queue.queue)};
}

namespace {

// The first of [low, high) for which `holds` is true, when it is false up to there and true behind.
template <typename Holds>
Result<std::int64_t> first_where(std::int64_t low, std::int64_t high, const Holds& holds) {
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    MQ_TRY(const bool there, holds(middle));
    if (there) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

Result<QueueBounds> queue_bounds(fs::Fs& fs, const QueueDirectory& queue) {
  QueueBounds out;
  if (queue.files.empty()) return out;
  std::array<std::byte, kEntryBytes> raw{};
  // The newest file with an entry holds the end, the oldest the beginning.
  for (std::size_t i = queue.files.size(); i-- > 0;) {
    const QueueFile& file = queue.files[i];
    auto opened = fs.open(file.path, fs::OpenMode::kRead);
    if (!opened && opened.error().code() == Errc::kNotFound) continue;
    if (!opened) return std::move(opened).error();
    const auto entry_at = [&](std::int64_t number) -> Result<format::ConsumeQueueEntry> {
      MQ_TRY(const std::size_t got, (*opened)->read_at(number * kEntryBytes, raw));
      return format::decode_consume_queue_entry(Bytes(raw).first(got));
    };
    const std::int64_t count = file.bytes / kEntryBytes;
    MQ_TRY(const std::int64_t written,
           first_where(0, count, [&](std::int64_t n) -> Result<bool> { return !entry_at(n); }));
    MQ_TRY(const std::int64_t real, first_where(0, written, [&](std::int64_t n) -> Result<bool> {
             const auto entry = entry_at(n);
             return entry && !entry->is_filler();
           }));
    if (written > 0 && out.max == 0) {
      out.min = out.max = file.start / kEntryBytes + written;
      if (real < written) out.last_end = entry_at(written - 1)->end().value();
    }
    if (real >= written) continue;
    out.min = file.start / kEntryBytes + real;
    out.first_at = entry_at(real)->commitlog_offset.value();
  }
  return out;
}

Result<void> walk_queue(fs::Fs& fs, const QueueDirectory& queue,
                        const std::function<bool(std::int64_t, const ConsumeQueueEntry&)>& visit,
                        const DamageNote& note) {
  const auto tell = [&](const QueueFile& file, std::int64_t at, const std::string& what) {
    if (note) note(fmt::format("{} at {}: {}", file.path, at, what));
  };
  std::vector<std::byte> block(kEntryBytes * 3200);
  std::int64_t expected = queue.files.empty() ? 0 : queue.files.front().start;
  for (const QueueFile& file : queue.files) {
    if (file.start != expected) tell(file, 0, "the file before it is missing or short");
    expected = file.start + file.bytes;
    auto opened = fs.open(file.path, fs::OpenMode::kRead);
    if (!opened && opened.error().code() == Errc::kNotFound)
      continue;  // deleted since it was listed
    if (!opened) return std::move(opened).error();
    const auto& in = *opened;
    const PageCacheGuard guard(*in);
    for (std::int64_t at = 0; at < file.bytes;) {
      MQ_TRY(const std::size_t got, in->read_at(at, block));
      for (std::size_t i = 0; i + kEntryBytes <= got; i += kEntryBytes) {
        const auto entry = format::decode_consume_queue_entry(Bytes(block).subspan(i, kEntryBytes));
        const std::int64_t position = at + static_cast<std::int64_t>(i);
        if (!entry && entry.error().code() == Errc::kNotFound) return {};
        if (!entry) {
          tell(file, position, entry.error().text());
        } else if (!visit((file.start + position) / kEntryBytes, *entry)) {
          return {};
        }
      }
      const auto whole = static_cast<std::int64_t>(got) / kEntryBytes * kEntryBytes;
      if (whole != static_cast<std::int64_t>(got)) {
        tell(file, at + whole, fmt::format("{} bytes, no whole entry", file.bytes - at - whole));
        break;
      }
      if (whole == 0) break;  // it became shorter while we read
      at += whole;
    }
  }
  return {};
}

namespace {

void read_index_head(Bytes file, IndexInfo& info) {
  const auto header = format::decode_index_header(file);
  if (!header) {
    info.damage = fmt::format("{} at 0: {}", info.path, header.error().text());
    return;
  }
  info.header = *header;
  if (info.bytes != IndexShape().file_bytes())
    info.shape = format::guess_index_shape(file, *header);
  if (info.shape.slots == 0 || header->index_count > info.shape.entries) {
    info.damage =
        fmt::format("{}: {} bytes with {} entries, and no number of slots makes sense of it",
                    info.path, info.bytes, header->index_count);
  }
}

}  // namespace

Result<IndexInfo> read_index(fs::Fs& fs, const std::string& path) {
  MQ_TRY(const auto file, fs.open(path, fs::OpenMode::kRead));
  MQ_TRY(const std::int64_t bytes, file->size());
  IndexInfo info{.path = path, .bytes = bytes, .header = {}, .shape = {}, .damage = {}};
  if (bytes < static_cast<std::int64_t>(format::IndexHeader::kEncodedBytes)) {
    info.damage = fmt::format("{}: {} bytes, an index file has 40 and more", path, bytes);
  } else {
    MQ_TRY(const auto mapping, file->map(bytes, fs::MapMode::kRead));
    read_index_head(mapping->bytes(), info);
  }
  return info;
}

Result<std::vector<IndexInfo>> list_index(fs::Fs& fs, const std::string& store) {
  std::vector<IndexInfo> out;
  auto names = fs.list(store + "/index");
  if (!names) return out;
  for (const std::string& name : *names) {
    auto info = read_index(fs, store + "/index/" + name);
    if (!info && info.error().code() == Errc::kNotFound) continue;  // deleted a moment ago
    if (!info) return std::move(info).error();
    out.push_back(*std::move(info));
  }
  return out;
}

Result<void> walk_index(fs::Fs& fs, const IndexInfo& index,
                        const std::function<bool(std::int32_t, const format::IndexEntry&)>& visit,
                        const DamageNote& note) {
  if (!index.damage.empty()) return Error{Errc::kCorrupt, index.damage};
  MQ_TRY(const auto file, fs.open(index.path, fs::OpenMode::kRead));
  const PageCacheGuard guard(*file);
  MQ_TRY(const auto mapping, file->map(index.bytes, fs::MapMode::kRead));
  const Bytes all = mapping->bytes();
  for (std::int32_t i = 1; i < std::min(index.header.index_count, index.shape.entries); ++i) {
    const auto entry = format::decode_index_entry(
        all.subspan(static_cast<std::size_t>(index.shape.entry_at(i)), 20));
    if (!entry) {
      if (note) note(fmt::format("{} entry {}: {}", index.path, i, entry.error().text()));
    } else if (!visit(i, *entry)) {
      return {};
    }
  }
  if (mapping->faulted())
    return Error{Errc::kIo, index.path + ": the device failed while it was read"};
  return {};
}

Result<format::Checkpoint> read_checkpoint(fs::Fs& fs, const std::string& store) {
  MQ_TRY(const std::string raw, fs::read_file(fs, store + "/checkpoint", 1 << 20));
  auto out = format::decode_checkpoint(as_bytes(raw));
  // More bytes will not come: the file is what it is.
  if (!out) return Error{Errc::kCorrupt, store + "/checkpoint: " + out.error().text()};
  return out;
}

Result<std::vector<StateFile>> read_state_files(fs::Fs& fs, const std::string& store) {
  std::vector<StateFile> out;
  auto names = fs.list(store + "/config");
  if (!names) return out;
  for (const std::string& name : *names) {
    if (!name.ends_with(".json") && name != "timermetrics" && name != "transactionMetrics")
      continue;
    MQ_TRY(std::string text, fs::read_file(fs, store + "/config/" + name));
    out.push_back({name, std::move(text)});
  }
  return out;
}

}  // namespace mq::inspect
