#include "broker/timer_wheel.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::broker {

using format::TimerSlot;

TimerWheel::TimerWheel(fs::Fs& fs, std::string path, std::int64_t precision_ms)
    : fs_(fs), path_(std::move(path)), precision_ms_(precision_ms), pages_(kPages) {}

Result<void> TimerWheel::load() {
  auto stat = fs_.stat(path_);
  if (!stat) {
    if (stat.error().code() == Errc::kNotFound) return {};
    return std::move(stat).error();
  }
  if (stat->bytes == 0) return {};
  if (stat->bytes != format::TimerSlot::kFileBytes) {
    return Error{Errc::kCorrupt, fmt::format("{}: {} bytes, expected {}", path_, stat->bytes,
                                             format::TimerSlot::kFileBytes)};
  }
  MQ_TRY(file_, fs_.open(path_, fs::OpenMode::kReadWrite));
  const MutexLock lock(mu_);
  std::array<std::byte, kPageBytes> raw{};
  for (std::int64_t at = 0; at < format::TimerSlot::kFileBytes;) {
    MQ_TRY(const std::int64_t data, file_->next_data(at));
    at = std::max(
        at, data / static_cast<std::int64_t>(kPageBytes) * static_cast<std::int64_t>(kPageBytes));
    if (at >= format::TimerSlot::kFileBytes) break;
    MQ_TRY(const std::size_t got, file_->read_at(at, raw));
    if (got != raw.size()) return Error{Errc::kIo, path_ + ": cannot be read to its end"};
    if (std::any_of(raw.begin(), raw.end(), [](std::byte b) { return b != std::byte{0}; })) {
      auto page = std::make_unique<Page>();
      page->bytes = raw;
      pages_[static_cast<std::size_t>(at) / kPageBytes] = std::move(page);
    }
    at += static_cast<std::int64_t>(kPageBytes);
  }
  return {};
}

Result<void> TimerWheel::save() {
  std::vector<std::size_t> changed;
  {
    const MutexLock lock(mu_);
    if (changed_.empty()) return {};
    changed = changed_;
  }
  if (file_ == nullptr) {
    MQ_TRY(file_, fs_.open(path_, fs::OpenMode::kCreate));
    MQ_CHECK(file_->truncate(format::TimerSlot::kFileBytes));
    MQ_CHECK(fs_.sync_directory(path_.substr(0, path_.rfind('/'))));
  }
  // The thread that changes pages is the one that is here: they hold still without the lock.
  for (const std::size_t index : changed) {
    Page* page = nullptr;
    {
      const MutexLock lock(mu_);
      page = pages_[index].get();
    }
    MQ_CHECK(file_->write_at(static_cast<std::int64_t>(index * kPageBytes), page->bytes));
  }
  MQ_CHECK(file_->sync());
  const MutexLock lock(mu_);
  for (const std::size_t index : changed) pages_[index]->is_changed = false;
  changed_.clear();
  return {};
}

bool TimerWheel::is_changed() const {
  const MutexLock lock(mu_);
  return !changed_.empty();
}

// Nothing for a slot that holds no chain.
std::optional<TimerSlot> TimerWheel::slot_at(std::size_t index) const {
  const Page* page = pages_[index / kSlotsPerPage].get();
  if (page == nullptr) return std::nullopt;
  const auto slot = format::decode_timer_slot(
      Bytes(page->bytes)
          .subspan(index % kSlotsPerPage * TimerSlot::kEncodedBytes, TimerSlot::kEncodedBytes));
  if (!slot || slot->is_empty()) return std::nullopt;
  return *slot;
}

TimerSlot TimerWheel::get(std::int64_t time_ms) const {
  const std::int64_t tick = time_ms / precision_ms_;
  const MutexLock lock(mu_);
  const auto slot = slot_at(index_of(time_ms));
  if (slot && slot->time == tick) return *slot;
  return {.time = tick, .first = -1, .last = -1};
}

void TimerWheel::write(std::size_t index, const TimerSlot& slot) {
  const MutexLock lock(mu_);
  auto& page = pages_[index / kSlotsPerPage];
  if (page == nullptr) page = std::make_unique<Page>();
  if (!page->is_changed) {
    page->is_changed = true;
    changed_.push_back(index / kSlotsPerPage);
  }
  format::encode(slot, std::span<std::byte, TimerSlot::kEncodedBytes>(
                           page->bytes.data() + index % kSlotsPerPage * TimerSlot::kEncodedBytes,
                           TimerSlot::kEncodedBytes));
}

void TimerWheel::put(std::int64_t time_ms, TimerSlot slot) {
  slot.time = time_ms / precision_ms_;
  write(index_of(time_ms), slot);
}

void TimerWheel::clear(std::int64_t time_ms) {
  if (get(time_ms).is_empty()) return;
  write(index_of(time_ms), {});
}

std::optional<std::int64_t> TimerWheel::next_used(std::int64_t from_ms,
                                                  std::int64_t until_ms) const {
  const MutexLock lock(mu_);
  std::int64_t tick = from_ms / precision_ms_;
  const std::int64_t end = std::min(tick + format::TimerSlot::kCount, until_ms / precision_ms_);
  while (tick < end) {
    const auto index = static_cast<std::size_t>(tick % format::TimerSlot::kCount);
    if (pages_[index / kSlotsPerPage] == nullptr) {
      tick += static_cast<std::int64_t>(kSlotsPerPage - index % kSlotsPerPage);
      continue;
    }
    if (const auto slot = slot_at(index); slot && slot->time == tick) return tick * precision_ms_;
    ++tick;
  }
  return std::nullopt;
}

void TimerWheel::for_each_used(
    const std::function<void(std::int64_t, const TimerSlot&)>& visit) const {
  for (std::size_t index = 0; index < static_cast<std::size_t>(format::TimerSlot::kCount);) {
    std::optional<TimerSlot> slot;
    {
      const MutexLock lock(mu_);
      if (pages_[index / kSlotsPerPage] == nullptr) {
        index += kSlotsPerPage;
        continue;
      }
      slot = slot_at(index);
    }
    if (slot) visit(slot->time * precision_ms_, *slot);
    ++index;
  }
}

}  // namespace mq::broker
