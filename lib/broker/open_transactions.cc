#include "broker/open_transactions.h"

#include "base/log.h"
#include "broker/state_file.h"

namespace mq::broker {

void OpenTransactions::load() {
  const auto done = load_state_file(fs_, path_, [&](std::string_view text) -> Result<void> {
    MQ_TRY(auto counts, format::parse_transaction_counts_json(text));
    const MutexLock lock(mu_);
    counts_ = std::move(counts);
    return {};
  });
  if (!done) log::warn("{}; open transactions are counted anew", done.error().to_string());
}

Result<void> OpenTransactions::save() {
  std::string text;
  {
    const MutexLock lock(mu_);
    if (!changed_) return {};
    text = format::to_transaction_counts_json(counts_);
    changed_ = false;
  }
  auto done = fs::write_file_atomically(fs_, path_, text, /*keep_backup=*/true);
  if (!done) {
    const MutexLock lock(mu_);
    changed_ = true;
  }
  return done;
}

void OpenTransactions::change(std::string_view topic, std::int64_t by, std::int64_t now_ms) {
  const MutexLock lock(mu_);
  auto at = counts_.topics.find(topic);
  if (at == counts_.topics.end()) at = counts_.topics.try_emplace(std::string(topic)).first;
  at->second.open += by;
  at->second.changed_ms = now_ms;
  counts_.version.bump(now_ms);
  changed_ = true;
}

std::int64_t OpenTransactions::count(std::string_view topic) const {
  const MutexLock lock(mu_);
  const auto at = counts_.topics.find(topic);
  return at == counts_.topics.end() ? 0 : at->second.open;
}

}  // namespace mq::broker
