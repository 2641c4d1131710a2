// Where else in a store a record is named: queue entries, index entries, and how far the consumer
// groups are.
#pragma once

#include <string>
#include <vector>

#include "format/record.h"
#include "inspect/index_lookup.h"
#include "inspect/store_files.h"

namespace mq::inspect {

struct QueueReference {
  std::string topic;  // of the queue: another one than the record's for a light queue
  std::int32_t queue = 0;
  std::int64_t offset = 0;  // the record's number there
  std::string path;         // "": no file of the queue reaches there
  std::int64_t position = 0;
  std::string bytes;  // the entry as it stands; "" when there is none
  std::string wrong;  // why it does not lead to the record; else empty
};
struct IndexReference {
  std::string key;
  std::string path;
  std::int32_t slot = 0;
  std::int32_t number = 0;
  std::int64_t position = 0;  // of the entry in the file
  std::int64_t begin_ms = 0;  // of the file
  std::string bytes;
};
struct GroupReference {
  std::string group;
  std::int64_t next = 0;  // the queue offset that it will consume next
};
struct References {
  bool expects_queue = true;  // false for messages of a transaction that is prepared or rolled back
  std::vector<QueueReference> queues;
  std::vector<IndexReference> index;
  std::vector<GroupReference> groups;
  std::vector<std::string> damage;  // of files that were asked
};
// `store`: the store's directory; without queues, index or state files there, there is nothing.
Result<References> find_references(fs::Fs& fs, const std::string& store,
                                   const format::Record& record);

// The keys under which a record stands in the index: UNIQ_KEY, then those of KEYS.
[[nodiscard]] std::vector<std::string_view> index_keys(std::string_view properties);

}  // namespace mq::inspect
