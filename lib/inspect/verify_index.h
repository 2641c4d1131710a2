// The index under verify: each file's header, slots and chains, and each entry against the keys of
// a record, both ways.
//
// Entries stand in the order of the log, so one cursor over all files is enough. The chains are
// followed the way they are written: the newest entry of each slot so far is kept (4 bytes a slot),
// and each entry must name it as the one before; at the file's end the slots must name what is
// left. So every chain ends, none has a cycle, and no entry is out of reach.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/index_file.h"
#include "fs/fs.h"
#include "inspect/cache_keeper.h"
#include "inspect/store_files.h"
#include "inspect/verify_facts.h"

namespace mq::inspect {

class VerifyIndex {
 public:
  VerifyIndex(fs::Fs& fs, VerifyFacts& facts, VerifyReport& report)
      : fs_(fs), facts_(facts), report_(report) {}

  // Lists the files and checks names, lengths, headers. Errors: kIo.
  Result<void> open();

  // A record in log order with the hashes of its keys, in the order in which they are indexed.
  void record(PhysicalOffset at, std::int64_t stored_ms, std::span<const std::int32_t> hashes);
  // `indexed_ms`: what the checkpoint says of the index.
  void finish(std::int64_t indexed_ms);

  [[nodiscard]] std::int64_t entries() const noexcept { return entries_; }
  [[nodiscard]] std::int64_t count() const noexcept {
    return static_cast<std::int64_t>(files_.size());
  }

 private:
  // One file, open while its entries go by.
  struct Current {
    // Not defaulted: optional asks for it while the values below are not parsed yet.
    Current() noexcept {}  // NOLINT(modernize-use-equals-default)
    const IndexInfo* info = nullptr;
    std::unique_ptr<fs::File> file;
    CacheKeeper cache;
    std::int32_t next = 1;   // number of the next entry
    std::int32_t count = 1;  // behind the last that is there
    std::int32_t used_slots = 0;
    __extension__ using Wide = unsigned __int128;
    std::uint64_t slots_inverse = 0;  // 2^64 / slots, rounded up: a remainder without a division
    [[nodiscard]] std::size_t slot_of(std::int32_t hash) const noexcept {
      if (slots_inverse == 0) return 0;  // one slot
      const auto wide = static_cast<Wide>(static_cast<std::uint32_t>(hash));
      const auto quotient = static_cast<std::uint32_t>((wide * slots_inverse) >> 64);
      return static_cast<std::uint32_t>(hash) -
             quotient * static_cast<std::uint32_t>(info->shape.slots);
    }
    std::vector<std::int32_t> newest;  // by slot
    std::vector<std::byte> buffer;
    std::int32_t buffer_first = 0;
    std::int32_t buffer_end = 0;
    // Of the first entry, if it is good, and when its record was stored, if the log has it.
    std::optional<PhysicalOffset> first_offset;
    std::int64_t first_stored_ms = -1;
    // How the header should be once an entry is counted. `counted`: the last that the header
    // counts; a crash may have come between it and the rest of the header.
    struct State {
      PhysicalOffset offset{-1};
      std::int64_t stored_ms = -1;
      std::int32_t used_slots = 0;
    };
    State last;
    std::optional<State> counted;
    State before_counted;
    std::int64_t bad_entries = 0;
    // Entries that name another one before them than they should; the first of them.
    std::int64_t bad_chains = 0;
    std::int32_t bad_chain_at = 0;
    std::int32_t bad_chain_expected = 0;
    std::int32_t bad_chain_found = 0;
  };
  struct Run {
    std::string file;
    std::int64_t at = -1;
    std::string what, expected, found;
    std::int64_t count = 0;
    std::int32_t last = -1;  // number of its last entry
  };

  // Of the record's hashes the first `taken` have had their entries.
  void take_odd(PhysicalOffset at, std::int64_t stored_ms, std::span<const std::int32_t> hashes,
                std::size_t taken);
  void pass_to(PhysicalOffset at);
  // The next entry that can be one; null behind the last. Tells of those that cannot.
  const format::IndexEntry* peek();
  void pop(std::int64_t stored_ms);
  bool next_file();
  void end_file();
  bool load();
  void check_chain(const format::IndexEntry& entry);
  void check_slots();
  void tell_chains();
  void check_header();
  void find_count();
  [[nodiscard]] bool is_outlier() const;
  void skip_bad(const char* what);
  void take_entry(const format::IndexEntry& entry, std::int64_t stored_ms,
                  std::span<const std::int32_t> hashes, std::vector<bool>& seen);
  [[nodiscard]] format::IndexEntry buffered(std::int32_t number) const;
  [[nodiscard]] bool fits_time(const format::IndexEntry& entry, std::int64_t stored_ms) const;
  void check_file(const IndexInfo& info);
  void adopt_shapes();

  void bad_entry(std::string what, std::string expected, std::string found);
  void flush_bad();
  void miss(PhysicalOffset at, std::size_t keys);
  void flush_missing(bool at_end);
  void file_damage(const IndexInfo& info, std::int64_t at, std::string what,
                   std::string expected = {}, std::string found = {});
  [[nodiscard]] bool is_newest() const;
  // Was it being written when the broker died? Entries are written before their slots, and the
  // header last.
  [[nodiscard]] bool is_cut() const { return facts_.crashed && is_newest(); }
  [[nodiscard]] std::int32_t said() const { return now_->info->header.index_count; }

  fs::Fs& fs_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  std::vector<IndexInfo> files_;
  std::size_t at_file_ = 0;  // the next to open
  std::optional<Current> now_;
  format::IndexEntry entry_{};  // what peek() shows
  bool has_entry_ = false;
  bool is_lenient_ = false;  // behind a file that could not be read: anything may be missing
  PhysicalOffset last_offset_{-1};
  std::int64_t skipped_ = 0;  // entries passed over since the last that fitted
  std::int64_t entries_ = 0;
  std::int64_t previous_end_ms_ = -1;  // header of the file before; -1: there was none
  Run bad_;
  struct Missing {
    PhysicalOffset at{-1};
    std::int64_t records = 0;
    std::int64_t keys = 0;
  } missing_;
  bool has_matched_ = false;
  std::int64_t keyed_records_ = 0;
  struct Ahead {
    std::string file;
    std::int64_t at = -1;
    std::int64_t count = 0;
    PhysicalOffset first{};
  } ahead_;
};

}  // namespace mq::inspect
