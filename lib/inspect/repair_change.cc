#include "inspect/repair_change.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace mq::inspect {
namespace {

constexpr std::string_view kAreaPrefix = "mqdump.new-";
constexpr const char* kPatchesName = "patches";
constexpr std::size_t kCopyBytes = 1 << 20;
constexpr std::array<std::string_view, 5> kKinds{"replace", "put aside", "patch", "cut", "mtime"};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A journal is ours, but a path in it still may not lead out of the store.
bool is_below(std::string_view path) {
  if (path.empty() || path.front() == '/') return false;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    if (path.substr(0, end) == "..") return false;
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return true;
}

Result<std::int64_t> last_byte_set(fs::File& file, std::int64_t from, std::int64_t to) {
  std::vector<std::byte> block(kCopyBytes);
  std::int64_t last = from;
  for (std::int64_t at = from; at < to;) {
    MQ_TRY(const std::int64_t data, file.next_data(at));
    at = std::max(at, data);
    if (at >= to) break;
    const auto want = static_cast<std::size_t>(
        std::min<std::int64_t>(to - at, static_cast<std::int64_t>(block.size())));
    MQ_TRY(const std::size_t got, file.read_at(at, MutableBytes(block).first(want)));
    for (std::size_t i = got; i > 0; --i) {
      if (block[i - 1] == std::byte{0}) continue;
      last = at + static_cast<std::int64_t>(i);
      break;
    }
    if (got < want) break;
    at += static_cast<std::int64_t>(got);
  }
  return last;
}

}  // namespace

StoreChange::StoreChange(fs::Fs& fs, std::string store, std::string stamp)
    : fs_(fs), store_(std::move(store)), stamp_(std::move(stamp)) {}

std::string StoreChange::kept_name(std::string_view live) const {
  const std::size_t end = std::min(live.find('/'), live.size());
  return fmt::format("{}.bak-{}{}", live.substr(0, end), stamp_, live.substr(end));
}

// --- what is to be done

void StoreChange::replace(const std::string& live) {
  steps_.push_back({.kind = Step::Kind::kReplace, .path = live});
}
void StoreChange::put_aside(const std::string& live) {
  steps_.push_back({.kind = Step::Kind::kPutAside, .path = live});
}
void StoreChange::set_mtime(const std::string& file, std::int64_t mtime_ms) {
  steps_.push_back({.kind = Step::Kind::kMtime, .path = file, .at = mtime_ms});
}

// The bytes go where a file that was put aside would go, with their position behind the name.
Result<void> StoreChange::keep_bytes(const std::string& file, std::int64_t at, std::int64_t bytes) {
  MQ_TRY(const auto in, fs_.open(full(file), fs::OpenMode::kRead));
  MQ_TRY(const std::int64_t size, in->size());
  bytes = std::min(bytes, size - at);
  if (bytes <= 0) return {};
  const std::string kept = fmt::format("{}.at-{}", kept_name(file), at);
  const std::string path = area() + "/" + kept;
  MQ_CHECK(fs_.make_directories(parent_of(path)));
  MQ_TRY(const auto out, fs_.open(path, fs::OpenMode::kCreate));
  std::vector<std::byte> block(static_cast<std::size_t>(std::min<std::int64_t>(bytes, kCopyBytes)));
  for (std::int64_t done = 0; done < bytes;) {
    const auto want = static_cast<std::size_t>(
        std::min<std::int64_t>(bytes - done, static_cast<std::int64_t>(block.size())));
    MQ_TRY(const std::size_t got, in->read_at(at + done, MutableBytes(block).first(want)));
    if (got == 0) break;
    MQ_CHECK(out->write_at(done, Bytes(block).first(got)));
    done += static_cast<std::int64_t>(got);
  }
  MQ_CHECK(out->sync());
  MQ_CHECK(fs_.sync_directory(parent_of(path)));
  replace(kept);
  return {};
}

