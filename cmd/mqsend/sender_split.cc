// A batch that its broker refuses as it is goes in halves: it may be larger than a commit log file,
// or one message in it may be bad.
#include <algorithm>

#include "sender.h"
#include "wire/codes.h"
#include "wire/send.h"

namespace mq::mqsend {
namespace {

// When nothing has come of it so often, it is something else that the broker does not like.
constexpr int kSplitsInVain = 1000;
constexpr std::size_t kIdBytes = 32;

// Bytes of the first `count` items of a batch, each of which begins with its length.
std::size_t bytes_of(Bytes batch, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i)
    at += static_cast<std::size_t>(load_be<std::int32_t>(batch.data() + at));
  return at;
}

}  // namespace

bool Sender::may_split(const Request& r, std::int32_t code) const {
  return code == wire::kMessageIllegal && r.batch && r.items.size() > 1 &&
         splits_in_vain_ < kSplitsInVain;
}

// Behind one that may be refused for its size nothing is posted: its halves would be overtaken.
std::size_t Sender::postable_end() const {
  if (options_.oneway) return requests_.size();
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const Request& r = *requests_[i];
    const bool is_large =
        r.items.size() > 1 && static_cast<std::int64_t>(r.body.size()) > batch_bytes_;
    if (!r.finished && (!is_proven_ || r.is_part || is_large)) return i + 1;
  }
  return requests_.size();
}

// The second half stands behind the first, so that they leave in order.
void Sender::split(Request& r) {
  ++splits_in_vain_;
  batch_bytes_ =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(r.body.size() / 2), 1, batch_bytes_);
  const std::size_t kept = r.items.size() / 2;
  const std::size_t at = bytes_of(as_bytes(r.body), kept);
  RequestPtr rest = make();
  rest->topic = r.topic;
  rest->target = r.target;
  rest->pinned = r.pinned;
  rest->batch = true;
  rest->open_us = r.open_us;
  rest->sent_us = r.sent_us;
  rest->tries = r.tries;
  rest->items.assign(r.items.begin() + static_cast<std::ptrdiff_t>(kept), r.items.end());
  r.items.resize(kept);
  rest->body.assign(r.body, at);
  r.body.resize(at);
  wire::BatchItem first;
  if (wire::BatchReader reader(as_bytes(rest->body)); reader.next(first))
    rest->properties.assign(first.properties);
  if (!r.ids.empty()) {
    rest->ids.assign(r.ids, kept * kIdBytes);
    r.ids.resize(kept * kIdBytes);
  }
  std::size_t raw_bytes = 0;
  for (const ItemInfo& item : r.items) raw_bytes += item.raw_bytes;
  rest->raw.assign(r.raw, raw_bytes);
  r.raw.resize(raw_bytes);
  for (Request* half : {&r, rest.get()}) {
    half->frame = 0;
    half->is_part = true;
    half->batch_properties.clear();
  }
  const auto place = std::find_if(requests_.begin(), requests_.end(),
                                  [&r](const RequestPtr& p) { return p.get() == &r; });
  requests_.insert(place + 1, std::move(rest));
}

}  // namespace mq::mqsend
