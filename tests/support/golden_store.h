// A store that the reference wrote (tests/golden), unpacked for one test, and what the reference
// serves from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace mq::test {

// A directory for one test, with all in it removed at destruction.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

class GoldenStore {
 public:
  // A fresh copy of "basic", "crash", "rolled", "features" or "defaults" in a temporary directory
  // (files stay sparse), which goes with this object. A failure ends the test program.
  static GoldenStore unpack(std::string_view name);
  // One of the damaged stores that make_torn.py makes of crash; the manifest is that of crash.
  static GoldenStore unpack_torn(std::string_view damage);

  // The store's directory.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // tests/golden/NAME.json; tests/golden/README.md says what is in it.
  [[nodiscard]] const json::value& manifest() const noexcept { return manifest_; }
  // A member of the manifest that is a list of objects: "messages", "queues", "byKey" …
  [[nodiscard]] const json::array& list(std::string_view member_name) const;
  // A number of the broker.conf that the store was written with, e.g. "mappedFileSizeCommitLog".
  [[nodiscard]] std::int64_t conf(std::string_view key, std::int64_t otherwise) const;
  // A number of the manifest's totals, e.g. "commitLogEnd".
  [[nodiscard]] std::int64_t total(std::string_view key) const;

 private:
  GoldenStore(std::string_view manifest_name, std::string_view directory);
  TempDir temp_;
  std::string path_;
  json::value manifest_;
};

// The directory tests/golden of the source tree.
[[nodiscard]] std::string golden_dir();
// A whole file; a failure ends the test program.
[[nodiscard]] std::string read_file(const std::string& path);
// Paths of the plain files below a directory, sorted.
[[nodiscard]] std::vector<std::string> files_below(const std::string& directory);

}  // namespace mq::test
