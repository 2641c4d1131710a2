// mqdump timer: the messages that wait for their time, the wheel that they hang on, and how far the
// timer has come.
#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "cli/units.h"
#include "commands.h"
#include "inspect/timer_files.h"
#include "listing.h"

namespace mq::mqdump {
namespace {

struct Options : StoreOptions {
  std::string format;
  std::int64_t count = -1;
  bool wheel = false;
  bool checkpoint = false;
};

// A line's fields: the letter of -F, the name of -J, the value, and how people see it.
struct Field {
  char letter;
  const char* name;
  std::int64_t value;
  enum class Kind : std::uint8_t { kNumber, kTime, kYesNo } kind = Kind::kNumber;
};
constexpr std::string_view kUnitLetters = "nTBdPSvhrxw";
constexpr std::string_view kSlotLetters = "nTabc";

class TimerCommand final : public Listing {
 public:
  TimerCommand(const Options& o, LineFormat format) : Listing(std::move(format), o.count), o_(o) {}

  // False when nobody wants more.
  bool unit(std::int64_t position, const format::TimerUnit& u, std::int64_t read_to_ms) {
    using Kind = Field::Kind;
    // Either may be anything in a damaged file.
    const auto due = static_cast<std::int64_t>(static_cast<std::uint64_t>(u.write_time_ms) +
                                               static_cast<std::uint64_t>(u.delay_ms));
    const std::int64_t is_roll = (u.magic & format::TimerUnit::kMagicRoll) != 0 ? 1 : 0;
    const std::int64_t is_delete = (u.magic & format::TimerUnit::kMagicDelete) != 0 ? 1 : 0;
    // The slot of the read time is the next that is taken.
    const std::int64_t waits = due >= read_to_ms ? 1 : 0;
    const std::array fields = {Field{'n', "position", position},
                               Field{'T', "due", due, Kind::kTime},
                               Field{'B', "writeTime", u.write_time_ms, Kind::kTime},
                               Field{'d', "delay", u.delay_ms},
                               Field{'P', "physicalOffset", u.commitlog_offset.value()},
                               Field{'S', "size", u.record_bytes},
                               Field{'v', "previous", u.previous},
                               Field{'h', "topicHash", u.topic_hash},
                               Field{'r', "rolls", is_roll, Kind::kYesNo},
                               Field{'x', "cancels", is_delete, Kind::kYesNo},
                               Field{'w', "waits", waits, Kind::kYesNo}};
    if (o_.json || !o_.format.empty()) return line(fields);
    fmt::format_to(std::back_inserter(out_.buffer()), "{} due {} at {} size {}{}{}{}\n", position,
                   cli::format_time_ms(due), u.commitlog_offset.value(), u.record_bytes,
                   is_roll != 0 ? " rolls" : "", is_delete != 0 ? " cancels" : "",
                   waits != 0 ? " waits" : "");
    return entry_done();
  }

  bool slot(std::int64_t number, const format::TimerSlot& s) {
    const std::array fields = {Field{'n', "slot", number}, Field{'T', "time", s.time},
                               Field{'a', "first", s.first}, Field{'b', "last", s.last},
                               Field{'c', "count", s.count}};
    if (o_.json || !o_.format.empty()) return line(fields);
    fmt::format_to(std::back_inserter(out_.buffer()), "{} time {} units {} to {} count {}\n",
                   number, s.time, s.first, s.last, s.count);
    return entry_done();
  }

