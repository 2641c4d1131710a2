// Makes a store one that a stock broker opens and goes on with: the commit log's damage is put
// right or covered (repair_log.h), its torn tail cut; queues and index that do not follow from it
// are built anew (rebuild.h), small files corrected (repair_state.h). All of it happens as a whole
// or not at all (repair_change.h), and what is replaced is kept.
//
// The caller holds the store's lock to write. One thread; memory bounded whatever the store's size.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fs/fs.h"
#include "inspect/rebuild_rules.h"
#include "inspect/rebuild_shape.h"

namespace mq::inspect {

struct RepairOptions {
  StoreShape shape = {};  // what is known of it; the rest is found out
  std::string delay_levels{DispatchRules::kDelayLevels};
  // The log is to end before the first record that ends behind `to` or was stored after `to_ms`.
  PhysicalOffset to{INT64_MAX};
  std::int64_t to_ms = INT64_MAX;
  bool write = false;  // else: only the report
  std::int64_t now_ms = 0;
  std::string stamp{};  // of what is put aside, digits
  // Told what is under way and how far in the log; may be empty.
  std::function<void(std::string_view what, PhysicalOffset)> progress = {};
};

struct RepairNote {
  enum class Kind : std::uint8_t {
    kNormal,  // as a crash leaves it: a broker deals with it itself
    kDamage,  // something is wrong, and nothing is lost by putting it right
    kLoss,    // something cannot be had back
    kHint,    // to be known
  };
  Kind kind = Kind::kDamage;
  std::string file;  // below the store; "" for the store as a whole
  std::string what;
  std::string action;  // what is done about it; "" for nothing
};
[[nodiscard]] std::string_view name_of(RepairNote::Kind kind) noexcept;

struct RepairReport {
  std::vector<RepairNote> notes;
  bool is_damaged = false;  // damage or loss
  bool needs_change = false;
  bool is_done = false;         // it was changed
  bool was_unfinished = false;  // a change that had been interrupted was completed first
  std::int64_t records = 0;
  PhysicalOffset begin{}, end{};
  StoreShape shape;
};

// Errors: kNotFound (no store), kUnsupported (RocksDB), kInvalid (sizes), kCorrupt (nothing can be
// read, or what cannot be mended), kNoSpace, kIo.
Result<RepairReport> repair(fs::Fs& fs, const std::string& store, const RepairOptions& options);

}  // namespace mq::inspect