Result<void> StoreChange::patch(const std::string& file, std::int64_t at, Bytes bytes, bool keep) {
  const auto count = static_cast<std::int64_t>(bytes.size());
  if (count == 0) return {};
  if (keep) MQ_CHECK(keep_bytes(file, at, count));
  if (!patches_) {
    MQ_CHECK(fs_.make_directories(area()));
    MQ_TRY(patches_, fs_.open(area() + "/" + kPatchesName, fs::OpenMode::kCreate));
  }
  MQ_CHECK(patches_->write_at(patch_bytes_, bytes));
  steps_.push_back(
      {.kind = Step::Kind::kPatch, .path = file, .at = at, .bytes = count, .from = patch_bytes_});
  patch_bytes_ += count;
  return {};
}

Result<void> StoreChange::cut(const std::string& file, std::int64_t at, std::int64_t bytes) {
  MQ_TRY(const auto in, fs_.open(full(file), fs::OpenMode::kRead));
  MQ_TRY(const std::int64_t size, in->size());
  MQ_TRY(const std::int64_t end, last_byte_set(*in, at, size));
  MQ_CHECK(keep_bytes(file, at, end - at));
  steps_.push_back({.kind = Step::Kind::kCut, .path = file, .at = at, .bytes = bytes});
  return {};
}

// --- the journal

std::string StoreChange::to_journal() const {
  json::array steps;
  for (const Step& step : steps_) {
    json::object o{{"do", kKinds.at(static_cast<std::size_t>(step.kind))}, {"path", step.path}};
    if (step.kind == Step::Kind::kPatch) o["from"] = step.from;
    if (step.kind == Step::Kind::kPatch || step.kind == Step::Kind::kCut) o["bytes"] = step.bytes;
    if (step.kind >= Step::Kind::kPatch) o["at"] = step.at;
    steps.push_back(std::move(o));
  }
  return to_json(json::object{{"version", 1}, {"stamp", stamp_}, {"steps", std::move(steps)}}) +
         "\n";
}

Result<void> StoreChange::from_journal(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return Error{Errc::kCorrupt, fmt::format("{}/{}: {}", store_, kJournal, what)};
  };
  MQ_TRY(const json::value journal, parse_json(text));
  if (int_or(member(journal, "version"), 0) != 1)
    return refuse("of another version of mqdump, which has to finish it");
  stamp_ = string_or(member(journal, "stamp"), "");
  const json::value* const steps = member(journal, "steps");
  if (stamp_.empty() || stamp_.find('/') != std::string::npos || steps == nullptr ||
      !steps->is_array()) {
    return refuse("no journal");
  }
  for (const json::value& value : steps->get_array()) {
    const auto kind = std::find(kKinds.begin(), kKinds.end(), string_or(member(value, "do"), ""));
    Step step{.kind = static_cast<Step::Kind>(kind - kKinds.begin()),
              .path = string_or(member(value, "path"), ""),
              .at = int_or(member(value, "at"), 0),
              .bytes = int_or(member(value, "bytes"), 0),
              .from = int_or(member(value, "from"), 0)};
    if (kind == kKinds.end() || !is_below(step.path)) return refuse("a step that is none");
    steps_.push_back(std::move(step));
  }
  return {};
}

// Written beside, so that a journal is there whole or not at all, and nothing else ever appears in
// the commit log's directory.
Result<void> StoreChange::commit() {
  if (steps_.empty()) return {};
  if (patches_) MQ_CHECK(patches_->sync());
  MQ_CHECK(fs_.make_directories(area()));
  const std::string made = area() + "/journal";
  {
    MQ_TRY(const auto file, fs_.open(made, fs::OpenMode::kCreate));
    MQ_CHECK(file->truncate(0));
    MQ_CHECK(file->write_at(0, as_bytes(to_journal())));
    MQ_CHECK(file->sync());
  }
  MQ_CHECK(fs_.sync_directory(area()));
  MQ_CHECK(fs_.sync_directory(store_));
  MQ_CHECK(fs_.rename(made, full(kJournal)));
  MQ_CHECK(fs_.sync_directory(parent_of(full(kJournal))));
  return apply();
}

