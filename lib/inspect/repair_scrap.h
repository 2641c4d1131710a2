// What stands where a commit log cannot be read, so that a stock broker, which takes a log to end
// at the first bad record, reads on (store-format.md 2, 9, 16):
//
//   - for each number that its queue would lack, a record of that queue and number with an empty
//     batch as its body (zlib of nothing, sysFlag 0x3C1): it keeps the numbering, for whoever
//     builds the queue from the log, and clients unwrap it into no message at all;
//   - for what is left, records of topic SCRAP that are rolled back (sysFlag 0xC): in no queue and
//     not in the index. Their bodies are the bytes that were there;
//   - to the end of a file, a blank; a missing file becomes a sparse one of these.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "format/record.h"
#include "inspect/rebuild_queues.h"

namespace mq::inspect {

// Numbers [first, first + count) of a queue whose records are lost.
struct LostRun {
  QueueKey queue;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

struct Stretch {
  PhysicalOffset begin{};
  PhysicalOffset end{};
  bool at_file_start = false;
  bool to_file_end = false;
  bool is_missing = false;  // no file holds it
  std::string what;         // why it cannot be read
  std::vector<LostRun> held{};
  std::int64_t used_bytes = 0;  // by the numbers held, at least
  // Of the records around it.
  std::int64_t store_timestamp_ms = 0;
  format::Host store_host{};
  bool has_crc_property = false;
  [[nodiscard]] std::int64_t bytes() const noexcept { return end - begin; }
  // How many more numbers of a topic there is room for.
  [[nodiscard]] std::int64_t room_for(std::string_view topic) const noexcept;
  void hold(const QueueKey& queue, std::int64_t number);
};
// Smallest stretch in which a record fits; a smaller one cannot be mended, unless it ends its file.
inline constexpr std::int64_t kStretchBytesMin = format::kRecordBytesMin + 1;

// A record that is to stand in a stretch; what the head of repair_log.h says.
struct Scrap {
  enum class Kind : std::uint8_t { kHeld, kScrap, kBlank };
  Kind kind = Kind::kScrap;
  PhysicalOffset at{};
  std::int64_t bytes = 0;
  const QueueKey* queue = nullptr;  // kHeld; the stretch's
  std::int64_t number = 0;
  std::int64_t filling = 0;  // kHeld: bytes that are there to fill room
};
// Calls visit(Scrap) for each, in order; they cover the stretch.
void lay_out(const Stretch& stretch, const std::function<void(const Scrap&)>& visit);
// The bytes of one that is held, whole.
[[nodiscard]] std::string held_record(const Stretch& stretch, const Scrap& scrap);
// What is in front of and behind the body of a SCRAP record, whose body is `body`.
struct ScrapEnds {
  std::string head;
  std::string tail;
};
[[nodiscard]] std::size_t scrap_body_bytes(const Stretch& stretch, const Scrap& scrap);
[[nodiscard]] ScrapEnds scrap_ends(const Stretch& stretch, const Scrap& scrap, Bytes body);

}  // namespace mq::inspect
