#include "measure.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "client/groups.h"
#include "runtime.h"

namespace mq::mqstat {
namespace {

Result<std::optional<double>> lag(client::Cluster& cluster, const Options& o) {
  if (o.group.empty()) return Error{Errc::kInvalid, "lag: of which group? (-g)"};
  MQ_TRY(const auto progress, client::group_progress(cluster, o.group, o.topic));
  if (progress.is_unknown()) return std::optional<double>();
  return std::optional(static_cast<double>(progress.lag()));
}

double figure(const wire::KvTable& info, const std::string& name) {
  if (name == "disk") return rate(info, "commitLogDiskRatio") * 100;
  if (name == "behind") return rate(info, "dispatchBehindBytes");
  return info.contains("flushedOffset")
             ? rate(info, "commitLogMaxOffset") - rate(info, "flushedOffset")
             : 0;
}

}  // namespace

Result<std::optional<double>> measure(client::Cluster& cluster, const Options& o,
                                      const std::string& name) {
  if (name == "lag") return lag(cluster, o);
  if (name != "disk" && name != "behind" && name != "unflushed") {
    return Error{Errc::kInvalid,
                 fmt::format("no figure '{}'; there are lag, disk, behind, unflushed", name)};
  }
  double worst = 0;
  MQ_CHECK(for_each_broker(cluster, [&](const auto&, auto&, const auto& figures) {
    worst = std::max(worst, figure(figures, name));
    return Result<void>();
  }));
  return std::optional(worst);
}

bool Condition::holds(double measured) const {
  if (comparison == "=" || comparison == "==") return measured == value;
  if (comparison == "!=") return measured != value;
  if (comparison == "<") return measured < value;
  if (comparison == "<=") return measured <= value;
  if (comparison == ">") return measured > value;
  return measured >= value;
}

Result<Condition> parse_condition(const std::string& text) {
  constexpr std::string_view kSigns = "=!<>";
  const std::size_t begin = text.find_first_of(kSigns);
  const std::size_t end =
      begin == std::string::npos ? begin : text.find_first_not_of(kSigns, begin);
  const auto wrong = [&] {
    return Error{Errc::kInvalid,
                 fmt::format("'{}' is not a condition: expected lag=0, disk<80 or the like", text)};
  };
  if (end == std::string::npos) return wrong();
  Condition out{text.substr(0, begin), text.substr(begin, end - begin), 0};
  const char* const stop = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + end, stop, out.value);
  const bool known = out.comparison == "=" || out.comparison == "==" || out.comparison == "!=" ||
                     out.comparison == "<" || out.comparison == "<=" || out.comparison == ">" ||
                     out.comparison == ">=";
  if (!known || out.name.empty() || error != std::errc() || at != stop) return wrong();
  return out;
}

}  // namespace mq::mqstat