  void checkpoint(const format::TimerCheckpoint& c) {
    using Kind = Field::Kind;
    const std::array fields = {
        Field{0, "lastReadTimeMs", c.last_read_time_ms, Kind::kTime},
        Field{0, "lastTimerLogFlushPos", c.last_log_flush_position},
        Field{0, "lastTimerQueueOffset", c.last_queue_offset.value()},
        Field{0, "masterTimerQueueOffset", c.master_queue_offset.value()},
        Field{0, "dataVersionStateVersion", c.state_version},
        Field{0, "dataVersionTimestamp", c.version_timestamp_ms, Kind::kTime},
        Field{0, "dataVersionCounter", c.version_counter}};
    if (o_.json) {
      line(fields);
      return;
    }
    for (const Field& f : fields) {
      fmt::format_to(std::back_inserter(out_.buffer()), "{:<25}{}{}\n", f.name, f.value,
                     f.kind == Kind::kTime && f.value > 0 ? " " + cli::format_time_ms(f.value)
                                                          : std::string());
    }
  }

 private:
  template <std::size_t N>
  bool line(const std::array<Field, N>& fields) {
    std::string& out = out_.buffer();
    if (o_.json) {
      for (const Field& f : fields) {
        out += &f == fields.data() ? '{' : ',';
        fmt::format_to(std::back_inserter(out), "\"{}\":{}", f.name, shown(f));
      }
      out += "}\n";
    } else {
      format_.append(out, [&](char letter, std::string& to) {
        const auto* const f =
            std::find_if(fields.begin(), fields.end(),
                         [letter](const Field& each) { return each.letter == letter; });
        to += std::to_string(f->value);
      });
    }
    return entry_done();
  }
  static std::string shown(const Field& f) {
    if (f.kind != Field::Kind::kYesNo) return std::to_string(f.value);
    return f.value != 0 ? "true" : "false";
  }

  const Options& o_;
};

int run(const Options& o) {
  cli::catch_signals();
  auto format = LineFormat::compile(o.format, o.wheel ? kSlotLetters : kUnitLetters);
  if (!format) return cli::fail(format.error());
  fs::Fs& fs = fs::posix();
  if (auto there = fs.stat(o.directory); !there) return cli::fail(there.error());
  TimerCommand command(o, *std::move(format));
  const auto note = [&](const std::string& what) { command.damage(what); };
  const auto checkpoint = inspect::read_timer_checkpoint(fs, o.directory);
  if (!checkpoint && (o.checkpoint || checkpoint.error().code() == Errc::kIo))
    return cli::fail(checkpoint.error());
  if (!checkpoint && checkpoint.error().code() != Errc::kNotFound)
    command.damage(checkpoint.error().text());
  Result<void> walked;
  if (o.checkpoint) {
    command.checkpoint(*checkpoint);
  } else if (o.wheel) {
    walked = inspect::walk_timer_wheel(
        fs, o.directory,
        [&](std::int64_t number, const format::TimerSlot& s) { return command.slot(number, s); },
        note);
  } else {
    const std::int64_t read_to_ms = checkpoint ? checkpoint->last_read_time_ms : 0;
    walked = inspect::walk_timer_log(
        fs, o.directory,
        [&](std::int64_t position, const format::TimerUnit& u) {
          return command.unit(position, u, read_to_ms);
        },
        note);
  }
  if (!walked) return cli::fail(walked.error());
  return command.end();
}

}  // namespace

void add_timer(Commands& all) {
  auto o = std::make_shared<Options>();
  cli::Command* app =
      all.add("timer", "messages with a due time, their wheel, the timer's checkpoint", *o,
              [o] { return run(*o); });
  cli::Option* const wheel = app->add_flag("--wheel", o->wheel, "the slots of the wheel instead");
  cli::Option* const checkpoint =
      app->add_flag("--checkpoint", o->checkpoint, "how far the timer has come instead");
  checkpoint->excludes(wheel);
  app->add_option("-F,--format", o->format,
                  "%n position %T due %B written %d delay %P physical offset %S size %v previous "
                  "%h topic hash %r rolls %x cancels %w waits; of slots %n number %T time %a first "
                  "%b last %c count")
      ->type_name("FMT")
      ->excludes(checkpoint);
  app->add_option("-c,--count", o->count, "stop after N lines")
      ->type_name("N")
      ->check(cli::is_positive());
}

}  // namespace mq::mqdump
