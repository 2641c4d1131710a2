// A small store with something of everything, written by the engine, and a list of what is in it:
// the ground on which verify, repair and rebuild are tried.
//
// What is in it: commit log files of 64 KiB (7 or so), consume queue files of 100 entries, index
// files of 100 slots and 499 entries; the topics of kTopics; single messages and batches; no, one
// or several keys, tags, user properties, bodies of none to 3000 bytes; IPv6 hosts; a V2 record;
// delay levels; committed and prepared transaction messages (the latter have no queue entry);
// topics.json, subscriptionGroup.json, consumerOffset.json, delayOffset.json. With `retention` the
// oldest commit log files are deleted and queues and index have followed: then most queues begin
// above 0, and those of "gone" have numbers but no messages.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "format/index_file.h"
#include "fs/fs.h"
#include "store/message_store.h"

namespace mq::test {

struct SampleOptions {
  std::uint64_t seed = 1;
  std::size_t messages = 1200;
  bool retention = true;
  // False: left as by kill -9 (`abort` is there), everything dispatched.
  bool closed = true;
};

// One message that is in the log.
struct SampleMessage {
  std::string topic;
  QueueId queue = 0;
  QueueOffset queue_offset{};
  PhysicalOffset at{};
  std::int64_t store_timestamp_ms = 0;
  std::string record;             // the bytes of the commit log
  bool has_entry = true;          // in the consume queue and served; false for prepared messages
  std::vector<std::string> keys;  // as indexed: UNIQ_KEY first, then those of KEYS
};

struct SampleQueue {
  QueueOffset min{};
  QueueOffset max{};
  friend bool operator==(const SampleQueue&, const SampleQueue&) = default;
};

struct SampleStore {
  static constexpr std::int64_t kCommitLogFileBytes = 64 << 10;
  static constexpr std::int64_t kConsumeQueueFileBytes = 2000;
  static constexpr format::IndexShape kIndexShape{.slots = 100, .entries = 500};
  // Plain topics and their queues; SCHEDULE_TOPIC_XXXX, RMQ_SYS_TRANS_HALF_TOPIC and a retry topic
  // with a long name come on top.
  static constexpr std::array<std::pair<const char*, int>, 3> kTopics{
      {{"orders", 2}, {"events", 3}, {"gone", 1}}};

  std::vector<SampleMessage> messages;  // in log order
  std::map<std::pair<std::string, QueueId>, SampleQueue> queues;
  PhysicalOffset begin{};
  PhysicalOffset end{};
  std::int64_t last_store_timestamp_ms = 0;
};

// The engine's options for such a store; for opening it again.
[[nodiscard]] store::StoreOptions sample_options(fs::Fs& fs, Clock& clock, const std::string& root);

// Builds it at `root`, which must not exist. The same seed gives the same bytes but for the name of
// the index files, which follows the time zone. A failure ends the test program.
SampleStore build_sample_store(fs::Fs& fs, const std::string& root,
                               const SampleOptions& options = {});

}  // namespace mq::test
