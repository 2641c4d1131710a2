// mqdump get: one message, by any of its names.
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "annotate.h"
#include "format/message_id.h"
#include "format/properties.h"
#include "inspect/log_reader.h"
#include "inspect/store_files.h"
#include "show.h"

namespace mq::mqdump {
namespace {

struct Options : ShowOptions {
  std::string what;
  bool hex = false;
};

// Digits alone, within the type.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// TOPIC/QUEUE/OFFSET; a topic may not contain a slash.
Result<PhysicalOffset> find_in_queue(inspect::LogReader& log, const std::string& directory,
                                     const std::string& what) {
  const std::size_t second = what.rfind('/');
  const std::size_t first = what.rfind('/', second - 1);
  const std::string topic = what.substr(0, first);
  const auto queue =
      parse_number<std::int32_t>(std::string_view(what).substr(first + 1, second - first - 1));
  const auto wanted = parse_number<std::int64_t>(std::string_view(what).substr(second + 1));
  if (!queue || !wanted) {
    return Error{Errc::kInvalid, fmt::format("'{}' is not TOPIC/QUEUE/OFFSET", what)};
  }
  MQ_TRY(const auto queues, inspect::list_queues(fs::posix(), directory));
  std::int64_t at = -1;
  for (const auto& q : queues) {
    if (q.topic != topic || q.queue != *queue) continue;
    MQ_CHECK(inspect::walk_queue(fs::posix(), q,
                                 [&](std::int64_t number, const format::ConsumeQueueEntry& entry) {
                                   if (number == *wanted && !entry.is_filler())
                                     at = entry.commitlog_offset.value();
                                   return number < *wanted;
                                 }));
  }
  if (at >= 0 && log.record_at(PhysicalOffset(at))) return PhysicalOffset(at);
  // The queue may lag behind the log, or be gone.
  MQ_CHECK(log.walk(log.begin(), log.end_of_files(), [&](const format::Record& r, Bytes) {
    if (r.topic == topic && r.queue_id == *queue && r.queue_offset.value() == *wanted)
      at = r.physical_offset.value();
    return true;
  }));
  if (at < 0) return Error{Errc::kNotFound, fmt::format("no message {}", what)};
  return PhysicalOffset(at);
}

Result<PhysicalOffset> find(inspect::LogReader& log, const std::string& directory,
                            const std::string& what) {
  if (what.starts_with('@')) {
    const auto at = parse_number<std::int64_t>(std::string_view(what).substr(1));
    if (!at) return Error{Errc::kInvalid, fmt::format("'{}': expected @PHYSICAL-OFFSET", what)};
    return PhysicalOffset(*at);
  }
  if (std::count(what.begin(), what.end(), '/') >= 2) return find_in_queue(log, directory, what);
  if (auto id = format::parse_offset_message_id(what)) {
    if (auto record = log.record_at(id->offset); record && record->store_host == id->store_host)
      return id->offset;
  }
  std::int64_t at = -1;
  MQ_CHECK(log.walk(log.begin(), log.end_of_files(), [&](const format::Record& r, Bytes) {
    if (format::find_property(r.properties, format::kUniqKey) == what)
      at = r.physical_offset.value();
    return at < 0;
  }));
  if (at < 0) return Error{Errc::kNotFound, fmt::format("no message with id {}", what)};
  return PhysicalOffset(at);
}

// Where else the record is named.
Result<std::string> references(const Options& o, const format::Record& r) {
  std::string out;
  MQ_TRY(const auto queues, inspect::list_queues(fs::posix(), o.directory));
  for (const auto& q : queues) {
    if (q.topic != r.topic || q.queue != r.queue_id) continue;
    for (const auto& file : q.files) {
      const std::int64_t position = r.queue_offset.value() * 20 - file.start;
      if (position < 0 || position + 20 > file.bytes) continue;
      MQ_TRY(const auto in, fs::posix().open(file.path, fs::OpenMode::kRead));
      std::array<std::byte, 20> raw{};
      MQ_CHECK(in->read_at(position, raw));
      const auto entry = format::decode_consume_queue_entry(raw);
      const bool fits = entry && entry->commitlog_offset == r.physical_offset &&
                        entry->record_bytes == r.total_bytes;
      fmt::format_to(
          std::back_inserter(out), "referenced from {} at {}{}\n", file.path, position,
          fits ? fmt::format(": size {}, tag code {}", entry->record_bytes, entry->tag_code)
               : ": NOT: another entry stands there");
    }
  }
  return out;
}

int run(const Options& o) {
  auto log = inspect::LogReader::open(fs::posix(), o.directory);
  if (!log) return cli::fail(log.error());
  auto at = find(**log, o.directory, o.what);
  if (!at) {
    cli::fail(at.error());
    return at.error().code() == Errc::kNotFound ? cli::kExitNo : cli::exit_for(at.error());
  }
  auto record = (*log)->record_at(*at);
  if (!record) {
    cli::fail(record.error());
    if (record.error().code() == Errc::kNotFound) return cli::kExitNo;  // no record starts there
    // A record that its file cuts short is damage, too.
    return record.error().code() == Errc::kShort ? cli::kExitData : cli::exit_for(record.error());
  }
  auto show = Show::create(o);
  if (!show) return cli::fail(show.error());
  if (!o.hex) return finish(show->record(*record), show->output(), cli::kExitOk);
  auto bytes = (*log)->bytes_from(*at);
  if (!bytes) return cli::fail(bytes.error());
  show->output().buffer() +=
      annotate(*record, bytes->first(static_cast<std::size_t>(record->total_bytes)),
               (*log)->where(*at), isatty(1) != 0);
  if (auto more = references(o, *record)) show->output().buffer() += *more;
  return finish({}, show->output(), cli::kExitOk);
}

}  // namespace

void add_get(Commands& all) {
  auto o = std::make_shared<Options>();
  CLI::App* app =
      all.add("get", "one message; DIR may be one commit log file", *o, [o] { return run(*o); });
  app->add_option("what", o->what, "@PHYSICAL, an id, or TOPIC/QUEUE/OFFSET")
      ->type_name("WHAT")
      ->required();
  app->add_flag("--hex", o->hex, "every field, its bytes, its meaning");
  add_show_options(*app, *o);
}

}  // namespace mq::mqdump
