#include "inspect/repair_compare_index.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace mq::inspect {
namespace {

constexpr std::size_t kBlockBytes = format::IndexEntry::kEncodedBytes * 3200;

}  // namespace

IndexCompare::IndexCompare(fs::Fs& fs, const std::string& store, const format::IndexShape& shape,
                           PhysicalOffset log_begin)
    : fs_(fs), directory_(store + "/index"), shape_(shape), log_begin_(log_begin) {}

void IndexCompare::differ(std::string what) {
  if (what_.empty()) what_ = std::move(what);
}

std::string IndexCompare::where() const {
  return fmt::format("{}/{}", directory_, names_[file_number_ - 1]);
}

Result<void> IndexCompare::load() {
  loaded_ = true;
  auto names = fs_.list(directory_);
  if (!names) {
    if (names.error().code() == Errc::kNotFound) return {};
    return std::move(names).error();
  }
  for (std::string& name : *names) {
    // Others than these are passed over by the brokers, too.
    if (!name.empty() &&
        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      names_.push_back(std::move(name));
  }
  return {};
}

Result<bool> IndexCompare::open_next() {
  if (!loaded_) MQ_CHECK(load());
  if (file_number_ == names_.size()) return false;
  ++file_number_;
  MQ_TRY(file_, fs_.open(where(), fs::OpenMode::kRead));
  MQ_TRY(const std::int64_t bytes, file_->size());
  if (bytes != shape_.file_bytes()) {
    differ(fmt::format("{}: {} bytes, expected {}", where(), bytes, shape_.file_bytes()));
    return false;
  }
  std::array<std::byte, format::IndexHeader::kEncodedBytes> head{};
  MQ_TRY(const std::size_t got, file_->read_at(0, head));
  const auto header = format::decode_index_header(Bytes(head).first(got));
  if (!header || header->index_count > shape_.entries) {
    differ(fmt::format("{} at 0: {}", where(),
                       header ? fmt::format("{} of {} entries", header->index_count, shape_.entries)
                              : header.error().text()));
    return false;
  }
  if (file_number_ < names_.size() && header->index_count < shape_.entries)
    differ(fmt::format("{} at 36: not full, and another file follows", where()));
  header_ = *header;
  slots_.assign(static_cast<std::size_t>(shape_.slots), 0);
  number_ = 1;
  block_.clear();
  block_at_ = 0;
  return what_.empty();
}

Result<void> IndexCompare::close_file() {
  std::vector<std::byte> raw(kBlockBytes);
  std::int32_t used = 0;
  for (std::int32_t s = 0; s < shape_.slots && what_.empty();) {
    const auto count =
        std::min<std::int32_t>(shape_.slots - s, static_cast<std::int32_t>(raw.size() / 4));
    const MutableBytes part = MutableBytes(raw).first(static_cast<std::size_t>(count) * 4);
    MQ_TRY(const std::size_t got, file_->read_at(shape_.slot_at(s), part));
    if (got < part.size()) return Error{Errc::kIo, where() + ": became shorter"};
    for (std::int32_t i = 0; i < count && what_.empty(); ++i) {
      const auto there =
          load_be<std::int32_t>(part.data() + std::size_t{4} * static_cast<std::uint32_t>(i));
      const std::int32_t right = slots_[static_cast<std::size_t>(s) + static_cast<std::size_t>(i)];
      used += right != 0 ? 1 : 0;
      if (there != right) {
        differ(fmt::format("{} at {}: slot {} leads to entry {}, expected {}", where(),
                           shape_.slot_at(s + i), s + i, there, right));
      }
    }
    s += count;
  }
  if (what_.empty() && used != header_.slot_count)
    differ(fmt::format("{} at 32: {} slots in use, the header says {}", where(), used,
                       header_.slot_count));
  if (header_.index_count > 1 && last_at_ != header_.end_offset)
    differ(fmt::format("{} at 24: ends with offset {}, the header says {}", where(),
                       last_at_.value(), header_.end_offset.value()));
  if (header_.index_count > 1 && last_at_ >= log_begin_ && last_ms_ != header_.end_timestamp_ms)
    differ(fmt::format("{} at 8: ends with time {}, the header says {}", where(), last_ms_,
                       header_.end_timestamp_ms));
  if (header_.index_count >= shape_.entries) sealed_ms_ = header_.end_timestamp_ms;
  file_.reset();
  return {};
}

Result<std::optional<format::IndexEntry>> IndexCompare::next_entry() {
  while (!file_ || number_ >= header_.index_count) {
    if (file_) MQ_CHECK(close_file());
    if (!what_.empty()) return std::optional<format::IndexEntry>();
    MQ_TRY(const bool more, open_next());
    if (!more) return std::optional<format::IndexEntry>();
  }
  if (block_at_ == block_.size()) {
    block_.resize(std::min(kBlockBytes, static_cast<std::size_t>(header_.index_count - number_) *
                                            format::IndexEntry::kEncodedBytes));
    MQ_TRY(const std::size_t got, file_->read_at(shape_.entry_at(number_), block_));
    if (got < block_.size()) return Error{Errc::kIo, where() + ": became shorter"};
    block_at_ = 0;
  }
  const auto entry = format::decode_index_entry(
      Bytes(block_).subspan(block_at_, format::IndexEntry::kEncodedBytes));
  block_at_ += format::IndexEntry::kEncodedBytes;
  if (!entry) {
    differ(fmt::format("{} at {}: {}", where(), shape_.entry_at(number_), entry.error().text()));
    return std::optional<format::IndexEntry>();
  }
  std::int32_t& slot = slots_[static_cast<std::size_t>(entry->key_hash % shape_.slots)];
  if (entry->previous != slot) {
    differ(fmt::format("{} at {}: entry {} follows {}, expected {}", where(),
                       shape_.entry_at(number_), number_, entry->previous, slot));
    return std::optional<format::IndexEntry>();
  }
  if (number_ == 1 && entry->commitlog_offset != header_.begin_offset)
    differ(fmt::format("{} at 16: begins with offset {}, the header says {}", where(),
                       entry->commitlog_offset.value(), header_.begin_offset.value()));
  slot = number_++;
  return std::optional<format::IndexEntry>(*entry);
}

Result<void> IndexCompare::add(std::int32_t hash, PhysicalOffset at, std::int64_t ms) {
  if (lags_) ++missing_;
  while (what_.empty() && !lags_) {
    MQ_TRY(const auto entry, next_entry());
    if (!what_.empty()) return {};
    if (!entry) {
      lags_ = true;
      missing_ = 1;
      missing_from_ = at;
      return {};
    }
    const Key key{entry->key_hash, entry->commitlog_offset};
    const bool is_old = key.at < log_begin_;
    if (key.at < last_at_) {
      differ(fmt::format("{} at {}: entry {} is of offset {}, the one before it of {}", where(),
                         shape_.entry_at(number_ - 1), number_ - 1, key.at.value(),
                         last_at_.value()));
      return {};
    }
    if (key.at != last_at_) of_last_record_.clear();
    const bool is_again =
        std::find(of_last_record_.begin(), of_last_record_.end(), key) != of_last_record_.end();
    if (key == Key{hash, at}) {
      of_last_record_.push_back(key);
      last_at_ = at;
      last_ms_ = ms;
      const std::int32_t seconds = format::index_seconds(header_.begin_timestamp_ms, ms);
      // The first of a file counts from the end of the file before.
      if (number_ == 2 && header_.begin_timestamp_ms != ms)
        differ(fmt::format("{} at 0: begins with time {}, the header says {}", where(), ms,
                           header_.begin_timestamp_ms));
      if (number_ > 2 && entry->seconds != seconds)
        differ(fmt::format("{} at {}: {} seconds, expected {}", where(),
                           shape_.entry_at(number_ - 1) + 12, entry->seconds, seconds));
      return {};
    }
    last_at_ = key.at;
    if (is_old || is_again) continue;
    differ(fmt::format("{} at {}: a key with hash {} at offset {}, expected {} at {}", where(),
                       shape_.entry_at(number_ - 1), key.hash, key.at.value(), hash, at.value()));
  }
  return {};
}

Result<void> IndexCompare::finish() {
  while (what_.empty() && !lags_) {
    MQ_TRY(const auto entry, next_entry());
    if (!entry) break;
    const Key key{entry->key_hash, entry->commitlog_offset};
    const bool is_again =
        std::find(of_last_record_.begin(), of_last_record_.end(), key) != of_last_record_.end();
    const bool is_old = key.at < log_begin_ && key.at >= last_at_;
    if (is_old) last_at_ = key.at;
    if (!is_old && !is_again)
      differ(fmt::format("{} at {}: a key at offset {}, where the log has none", where(),
                         shape_.entry_at(number_ - 1), key.at.value()));
  }
  return {};
}

}  // namespace mq::inspect
