// The heaviest of very many names in bounded memory.
//
// Exact as long as there are no more than `capacity` * 2 different names. Beyond, the lighter half
// is forgotten from time to time; a name's sums may then be too low, by no more than error(). They
// are never too high. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mq::inspect {

struct TopEntry {
  std::string name;
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
};

class TopSketch {
 public:
  enum class By : std::uint8_t { kMessages, kBytes };
  TopSketch(std::size_t capacity, By by) : capacity_(capacity), by_(by) {}

  // Names that are the same in their first kNameBytesMax bytes are taken for one.
  void add(std::string_view name, std::int64_t messages, std::int64_t bytes);
  void merge(const TopSketch& other);
  // The heaviest first, of equals by name.
  [[nodiscard]] std::vector<TopEntry> top(std::size_t count) const;
  // In the unit that counts (`by`).
  [[nodiscard]] std::int64_t error() const noexcept { return error_; }
  static constexpr std::size_t kNameBytesMax = 256;

 private:
  struct Sums {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  [[nodiscard]] std::int64_t weight(const Sums& sums) const noexcept {
    return by_ == By::kMessages ? sums.messages : sums.bytes;
  }
  void forget();

  std::size_t capacity_;
  By by_;
  std::unordered_map<std::string, Sums, Hash, std::equal_to<>> sums_;
  std::int64_t error_ = 0;
};

}  // namespace mq::inspect
