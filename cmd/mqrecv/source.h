// Where messages come from: brokers or the files of a store. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client/lookup.h"
#include "format/record.h"

namespace mq::mqrecv {

struct QueueAt {
  std::string topic;
  std::string broker;  // "" in files
  std::int32_t queue = 0;
  std::int64_t min = 0;
  std::int64_t max = 0;
};

// A stretch of stored records, back to back; valid until the next read.
struct Stretch {
  Bytes records;
  std::int64_t next = 0;  // queue offset to go on from
};

class Source {
 public:
  virtual ~Source() = default;
  // Queues with their bounds now, by broker and number. Errors: kNotFound (no such topic).
  virtual Result<std::vector<QueueAt>> queues(const std::string& topic) = 0;
  // First offset stored at or after the time; the queue's max if there is none.
  virtual Result<std::int64_t> offset_at(const QueueAt& queue, std::int64_t time_ms) = 0;
  // Records from `offset` on, in order; `end`: nothing at or behind it is wanted. An empty stretch
  // with a greater `next` means that there was nothing (that passes the tag filter) up to there.
  virtual Result<Stretch> read(const QueueAt& queue, std::int64_t offset, std::int64_t end) = 0;
  // Records with that key, or that id (topic may be empty for an offset id); exact, in log order.
  virtual Result<std::vector<client::Found>> find_key(const std::string& topic,
                                                      const std::string& key) = 0;
  virtual Result<std::vector<client::Found>> find_id(const std::string& topic,
                                                     const std::string& id) = 0;
};

}  // namespace mq::mqrecv
