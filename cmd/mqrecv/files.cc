#include "files.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/exit.h"
#include "format/inner_batch.h"
#include "format/light_queues.h"
#include "format/message_id.h"
#include "format/properties.h"
#include "inspect/log_reader.h"

namespace mq::mqrecv {
namespace {

// The commit log says it all, also where queues lag behind it or are gone: one walk notes where the
// records of the wanted topics lie (8 bytes each), then they are read in the order of their queue.
class FileSource final : public Source {
 public:
  explicit FileSource(std::unique_ptr<inspect::LogReader> log) : log_(std::move(log)) {}

  Result<std::vector<QueueAt>> queues(const std::string& topic) override {
    if (!seen_.contains(topic)) MQ_CHECK(note_positions(topic));
    std::vector<QueueAt> out;
    for (const auto& [id, positions] : places_[topic]) {
      out.push_back({topic, "", id, positions.first,
                     positions.first + static_cast<std::int64_t>(positions.at.size())});
    }
    if (out.empty())
      return Error{Errc::kNotFound, fmt::format("topic '{}': no message in this store", topic)};
    return out;
  }

  Result<std::int64_t> offset_at(const QueueAt& queue, std::int64_t time_ms) override {
    std::int64_t low = queue.min;
    std::int64_t high = queue.max;
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      const std::int64_t position = position_of(queue, middle);
      std::int64_t time = -1;
      if (position >= 0) {
        MQ_TRY(const auto record, log_->record_at(PhysicalOffset(position)));
        time = record.store_timestamp_ms;
      }
      if (time < time_ms) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  Result<Stretch> read(const QueueAt& queue, std::int64_t offset, std::int64_t end) override {
    constexpr std::size_t kEnough = 1 << 20;
    buffer_.clear();
    while (offset < end && buffer_.size() < kEnough) {
      const QueueOffset at(offset);
      const std::int64_t position = position_of(queue, offset++);
      if (position < 0) continue;
      MQ_TRY(const Bytes bytes, log_->bytes_from(PhysicalOffset(position)));
      MQ_TRY(const auto record, inspect::good_record(bytes, PhysicalOffset(position)));
      buffer_ += as_text(format::as_read_from(
          queue.topic, queue.queue, bytes.first(static_cast<std::size_t>(record.total_bytes)), at,
          unwrapped_));
      if (record.is_batch())
        offset = std::max(offset, record.queue_offset.value() + format::message_count(record));
    }
    return Stretch{as_bytes(buffer_), offset};
  }

  Result<std::vector<client::Found>> find_key(const std::string& topic,
                                              const std::string& key) override {
    return collect([&](const format::Record& record) {
      return record.topic == topic && client::has_key(record, key);
    });
  }
  Result<std::vector<client::Found>> find_id(const std::string& topic,
                                             const std::string& id) override {
    if (auto parsed = format::parse_offset_message_id(id)) {
      if (auto record = log_->record_at(parsed->offset);
          record && record->store_host == parsed->store_host) {
        MQ_TRY(const Bytes bytes, log_->bytes_from(parsed->offset));
        return std::vector<client::Found>{
            {"", std::string(as_text(bytes.first(static_cast<std::size_t>(record->total_bytes))))}};
      }
    }
    return collect([&](const format::Record& record) {
      return (topic.empty() || record.topic == topic) &&
             format::find_property(record.properties, format::kUniqKey) == id;
    });
  }

 private:
  struct Places {
    std::int64_t first = 0;        // queue offset of at[0]
    std::vector<std::int64_t> at;  // physical offsets; -1 where a record is lost
  };

  void tell(const inspect::Finding& finding) const {
    if (finding.damage) cli::say(fmt::format("{}: {}", log_->where(finding.at), finding.what));
  }

  Result<void> note_positions(const std::string& topic) {
    seen_.insert(topic);
    MQ_CHECK(log_->walk(
        log_->begin(), log_->end_of_files(),
        [&](const format::Record& record, Bytes) {
          const QueueId queue = format::is_light(topic) ? format::kLightQueueId : record.queue_id;
          const auto number = format::number_in(record, topic, queue);
          if (!number || !format::has_queue_entry(record.transaction_type())) return true;
          Places& places = places_[topic][queue];
          const std::int64_t offset = number->value();
          const std::int64_t next = places.first + static_cast<std::int64_t>(places.at.size());
          // Numbering that starts anew: the topic was deleted and made again.
          if (places.at.empty() || offset < next) places = {offset, {}};
          const std::int64_t missing =
              offset - places.first - static_cast<std::int64_t>(places.at.size());
          if (missing > 1'000'000) return true;
          places.at.insert(places.at.end(), static_cast<std::size_t>(missing), -1);
          places.at.insert(places.at.end(), static_cast<std::size_t>(format::message_count(record)),
                           record.physical_offset.value());
          return true;
        },
        [&](const inspect::Finding& finding) { tell(finding); }));
    return {};
  }

  [[nodiscard]] std::int64_t position_of(const QueueAt& queue, std::int64_t offset) {
    const Places& places = places_[queue.topic][queue.queue];
    const std::int64_t i = offset - places.first;
    return i < 0 || i >= static_cast<std::int64_t>(places.at.size())
               ? -1
               : places.at[static_cast<std::size_t>(i)];
  }

  Result<std::vector<client::Found>> collect(
      const std::function<bool(const format::Record&)>& wanted) {
    std::vector<client::Found> out;
    MQ_CHECK(log_->walk(
        log_->begin(), log_->end_of_files(),
        [&](const format::Record& record, Bytes bytes) {
          if (wanted(record)) out.push_back({"", std::string(as_text(bytes))});
          return true;
        },
        [&](const inspect::Finding& finding) { tell(finding); }));
    return out;
  }

  std::unique_ptr<inspect::LogReader> log_;
  std::set<std::string> seen_;
  std::map<std::string, std::map<std::int32_t, Places>> places_;
  std::string buffer_;
  std::string unwrapped_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_files(const std::string& directory) {
  MQ_TRY(auto log, inspect::LogReader::open(fs::posix(), directory));
  return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(log)));
}

}  // namespace mq::mqrecv
