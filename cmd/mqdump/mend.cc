#include "mend.h"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "inspect/log_reader.h"

namespace mq::mqdump {
namespace {

Result<std::int64_t> parse_number(std::string_view key, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || number <= 0)
    return Error{Errc::kInvalid, fmt::format("{}={}: expected a positive number", key, value)};
  return number;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// True if the key is one of those that say how the files of a store are made.
Result<bool> apply(std::string_view key, std::string_view value, Sizes& sizes) {
  inspect::StoreShape& shape = sizes.shape;
  if (key == "messageDelayLevel") {
    sizes.delay_levels = value;
    return true;
  }
  std::int64_t unit = 1;
  std::int64_t* size = nullptr;
  std::int32_t* count = nullptr;
  if (key == "mappedFileSizeCommitLog") size = &shape.log_file_bytes;
  if (key == "mappedFileSizeConsumeQueue") size = &shape.queue_file_bytes, unit = 20;
  if (key == "mapperFileSizeBatchConsumeQueue") size = &shape.batch_queue_file_bytes, unit = 46;
  if (key == "maxHashSlotNum") count = &shape.index.slots;
  if (key == "maxIndexNum") count = &shape.index.entries;
  if (size == nullptr && count == nullptr) return false;
  MQ_TRY(const std::int64_t number, parse_number(key, value));
  if (size != nullptr) *size = (number + unit - 1) / unit * unit;
  if (count != nullptr) {
    if (number > INT32_MAX)
      return Error{Errc::kInvalid, fmt::format("{}={}: at most {}", key, value, INT32_MAX)};
    *count = static_cast<std::int32_t>(number);
  }
  return true;
}

Result<void> read_config(const std::string& path, Sizes& sizes) {
  MQ_TRY(const std::string text, fs::read_file(fs::posix(), path, 16 << 20));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    const std::size_t split = line.find('=');
    if (line.empty() || line.front() == '#' || line.front() == '!' ||
        split == std::string_view::npos)
      continue;
    auto taken = apply(trimmed(line.substr(0, split)), trimmed(line.substr(split + 1)), sizes);
    if (!taken) return std::move(taken).error().within(path);
  }
  return {};
}

}  // namespace

void add_mend_options(cli::Command& command, MendOptions& o) {
  command.add_flag("--write", o.write, "change the store; without it nothing is written to it");
  command
      .add_option("-c,--config-file", o.config_file,
                  "the broker's configuration, for the sizes of the store's files")
      ->type_name("FILE");
  command
      .add_option("-o,--option", o.settings,
                  "one of its keys: mappedFileSizeCommitLog, mappedFileSizeConsumeQueue, "
                  "maxHashSlotNum, maxIndexNum, messageDelayLevel")
      ->type_name("KEY=VALUE");
  add_run_options(command, o, false);
}

Result<Sizes> read_sizes(const MendOptions& o) {
  Sizes sizes;
  if (!o.config_file.empty()) MQ_CHECK(read_config(o.config_file, sizes));
  for (const std::string& setting : o.settings) {
    const std::size_t split = setting.find('=');
    const std::string_view text = setting;
    if (split == std::string::npos)
      return Error{Errc::kInvalid, fmt::format("-o {}: expected KEY=VALUE", setting)};
    MQ_TRY(const bool taken,
           apply(trimmed(text.substr(0, split)), trimmed(text.substr(split + 1)), sizes));
    if (!taken) {
      return Error{
          Errc::kInvalid,
          fmt::format("-o {}: no key that says how the files of a store are made", setting)};
    }
  }
  if ((sizes.shape.index.slots == 0) != (sizes.shape.index.entries == 0)) {
    // One without the other is the reference's default.
    const format::IndexShape standard;
    if (sizes.shape.index.slots == 0) sizes.shape.index.slots = standard.slots;
    if (sizes.shape.index.entries == 0) sizes.shape.index.entries = standard.entries;
  }
  return sizes;
}

Result<std::unique_ptr<fs::Lock>> lock_store(const MendOptions& o) {
  fs::Fs& fs = fs::posix();
  if (!fs.exists(o.directory + "/commitlog")) {
    return Error{Errc::kNotFound,
                 o.directory + ": no store: there is no commitlog directory in it"};
  }
  const std::string path = o.directory + "/lock";
  const std::string_view busy = "a broker runs on this store; stop it first";
  if (!o.write) {
    MQ_TRY(const auto holder, fs.lock_holder(path));
    if (!holder) return std::unique_ptr<fs::Lock>();
    return Error{Errc::kBusy,
                 fmt::format("{}: {}: held by {}", busy, path,
                             *holder > 0 ? fmt::format("process {}", *holder) : "another process")};
  }
  auto lock = fs.lock_file(path);
  if (!lock && lock.error().code() == Errc::kBusy) return std::move(lock).error().within(busy);
  return lock;
}

std::string stamp_of(std::int64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::pair<std::int64_t, std::int64_t> log_range(const std::string& store) {
  const auto log = inspect::LogReader::open(fs::posix(), store);
  if (!log) return {0, 0};
  return {(*log)->begin().value(), (*log)->end_of_files().value()};
}

}  // namespace mq::mqdump