bool StoreChange::is_unfinished(fs::Fs& fs, const std::string& store) {
  return fs.exists(store + "/" + std::string(kJournal));
}

Result<bool> StoreChange::finish(fs::Fs& fs, const std::string& store) {
  if (is_unfinished(fs, store)) {
    MQ_TRY(const std::string text, fs::read_file(fs, store + "/" + std::string(kJournal)));
    StoreChange change(fs, store, {});
    MQ_CHECK(change.from_journal(text));
    MQ_CHECK(change.apply());
    return true;
  }
  MQ_TRY(const auto names, fs.list(store));
  for (const std::string& name : names) {
    if (name.starts_with(kAreaPrefix)) MQ_CHECK(fs::remove_tree(fs, store + "/" + name));
  }
  return false;
}

// --- doing it

Result<void> StoreChange::move(const std::string& from, const std::string& to) {
  MQ_CHECK(fs_.make_directories(parent_of(to)));
  MQ_CHECK(fs_.rename(from, to));
  moved_in_.push_back(parent_of(from));
  moved_in_.push_back(parent_of(to));
  return {};
}

Result<void> StoreChange::sync_moved() {
  std::sort(moved_in_.begin(), moved_in_.end());
  moved_in_.erase(std::unique(moved_in_.begin(), moved_in_.end()), moved_in_.end());
  for (const std::string& directory : moved_in_) MQ_CHECK(fs_.sync_directory(directory));
  moved_in_.clear();
  return {};
}

Result<void> StoreChange::apply_to_files() {
  std::unique_ptr<fs::File> patches;
  std::vector<std::byte> block(kCopyBytes);
  for (const Step& step : steps_) {
    if (step.kind != Step::Kind::kPatch && step.kind != Step::Kind::kCut) continue;
    MQ_TRY(const auto file, fs_.open(full(step.path), fs::OpenMode::kReadWrite));
    if (step.kind == Step::Kind::kCut) {
      MQ_CHECK(file->truncate(step.at));
      MQ_CHECK(file->truncate(step.bytes));
    } else {
      if (!patches) {
        MQ_TRY(patches, fs_.open(area() + "/" + kPatchesName, fs::OpenMode::kRead));
      }
      for (std::int64_t done = 0; done < step.bytes;) {
        const auto want = static_cast<std::size_t>(
            std::min<std::int64_t>(step.bytes - done, static_cast<std::int64_t>(block.size())));
        const MutableBytes part = MutableBytes(block).first(want);
        MQ_TRY(const std::size_t got, patches->read_at(step.from + done, part));
        if (got != want) return Error{Errc::kCorrupt, area() + ": patches are missing"};
        MQ_CHECK(file->write_at(step.at + done, part));
        done += static_cast<std::int64_t>(got);
      }
    }
    MQ_CHECK(file->sync());
  }
  return {};
}

// As long as the new thing is in the area, what stands in its place is the old one.
Result<void> StoreChange::apply() {
  MQ_CHECK(apply_to_files());
  for (const Step& step : steps_) {
    const bool replaces = step.kind == Step::Kind::kReplace;
    if (!replaces && step.kind != Step::Kind::kPutAside) continue;
    if (replaces && !fs_.exists(fresh(step))) continue;
    if (!fs_.exists(full(step.path))) continue;
    MQ_CHECK(move(full(step.path), full(kept_name(step.path))));
  }
  MQ_CHECK(sync_moved());
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::kReplace && fs_.exists(fresh(step)))
      MQ_CHECK(move(fresh(step), full(step.path)));
  }
  MQ_CHECK(sync_moved());
  for (const Step& step : steps_) {
    if (step.kind == Step::Kind::kMtime) MQ_CHECK(fs_.set_mtime_ms(full(step.path), step.at));
  }
  // The change is made; what is left of the area is of no use to anybody.
  MQ_CHECK(fs_.remove(full(kJournal)));
  MQ_CHECK(fs_.sync_directory(parent_of(full(kJournal))));
  MQ_CHECK(fs::remove_tree(fs_, area()));
  return fs_.sync_directory(store_);
}

}  // namespace mq::inspect
