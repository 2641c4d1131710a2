#include "inspect/zeros.h"

#include <algorithm>
#include <array>

namespace mq::inspect {
namespace {

constexpr std::size_t kBlockBytes = 1 << 16;

}  // namespace

Result<std::int64_t> first_byte_set(fs::File& file, std::int64_t at) {
  std::array<std::byte, kBlockBytes> block;  // NOLINT: filled by read_at
  MQ_TRY(const std::int64_t bytes, file.size());
  while (at < bytes) {
    MQ_TRY(const std::int64_t data, file.next_data(at));
    at = std::max(at, data);
    if (at >= bytes) break;
    MQ_TRY(const std::size_t got, file.read_at(at, block));
    if (got == 0) break;
    const auto* const found = std::find_if(block.begin(), block.begin() + got,
                                           [](std::byte b) { return b != std::byte{0}; });
    if (found != block.begin() + got) return at + (found - block.begin());
    at += static_cast<std::int64_t>(got);
  }
  return -1;
}

}  // namespace mq::inspect
