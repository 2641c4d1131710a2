// Two stores compared by what they mean: the messages of each queue, and the state that brokers
// keep beside them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "inspect/store_digest.h"

namespace mq::inspect {

struct Difference {
  enum class Kind : std::uint8_t {
    kOnlyFirst,   // queue offsets [from, to] are in the first store alone
    kOnlySecond,  // in the second alone
    kMessage,     // the message `from` differs in `parts`
    kMore,        // more messages of [from, to] differ, not looked at one by one
    kState,       // a value of a state file: `name`, `first`, `second`
  };
  Kind kind = Kind::kMessage;
  std::string topic{};  // or the state file
  std::int32_t queue = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::vector<MessagePart> parts{};
  std::string name{};
  std::string first{};  // "" when it is not there
  std::string second{};
};
using OnDifference = std::function<void(const Difference&)>;

// Memory: the digests, and the messages of kBlocksMax blocks. `second`: the options for the other
// store (its counters). Returns how many differences were told.
inline constexpr std::size_t kBlocksMax = 64;
Result<std::int64_t> diff_messages(fs::Fs& fs, const std::string& first, const std::string& second,
                                   const DigestOptions& options, const OnDifference& tell);

// Topics, groups, offsets, subscriptions. What does not count: versions of the files, counters for
// statistics, members that are missing on one side and have their default on the other, what every
// broker makes for itself.
Result<std::int64_t> diff_state(fs::Fs& fs, const std::string& first, const std::string& second,
                                const OnDifference& tell);

}  // namespace mq::inspect
