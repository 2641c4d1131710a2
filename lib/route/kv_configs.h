// Key/value pairs by namespace, kept in one file in the reference's form (kvConfig.json):
//
//   {"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:4;broker-b:4"}}}
//
// Any thread. A change is on disk, atomically, before the call returns.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "fs/fs.h"

namespace mq::route {

inline constexpr std::string_view kOrderTopics = "ORDER_TOPIC_CONFIG";

class KvConfigs {
 public:
  using Table = std::map<std::string, std::string>;

  // `fs` is borrowed. Without a path nothing is kept.
  KvConfigs(fs::Fs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  // No file: nothing there yet. Errors: kCorrupt, kIo.
  Result<void> load();

  // Errors: kIo, kNoSpace; the change is then not made.
  Result<void> put(std::string_view name_space, std::string_view key, std::string_view value);
  Result<void> remove(std::string_view name_space, std::string_view key);

  [[nodiscard]] std::optional<std::string> get(std::string_view name_space,
                                               std::string_view key) const;
  [[nodiscard]] std::optional<Table> all(std::string_view name_space) const;

 private:
  using Spaces = std::map<std::string, Table, std::less<>>;
  Result<void> replace(Spaces changed) MQ_REQUIRES(mu_);

  fs::Fs& fs_;
  const std::string path_;
  mutable Mutex mu_;
  Spaces spaces_ MQ_GUARDED_BY(mu_);
};

}  // namespace mq::route
