// Consume queues as they follow from the records of a log (store-format.md 4): the order of the
// entries, and where the bytes go. Entries are collected a queue at a time and handed on in large
// pieces, so that thousands of queues cost neither memory nor descriptors. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "format/consume_queue_entry.h"
#include "fs/fs.h"
#include "inspect/rebuild_numbers.h"

namespace mq::inspect {

struct QueueKey {
  std::string topic;
  QueueId id = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): nothing here is written out
  friend auto operator<=>(const QueueKey&, const QueueKey&) = default;
};
// "topic/0".
[[nodiscard]] std::string to_string(const QueueKey& key);
// May it be a directory's name? What stands in a record is not always one.
[[nodiscard]] bool is_directory_name(std::string_view topic);

// Where entries go.
class QueueSink {
 public:
  virtual ~QueueSink() = default;
  // The queue begins with that number; entries follow. A second time for a queue that begins anew:
  // what was written of it before does not count.
  virtual Result<void> start(const QueueKey& queue, std::int64_t number) = 0;
  // Entries of 20 bytes, each piece right behind the one before.
  virtual Result<void> write(const QueueKey& queue, std::int64_t number, Bytes entries) = 0;
  // Nothing more comes for any queue.
  virtual Result<void> finish() = 0;
};

// Writes files of `file_bytes` below `root` (as consumequeue/): full length, holes behind the end,
// fillers in front of a first entry that does not begin a file (4.3). Durable after finish().
class QueueFileSink final : public QueueSink {
 public:
  QueueFileSink(fs::Fs& fs, std::string root, std::int64_t file_bytes)
      : fs_(fs), root_(std::move(root)), file_bytes_(file_bytes) {}
  Result<void> start(const QueueKey& queue, std::int64_t number) override;
  Result<void> write(const QueueKey& queue, std::int64_t number, Bytes entries) override;
  Result<void> finish() override;

 private:
  [[nodiscard]] std::string directory(const QueueKey& queue) const;
  Result<void> write_in_file(const std::string& path, std::int64_t position, Bytes entries);

  fs::Fs& fs_;
  const std::string root_;
  const std::int64_t file_bytes_;
  std::vector<std::string> made_;  // files to sync at the end
};

class QueueBuilder {
 public:
  struct Options {
    bool log_begins_at_zero = false;
    std::size_t buffer_bytes = 32 << 20;  // of all queues together
  };
  // What the numbers of a queue said that is out of the ordinary.
  struct Odd {
    QueueKey queue;
    QueueNumbering::Placed placed;
    PhysicalOffset after{};  // end of the queue's record before it
  };
  // Are so many records missing between two positions of the log because of damage there? The queue
  // is the one that misses them.
  using Explained = std::function<bool(const QueueKey&, std::int64_t first_number,
                                       std::int64_t count, PhysicalOffset from, PhysicalOffset to)>;
  using Note = std::function<void(const Odd&)>;
  // What an older queue said of the number of the record there.
  using Known = std::function<std::optional<std::int64_t>(const QueueKey&, PhysicalOffset)>;
  struct Hooks {
    Explained is_explained = {};
    Note note = {};
    Known known = {};
  };

  QueueBuilder(QueueSink& sink, const Options& options, Hooks hooks)
      : sink_(sink), options_(options), hooks_(std::move(hooks)) {}

  // The entry of a record, in log order.
  Result<void> add(std::string_view topic, QueueId id, std::int64_t number,
                   const format::ConsumeQueueEntry& entry);
  Result<void> finish();
  // Number that the queue's next record should have; -1 while nothing is known of it.
  [[nodiscard]] std::int64_t next_number(std::string_view topic, QueueId id) const;

  // Of a queue that has entries: [first, end).
  struct Range {
    QueueKey queue;
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::int64_t records = 0;   // numbers without one not counted
    PhysicalOffset first_at{};  // its first record
    PhysicalOffset last_end{};  // end of its last record
  };
  [[nodiscard]] std::vector<Range> ranges() const;  // sorted

 private:
  struct Queue {
    Queue(QueueKey k, bool at_zero) : key(std::move(k)), numbering(at_zero) {}
    QueueKey key;
    QueueNumbering numbering;
    std::int64_t first = -1;
    std::int64_t end = 0;
    std::int64_t records = 0;
    PhysicalOffset first_at{-1};
    PhysicalOffset last_end{-1};
    std::vector<std::byte> buffer;  // entries [end - buffer/20, end)
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  Queue& find(std::string_view topic, QueueId id);
  Result<void> place(Queue& queue, const QueueNumbering::Placed& placed);
  Result<void> push(Queue& queue, const format::ConsumeQueueEntry& entry);
  Result<void> fill_gap(Queue& queue, std::int64_t missing, const format::ConsumeQueueEntry& next);
  Result<void> flush(Queue& queue);
  Result<void> flush_all();

  QueueSink& sink_;
  const Options options_;
  const Hooks hooks_;
  std::unordered_map<std::string, std::unordered_map<QueueId, std::unique_ptr<Queue>>, Hash,
                     std::equal_to<>>
      queues_;
  Queue* last_ = nullptr;
  std::size_t buffered_ = 0;
};

}  // namespace mq::inspect
