#include "inspect/verify_report.h"

#include <algorithm>

#include <fmt/format.h>

namespace mq::inspect {
namespace {

std::string quoted(const std::string& path) {
  const bool plain = !path.empty() && std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) != 0 ||
           std::string_view("/._-+:,@%=").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kNormal:
      return "normal";
    case Severity::kDamage:
      break;
  }
  return "damage";
}

std::string count_of(std::int64_t count, std::string_view one) {
  const bool ends_in_y = one.ends_with('y') && !one.ends_with("ey");
  if (count == 1) return fmt::format("1 {}", one);
  return fmt::format("{} {}{}", count, ends_in_y ? one.substr(0, one.size() - 1) : one,
                     ends_in_y ? "ies" : "s");
}

void VerifyReport::add(Part part, VerifyFinding finding) {
  ++counts_[static_cast<std::size_t>(finding.severity)];
  auto& held = held_[part];
  std::int64_t& of_file = per_file_[{part, finding.file, finding.severity}];
  if (++of_file > static_cast<std::int64_t>(kPerFile) || held.size() >= kAll) return;
  held.push_back(std::move(finding));
}

void VerifyReport::tell(const std::function<void(const VerifyFinding&)>& tell) {
  for (auto& each : held_) {
    auto& [part, held] = each;
    std::stable_sort(held.begin(), held.end(), [](const VerifyFinding& a, const VerifyFinding& b) {
      return std::tie(a.file, a.at) < std::tie(b.file, b.at);
    });
    for (std::size_t i = 0; i < held.size(); ++i) {
      tell(held[i]);
      if (i + 1 < held.size() && held[i + 1].file == held[i].file) continue;
      for (const Severity severity : {Severity::kDamage, Severity::kNormal, Severity::kNote}) {
        const auto found = per_file_.find({part, held[i].file, severity});
        if (found == per_file_.end()) continue;
        const auto told = static_cast<std::int64_t>(std::count_if(
            held.begin(), held.end(), [&, &file = held[i].file](const VerifyFinding& f) {
              return f.file == file && f.severity == severity;
            }));
        if (found->second > told) {
          tell({.severity = severity,
                .file = held[i].file,
                .what = count_of(found->second - told, "more finding") + " in it"});
        }
      }
    }
  }
}

std::string VerifyReport::repair() const {
  return fmt::format("mqdump repair {} --write", quoted(store_));
}
std::string VerifyReport::rebuild(std::string_view what) const {
  return fmt::format("mqdump rebuild {} {} --write", what, quoted(store_));
}

}  // namespace mq::inspect
