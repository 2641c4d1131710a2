// Reads a commit log with the codecs alone: a store's directory, its commitlog directory, or one
// copied file. Never writes, believes no length before checking it, goes on behind damage. One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "format/record.h"
#include "fs/fs.h"

namespace mq::inspect {

struct LogFile {
  std::string path;
  PhysicalOffset start{};
  std::int64_t bytes = 0;
};

// What walking came across besides records.
struct Finding {
  PhysicalOffset at{};
  std::string what;
  bool damage = false;  // else: normal, as the unused rest of the newest file
};

class LogReader {
 public:
  // Errors: kNotFound (no commit log there), kIo.
  static Result<std::unique_ptr<LogReader>> open(fs::Fs& fs, const std::string& path);

  [[nodiscard]] const std::vector<LogFile>& files() const noexcept { return files_; }
  [[nodiscard]] PhysicalOffset begin() const noexcept;
  [[nodiscard]] PhysicalOffset end_of_files() const noexcept;
  // "commitlog/00000000000000000000 at 88", for messages.
  [[nodiscard]] std::string where(PhysicalOffset at) const;

  // Bytes from `at` to the end of its file; empty outside of all files. Valid until a position in
  // another file is asked for.
  Result<Bytes> bytes_from(PhysicalOffset at);
  // The record that starts there, body checked. Errors: kNotFound, kCorrupt.
  Result<format::Record> record_at(PhysicalOffset at);

  // Every good record in [from, to) in order until `visit` says false. A record is good when it
  // decodes, its stored offset is its position, and its body has its CRC. `from` may lie anywhere:
  // the walk begins at the first record at or behind it. `note` (may be empty) is told what is in
  // between. Returns where the last good record ended.
  using Visit = std::function<bool(const format::Record& record, Bytes bytes)>;
  Result<PhysicalOffset> walk(PhysicalOffset from, PhysicalOffset to, const Visit& visit,
                              const std::function<void(const Finding&)>& note = {});

 private:
  explicit LogReader(fs::Fs& fs) : fs_(fs) {}
  Result<void> list(const std::string& directory);
  Result<void> add_single(const std::string& path);
  [[nodiscard]] const LogFile* file_of(PhysicalOffset at) const;
  // First good record in `in` at or behind `from`; in.size() if none.
  [[nodiscard]] static std::size_t next_good(Bytes in, std::size_t from, PhysicalOffset start);

  fs::Fs& fs_;
  std::vector<LogFile> files_;
  const LogFile* mapped_ = nullptr;
  std::unique_ptr<fs::File> file_;
  std::unique_ptr<fs::Mapping> mapping_;
};

// The good record at the start of `in`, which stands at `at`. Errors: as decode_record, kCorrupt
// for another's position.
Result<format::Record> good_record(Bytes in, PhysicalOffset at);

}  // namespace mq::inspect
