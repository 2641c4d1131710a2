// --cursor-file: how far each queue was read, remembered from run to run.
//
// One JSON object, replaced atomically:
//   {"v":1,"queues":[{"topic":"orders","broker":"host1","queue":0,"next":41},…]}
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "base/result.h"

namespace mq::mqrecv {

class Cursor {
 public:
  // Reads what is there; a file that does not exist says nothing yet. Errors: kCorrupt, kIo.
  static Result<Cursor> open(std::string path);

  [[nodiscard]] std::optional<std::int64_t> next(const std::string& topic,
                                                 const std::string& broker,
                                                 std::int32_t queue) const;
  void set(const std::string& topic, const std::string& broker, std::int32_t queue,
           std::int64_t next);
  // Nothing to do when nothing was set. Errors: those of writing.
  Result<void> save();
  [[nodiscard]] bool is_dirty() const noexcept { return dirty_; }

 private:
  using Key = std::tuple<std::string, std::string, std::int32_t>;
  explicit Cursor(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::map<Key, std::int64_t> next_;
  bool dirty_ = false;
};

}  // namespace mq::mqrecv
