// A change to a store that happens as a whole or not at all, wherever the power goes.
//
// What is new is built beside the store, in STORE/mqdump.new-STAMP. commit() then writes down what
// is to be done in a journal, does it, and removes the journal; whoever finds a journal does it all
// again, which every step allows. The journal stands at commitlog/mqdump.journal: while it is there
// the reference does not start (a file that is no log file, store-format.md 1.2), and neither does
// mqd, so that nobody works on half a change.
//
// What is replaced is kept: "consumequeue/T/0" becomes "consumequeue.bak-STAMP/T/0", "checkpoint"
// becomes "checkpoint.bak-STAMP", all directly under the store's directory, where no broker looks.
//
// The caller holds the store's lock. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fs/fs.h"

namespace mq::inspect {

class StoreChange {
 public:
  static constexpr std::string_view kJournal = "commitlog/mqdump.journal";

  // `stamp`: digits, the time of the change.
  StoreChange(fs::Fs& fs, std::string store, std::string stamp);

  // Where new files are built; made on demand by the builder. Paths below are relative to the
  // store.
  [[nodiscard]] std::string area() const { return store_ + "/" + area_name(); }
  [[nodiscard]] const std::string& stamp() const noexcept { return stamp_; }
  // Where `live` goes.
  [[nodiscard]] std::string kept_name(std::string_view live) const;

  // area()/live, a file or a directory, takes the place of `live`, which is kept. All in it is
  // durable already.
  void replace(const std::string& live);
  // `live` goes, and is kept.
  void put_aside(const std::string& live);
  // These bytes in place of those that stand there; those are kept if `keep`.
  Result<void> patch(const std::string& file, std::int64_t at, Bytes bytes, bool keep);
  // Zeros from `at` on, and that length; what stood there is kept, up to its last byte that is not
  // zero.
  Result<void> cut(const std::string& file, std::int64_t at, std::int64_t bytes);
  // The time of a file that is patched or cut: retention goes by it.
  void set_mtime(const std::string& file, std::int64_t mtime_ms);
  [[nodiscard]] bool is_empty() const noexcept { return steps_.empty(); }

  // All of it. After an error the journal may stand: finish() then goes on.
  Result<void> commit();

  // Is there a change that was interrupted?
  static bool is_unfinished(fs::Fs& fs, const std::string& store);
  // Completes an interrupted change, or removes what one left that had not begun. True if there was
  // one to complete.
  static Result<bool> finish(fs::Fs& fs, const std::string& store);

 private:
  struct Step {
    enum class Kind : std::uint8_t { kReplace, kPutAside, kPatch, kCut, kMtime };
    Kind kind = Kind::kReplace;
    std::string path;
    std::int64_t at = 0;     // kPatch, kCut: in the file; kMtime: the time
    std::int64_t bytes = 0;  // kPatch: how many; kCut: the length
    std::int64_t from = 0;   // kPatch: in the file of patches
  };

  [[nodiscard]] std::string area_name() const { return "mqdump.new-" + stamp_; }
  [[nodiscard]] std::string full(std::string_view path) const {
    return store_ + "/" + std::string(path);
  }
  [[nodiscard]] std::string fresh(const Step& step) const { return area() + "/" + step.path; }
  Result<void> keep_bytes(const std::string& file, std::int64_t at, std::int64_t bytes);
  [[nodiscard]] std::string to_journal() const;
  Result<void> from_journal(std::string_view text);

  Result<void> apply();
  Result<void> apply_to_files();
  Result<void> move(const std::string& from, const std::string& to);
  Result<void> sync_moved();

  fs::Fs& fs_;
  const std::string store_;
  std::string stamp_;
  std::vector<Step> steps_;
  std::unique_ptr<fs::File> patches_;
  std::int64_t patch_bytes_ = 0;
  std::vector<std::string> moved_in_;  // directories whose names changed
};

}  // namespace mq::inspect
