// The topics of this broker: config/topics.json, the system topics, creation on send (semantics.md
// section 1).
//
// Any thread. Every change is on disk (atomically, the old file as .bak) before the call returns,
// and is not made when it could not be written; but for what find_or_create() may leave to flush().
// Readers never wait for a write.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "broker/config.h"
#include "broker/topic_attributes.h"
#include "format/state_files.h"
#include "fs/fs.h"

namespace mq::broker {

// What a send or pull needs of a topic, copied out.
struct TopicInfo {
  std::int32_t read_queues = 0;
  std::int32_t write_queues = 0;
  std::int32_t perm = 0;
  std::int32_t sys_flag = 0;
  bool multi_tag = false;
  bool batch_queues = false;  // queue.type=BatchCQ
  MessageType message_type = MessageType::kNormal;
};

// Topics of the file with queue.type=BatchCQ; none when it cannot be read, which load() tells.
[[nodiscard]] std::vector<std::string> batch_topics_in(fs::Fs& fs, const std::string& path);

class Topics {
 public:
  // `fs`, `clock` and `config` are borrowed and outlive this.
  Topics(fs::Fs& fs, Clock& clock, const BrokerConfig& config, std::string path);

  // Reads the file over the system topics. A file that cannot be read, with its backup, is an
  // error: topics decide which queues exist.
  Result<void> load();

  // Topics that were created or altered, or are gone (null); `version` is that of the table with
  // all of them.
  struct Changes {
    std::vector<std::pair<std::string_view, const format::TopicConfig*>> topics;
    const format::DataVersion& version;
  };
  // Called for each change once it counts, under the lock of the topics: must be quick and must not
  // call back. An empty function ends it.
  void on_change(std::function<void(const Changes&)> listener);

  // Called for a new topic with queue.type=BatchCQ before it counts; an error keeps it from being
  // made. Set before topics are made.
  void on_batch_topic(std::function<Result<void>(std::string_view)> prepare);

  // With enableLmq there is every light queue (%LMQ%…), a topic of one queue; in no list.
  [[nodiscard]] std::optional<TopicInfo> find(std::string_view topic) const;
  [[nodiscard]] std::optional<format::TopicConfig> get(std::string_view topic) const;
  [[nodiscard]] format::TopicTable all() const;

  // On a send to an unknown topic (1.4). Errors: kNotFound (may not be created: the text says why),
  // kIo.
  Result<TopicInfo> create_on_send(std::string_view topic, std::string_view default_topic,
                                   std::int32_t queues, bool unit_mode);
  // The broker's own need of a topic (retry, dead letters): as it is, or made with `queues` to read
  // and write, readable and writable. `durable`: kNow has it on disk before the call returns; with
  // kSoon that is flush()'s, for topics that hold nothing and would be made again. Errors: kInvalid
  // (the name), kIo, kNoSpace.
  enum class Durable : std::uint8_t { kNow, kSoon };
  Result<TopicInfo> find_or_create(std::string_view topic, std::int32_t queues,
                                   std::int32_t sys_flag = 0, Durable durable = Durable::kNow);
  // Writes the file if there are topics that are not in it.
  Result<void> flush();
  // R(17): `attributes` as "+key=value,-key". Same as stored: no change. Errors: kInvalid,
  // kUnsupported (attributes), kIo.
  Result<void> put(format::TopicConfig config, std::string_view attributes);
  // R(18): many, on disk with one write of the file. What is wrong with one does not keep the
  // others back; the first error is returned.
  struct TopicChange {
    format::TopicConfig wanted;
    std::string attributes;
  };
  Result<void> put_all(std::vector<TopicChange> changes);
  // Fine if there is none. Errors: kInvalid (a system topic), kIo.
  Result<void> remove(std::string_view topic);

  // Something that is said of every topic has changed: name servers are to take them anew.
  Result<void> bump_version();

  [[nodiscard]] bool is_system(std::string_view topic) const;
  [[nodiscard]] bool is_forbidden_to_producers(std::string_view topic) const;
  [[nodiscard]] std::vector<std::string> system_topics() const;

 private:
  void add_system_topics() MQ_REQUIRES(mu_);
  [[nodiscard]] std::optional<format::TopicConfig> light_config(std::string_view topic) const;
  // Tells whether it changed anything.
  Result<bool> put_into(format::TopicTable& table, format::TopicConfig wanted,
                        std::string_view attributes) const;
  [[nodiscard]] format::TopicTable copy() const MQ_EXCLUDES(mu_);
  // Writes `next`, then takes what `changed` names over into the table and tells the listener.
  Result<void> commit(format::TopicTable next, std::span<const std::string> changed)
      MQ_REQUIRES(file_mu_);
  void tell(std::span<const std::string> changed) MQ_REQUIRES(mu_);

  fs::Fs& fs_;
  Clock& clock_;
  const BrokerConfig& config_;
  const std::string path_;
  Mutex file_mu_;  // one change with its write at a time; taken before mu_
  mutable Mutex mu_;
  format::TopicTable table_ MQ_GUARDED_BY(mu_);
  bool unwritten_ MQ_GUARDED_BY(mu_) = false;  // the table has topics that the file has not
  std::function<void(const Changes&)> listener_ MQ_GUARDED_BY(mu_);
  std::function<Result<void>(std::string_view)> prepare_batch_;
};

}  // namespace mq::broker
