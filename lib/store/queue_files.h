// The files of all consume queues: the one place that opens, writes, syncs and deletes them. Keeps
// at most so many open; thousands of queues do not fit the descriptor limit.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "fs/fs.h"
#include "store/consume_queue.h"

namespace mq::store {

// A queue's directory is named by its id; nothing for any other name.
[[nodiscard]] std::optional<QueueId> parse_queue_id(std::string_view name) noexcept;
// Files hold whole entries: the next multiple.
[[nodiscard]] constexpr std::int64_t whole_entries(std::int64_t file_bytes,
                                                   std::int64_t entry_bytes) noexcept {
  return (file_bytes + entry_bytes - 1) / entry_bytes * entry_bytes;
}

class QueueFiles {
 public:
  using FilePtr = std::shared_ptr<fs::File>;

  QueueFiles(fs::Fs& fs, std::string root, std::int64_t file_bytes, int open_max)
      : fs_(fs), root_(std::move(root)), file_bytes_(file_bytes), open_max_(open_max) {}

  [[nodiscard]] fs::Fs& fs() noexcept { return fs_; }
  [[nodiscard]] const std::string& root() const noexcept { return root_; }
  [[nodiscard]] std::int64_t file_bytes() const noexcept { return file_bytes_; }
  [[nodiscard]] std::int64_t file_start(std::int64_t position) const noexcept {
    return position - position % file_bytes_;
  }
  [[nodiscard]] std::string topic_directory(const ConsumeQueue& queue) const;
  [[nodiscard]] std::string directory(const ConsumeQueue& queue) const;
  [[nodiscard]] std::string path(const ConsumeQueue& queue, std::int64_t start) const;

  // Any thread. Errors: kNotFound, kIo.
  Result<FilePtr> open(const ConsumeQueue& queue, std::int64_t start) MQ_EXCLUDES(mu_);
  // Bytes at a position of the queue's stream, all in one file; returns how many.
  Result<std::size_t> read(const ConsumeQueue& queue, std::int64_t position, MutableBytes out);

  // --- the holder of the set's file lock ---

  // Writes what the queue has in memory; counts entries written in `written`. After an error the
  // rest is still in memory.
  Result<void> write_out(ConsumeQueue& queue, std::int64_t& written) MQ_EXCLUDES(queue.mu_);
  // Everything written is on disk afterwards. Needs no lock but that of the sync pass.
  Result<void> sync(ConsumeQueue& queue) MQ_EXCLUDES(queue.mu_);
  // The same for many queues at once.
  Result<void> sync_all(std::span<ConsumeQueue* const> queues);
  // Removes one file; its readers keep what they have open.
  Result<void> remove(const ConsumeQueue& queue, std::int64_t start) MQ_EXCLUDES(mu_);
  // Removes the queue's directory with all files.
  Result<void> remove_all(const ConsumeQueue& queue) MQ_EXCLUDES(mu_);

 private:
  struct Key {
    const ConsumeQueue* queue;
    std::int64_t start;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<const void*>{}(key.queue) * 31 + std::hash<std::int64_t>{}(key.start);
    }
  };
  struct Open {
    Key key;
    FilePtr file;
  };
  void keep(const Key& key, FilePtr file) MQ_EXCLUDES(mu_);
  void forget(const ConsumeQueue& queue, std::int64_t start) MQ_EXCLUDES(mu_);
  Result<FilePtr> create(const ConsumeQueue& queue, std::int64_t start);
  Result<void> write_first(fs::File& file, std::int64_t fillers, Bytes entries);
  Result<void> write_piece(ConsumeQueue& queue, std::int64_t position, bool is_new, Bytes entries);

  fs::Fs& fs_;
  const std::string root_;
  const std::int64_t file_bytes_;
  const int open_max_;
  Mutex mu_;
  std::list<Open> open_ MQ_GUARDED_BY(mu_);  // most recently used first
  std::unordered_map<Key, std::list<Open>::iterator, KeyHash> by_key_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::store
