// The fields of a record and of what leads to it, one by one with their bytes: name, value,
// meaning, and what is wrong with it. Reads as far as the lengths allow, so that a damaged record
// shows where it breaks; believes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace mq::inspect {

struct Field {
  std::int64_t at = 0;  // from the start of the piece
  std::int64_t bytes = 0;
  std::string name;
  std::string value;
  std::string meaning;
  std::string wrong;  // what contradicts; else empty
};
struct Annotation {
  std::vector<Field> fields;  // without a gap from 0 on
  std::string kind;           // "record", "blank", "nothing", "noise"
  [[nodiscard]] bool sound() const;
};
// Milliseconds as people read them.
using TimeText = std::function<std::string(std::int64_t)>;

// What stands at the start of `in`, which is all from physical offset `at` to the end of the file.
Annotation annotate_record(Bytes in, PhysicalOffset at, const TimeText& time);
// 20 bytes of a consume queue; `delayed`: the tag code is a due time.
Annotation annotate_queue_entry(Bytes in, bool delayed, const TimeText& time);
// 20 bytes of an index file whose header says `begin_ms`.
Annotation annotate_index_entry(Bytes in, std::int64_t begin_ms, const TimeText& time);

}  // namespace mq::inspect
