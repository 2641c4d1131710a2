#include "inspect/index_lookup.h"

#include <array>

#include <fmt/format.h>

namespace mq::inspect {

Result<void> find_in_index(fs::Fs& fs, const IndexInfo& index, std::int32_t key_hash,
                           const std::function<bool(const IndexHit&)>& visit,
                           const DamageNote& note) {
  if (!index.damage.empty()) return Error{Errc::kCorrupt, index.damage};
  const auto tell = [&](const std::string& what) {
    if (note) note(fmt::format("{}: {}", index.path, what));
  };
  MQ_TRY(const auto file, fs.open(index.path, fs::OpenMode::kRead));
  std::array<std::byte, format::IndexEntry::kEncodedBytes> raw{};
  const std::int32_t slot = key_hash % index.shape.slots;
  MQ_TRY(const std::size_t got,
         file->read_at(index.shape.slot_at(slot), MutableBytes(raw).first(4)));
  if (got < 4) return {};
  std::int32_t number = load_be<std::int32_t>(raw.data());
  // A broker at work may have added entries behind those that the header told us of.
  const std::int32_t behind = index.shape.entries;
  if (number == 0) return {};
  if (number < 0 || number >= behind) {
    tell(fmt::format("slot {}: entry {} of {}", slot, number, behind));
    return {};
  }
  while (number > 0) {
    MQ_TRY(const std::size_t read, file->read_at(index.shape.entry_at(number), raw));
    const auto entry = format::decode_index_entry(Bytes(raw).first(read));
    if (!entry) {
      tell(fmt::format("entry {}: {}", number, entry.error().text()));
      return {};
    }
    if (entry->key_hash == key_hash && !visit({slot, number, *entry})) return {};
    // Older entries have smaller numbers: that also ends every circle.
    if (entry->previous >= number) {
      tell(fmt::format("entry {}: its predecessor is {}", number, entry->previous));
      return {};
    }
    number = entry->previous;
  }
  return {};
}

}  // namespace mq::inspect
