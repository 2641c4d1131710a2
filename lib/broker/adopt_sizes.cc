#include <algorithm>

#include <fmt/format.h>

#include "broker/config.h"
#include "format/index_shape.h"
#include "format/light_queues.h"
#include "format/names.h"
#include "format/state_files.h"

namespace mq::broker {
namespace {

using format::IndexShape;

// Size of the first stream file in `dir`, 0 when there is none. A size that no configuration would
// have (torn) does not count; others may still be whole.
std::int64_t stream_file_bytes(fs::Fs& fs, const std::string& dir, std::int64_t unit) {
  auto names = fs.list(dir);
  if (!names) return 0;
  for (const std::string& name : *names) {
    if (!format::parse_stream_file_name(name)) continue;
    auto stat = fs.stat(fmt::format("{}/{}", dir, name));
    if (stat && !stat->is_directory && stat->bytes > 0 && stat->bytes % unit == 0)
      return stat->bytes;
  }
  return 0;
}

// Two files tell the size even when one of them is cut: the second starts where the first ends.
std::int64_t stream_step(fs::Fs& fs, const std::string& dir) {
  auto names = fs.list(dir);
  if (!names) return 0;
  std::int64_t previous = -1;
  for (const std::string& name : *names) {
    const auto start = format::parse_stream_file_name(name);
    if (!start) continue;
    if (previous >= 0) return *start - previous;
    previous = *start;
  }
  return 0;
}

std::int64_t queue_file_bytes(fs::Fs& fs, const std::string& root, std::int64_t entry_bytes) {
  auto topics = fs.list(root);
  if (!topics) return 0;
  for (const std::string& topic : *topics) {
    auto queues = fs.list(fmt::format("{}/{}", root, topic));
    if (!queues) continue;
    for (const std::string& queue : *queues) {
      const std::int64_t bytes =
          stream_file_bytes(fs, fmt::format("{}/{}/{}", root, topic, queue), entry_bytes);
      if (bytes > 0) return bytes;
    }
  }
  return 0;
}

IndexShape index_shape(fs::Fs& fs, const std::string& dir, const IndexShape& standard) {
  auto names = fs.list(dir);
  if (!names) return standard;
  for (const std::string& name : *names) {
    const auto file = fs.open(fmt::format("{}/{}", dir, name), fs::OpenMode::kRead);
    const auto bytes = file ? (*file)->size() : Result<std::int64_t>(0);
    if (!bytes || *bytes < 64) continue;
    if (*bytes == standard.file_bytes()) return standard;
    const auto mapping = (*file)->map(*bytes, fs::MapMode::kRead);
    const auto header = mapping ? format::decode_index_header((*mapping)->bytes())
                                : Result<format::IndexHeader>(Error{Errc::kIo});
    if (!header || header->index_count < 2) continue;
    const IndexShape shape = format::guess_index_shape((*mapping)->bytes(), *header);
    if (shape.slots > 0) return shape;
  }
  return standard;
}

bool has_light_queues(fs::Fs& fs, const std::string& root) {
  const auto topics = fs.list(root + "/consumequeue");
  if (topics && std::any_of(topics->begin(), topics->end(), format::is_light)) return true;
  const auto has = [&](std::string_view name) {
    return fs.exists(fmt::format("{}/config/{}", root, name));
  };
  const auto [plain, with_light_queues] = format::kConsumerOffsetFiles;
  return has(with_light_queues) && !has(plain);
}

}  // namespace

std::vector<std::string> Settings::adopt_store_sizes(fs::Fs& fs) {
  store::StoreOptions& s = config_.store;
  std::vector<std::string> adopted;
  const auto adopt = [&](const char* key, auto& value, auto found, const std::string& text) {
    if (found == value || was_set(key)) return;
    value = found;
    origins_[key] = "the store's files";
    adopted.push_back(fmt::format("{}={}", key, text));
  };
  const auto take = [&](const char* key, auto& value, std::int64_t found) {
    using Value = std::remove_reference_t<decltype(value)>;
    if (found > 0) adopt(key, value, static_cast<Value>(found), std::to_string(found));
  };
  const std::string log_dir = s.commit_log_path.empty() ? s.root + "/commitlog" : s.commit_log_path;
  const std::int64_t step = stream_step(fs, log_dir);
  take("mappedFileSizeCommitLog", s.commit_log_file_bytes,
       step > 0 ? step : stream_file_bytes(fs, log_dir, 1));
  take("mappedFileSizeConsumeQueue", s.consume_queue_file_bytes,
       queue_file_bytes(fs, s.root + "/consumequeue", 20));
  take("mapperFileSizeBatchConsumeQueue", s.batch_queue_file_bytes,
       queue_file_bytes(fs, s.root + "/batchconsumequeue", 46));
  take("mappedFileSizeTimerLog", config_.timer_log_file_bytes,
       stream_file_bytes(fs, s.root + "/timerlog", 1));
  if (!was_set("maxHashSlotNum") && !was_set("maxIndexNum")) {
    const IndexShape shape = index_shape(fs, s.root + "/index", s.index_shape);
    take("maxHashSlotNum", s.index_shape.slots, shape.slots);
    take("maxIndexNum", s.index_shape.entries, shape.entries);
  }
  if (has_light_queues(fs, s.root)) {
    adopt("enableLmq", config_.lmq_enable, true, "true");
    adopt("enableMultiDispatch", config_.multi_dispatch_enable, true, "true");
  }
  return adopted;
}

}  // namespace mq::broker
