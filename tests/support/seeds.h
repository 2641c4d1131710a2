// Seeds of randomised tests: 1..count by default; MQ_SEED=n runs one, MQ_SEEDS=n that many.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace mq::test {

inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("MQ_SEED")) return {std::strtoull(one, nullptr, 10)};
  if (const char* many = std::getenv("MQ_SEEDS")) count = std::strtoull(many, nullptr, 10);
  std::vector<std::uint64_t> out;
  for (std::uint64_t seed = 1; seed <= count; ++seed) out.push_back(seed);
  return out;
}

}  // namespace mq::test
