// A key's entries in an index file, through its slot and the chain from there.
#pragma once

#include <functional>
#include <string>

#include "inspect/store_files.h"

namespace mq::inspect {

struct IndexHit {
  std::int32_t slot = 0;
  std::int32_t number = 0;  // of the entry
  format::IndexEntry entry;
};
// Calls visit(hit) for each entry of that hash, newest first, until it says false. Different keys
// share a hash: compare the record's. A chain that goes nowhere or in a circle ends, and `note`
// (may be empty) is told. Errors: kCorrupt when the file as a whole cannot be read, kIo.
Result<void> find_in_index(fs::Fs& fs, const IndexInfo& index, std::int32_t key_hash,
                           const std::function<bool(const IndexHit&)>& visit,
                           const DamageNote& note = {});

}  // namespace mq::inspect
