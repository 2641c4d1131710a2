#include "inspect/top_sketch.h"

#include <algorithm>

namespace mq::inspect {

void TopSketch::add(std::string_view name, std::int64_t messages, std::int64_t bytes) {
  name = name.substr(0, kNameBytesMax);
  auto at = sums_.find(name);
  if (at == sums_.end()) {
    if (sums_.size() >= capacity_ * 2) forget();
    at = sums_.emplace(name, Sums{}).first;
  }
  at->second.messages += messages;
  at->second.bytes += bytes;
}

void TopSketch::forget() {
  std::vector<std::int64_t> weights;
  weights.reserve(sums_.size());
  for (const auto& [name, sums] : sums_) weights.push_back(weight(sums));
  const auto middle = weights.begin() + static_cast<std::ptrdiff_t>(capacity_);
  std::nth_element(weights.begin(), middle, weights.end(), std::greater<>());
  // Of equals some go and some stay: then half goes whatever the weights are.
  std::size_t equals_to_keep =
      capacity_ - static_cast<std::size_t>(std::count_if(
                      weights.begin(), weights.end(), [&](std::int64_t w) { return w > *middle; }));
  std::int64_t lost = 0;
  for (auto at = sums_.begin(); at != sums_.end();) {
    const std::int64_t w = weight(at->second);
    if (w > *middle || (w == *middle && equals_to_keep > 0)) {
      if (w == *middle) --equals_to_keep;
      ++at;
    } else {
      lost = std::max(lost, w);
      at = sums_.erase(at);
    }
  }
  error_ += lost;
}

void TopSketch::merge(const TopSketch& other) {
  error_ += other.error_;
  for (const auto& [name, sums] : other.sums_) add(name, sums.messages, sums.bytes);
}

std::vector<TopEntry> TopSketch::top(std::size_t count) const {
  std::vector<TopEntry> out;
  out.reserve(sums_.size());
  for (const auto& [name, sums] : sums_) out.push_back({name, sums.messages, sums.bytes});
  const auto heavier = [this](const TopEntry& a, const TopEntry& b) {
    const std::int64_t left = weight({a.messages, a.bytes});
    const std::int64_t right = weight({b.messages, b.bytes});
    return left != right ? left > right : a.name < b.name;
  };
  const std::size_t kept = std::min(count, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(kept), out.end(),
                    heavier);
  out.resize(kept);
  return out;
}

}  // namespace mq::inspect
