// What the parts of verify find: put together, in bounded memory, and the commands that mend it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "inspect/verify.h"

namespace mq::inspect {

// Parts of a store, in the order in which findings are told.
enum class Part : std::uint8_t { kLog, kQueues, kIndex, kState };

// "1 message", "2 messages".
[[nodiscard]] std::string count_of(std::int64_t count, std::string_view one);

class VerifyReport {
 public:
  // `store`: as the user named it, for the commands.
  explicit VerifyReport(std::string store) : store_(std::move(store)) {}

  // Takes any number; beyond kPerFile of one severity in one file, or kAll of a part, they are
  // counted only.
  void add(Part part, VerifyFinding finding);
  // Each part sorted by file and position.
  void tell(const std::function<void(const VerifyFinding&)>& tell);
  [[nodiscard]] std::int64_t count(Severity severity) const {
    return counts_[static_cast<std::size_t>(severity)];
  }

  // The commands, with the store's name quoted for a shell.
  [[nodiscard]] std::string repair() const;
  [[nodiscard]] std::string rebuild(std::string_view what) const;  // "cq", "index" or "all"

 private:
  static constexpr std::size_t kPerFile = 20;
  static constexpr std::size_t kAll = 5000;

  std::string store_;
  std::array<std::int64_t, 3> counts_{};
  std::map<Part, std::vector<VerifyFinding>> held_;
  std::map<std::tuple<Part, std::string, Severity>, std::int64_t> per_file_;
};

}  // namespace mq::inspect
