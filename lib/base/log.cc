#include "base/log.h"

#include <atomic>
#include <cstdlib>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace mq::log {
namespace {

std::atomic<Level> threshold{Level::kInfo};

// Under systemd stderr is the journal: it wants "<N>" in front and keeps the time itself.
bool to_journal() { return std::getenv("JOURNAL_STREAM") != nullptr; }

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("mq", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    made->set_pattern(to_journal() ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %L %v");
    return made;
  }();
  return *instance;
}

struct Names {
  spdlog::level::level_enum spd;
  const char* journal;
};
Names names_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return {spdlog::level::debug, "<7>"};
    case Level::kInfo:
      return {spdlog::level::info, "<6>"};
    case Level::kWarn:
      return {spdlog::level::warn, "<4>"};
    case Level::kError:
    case Level::kOff:
      return {spdlog::level::err, "<3>"};
  }
  return {spdlog::level::err, "<3>"};
}

}  // namespace

void set_level(Level level) noexcept { threshold.store(level, std::memory_order_relaxed); }
bool enabled(Level level) noexcept { return level >= threshold.load(std::memory_order_relaxed); }

void write(Level level, std::string_view line) {
  static const bool journal = to_journal();
  const Names names = names_of(level);
  logger().log(names.spd, "{}{}", journal ? names.journal : "", line);
}

}  // namespace mq::log
