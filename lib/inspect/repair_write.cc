#include "inspect/repair_write.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/hash.h"
#include "format/names.h"
#include "inspect/zeros.h"

namespace mq::inspect {
namespace {

constexpr std::size_t kBlockBytes = 1 << 16;

std::string log_path(PhysicalOffset start) {
  return "commitlog/" + format::stream_file_name(start.value());
}

class LogFiles {
 public:
  LogFiles(fs::Fs& fs, const std::string& store, const LogMend& mend)
      : fs_(fs), directory_(store + "/commitlog"), mend_(mend), file_bytes_(mend.file_bytes()) {}

  Result<std::vector<LogFileWork>> look() {
    MQ_TRY(const auto names, fs_.list(directory_));
    std::set<std::int64_t> starts;
    for (const std::string& name : names) {
      MQ_TRY(const fs::Stat stat, fs_.stat(directory_ + "/" + name));
      if (stat.is_directory) continue;
      const auto start = format::parse_stream_file_name(name);
      if (!start || *start % file_bytes_ != 0) {
        put_aside(name, "no commit log file: a stock broker would not start", true);
      } else if (PhysicalOffset(*start) > mend_.end()) {
        MQ_CHECK(look_behind(name, *start, stat.bytes));
      } else {
        starts.insert(*start);
        MQ_CHECK(look_at(name, *start, stat.bytes));
      }
    }
    for (std::int64_t at = mend_.begin().value(); at < mend_.end().value(); at += file_bytes_) {
      if (starts.contains(at)) continue;
      out_.push_back({.kind = LogFileWork::Kind::kCreate,
                      .name = format::stream_file_name(at),
                      .start = PhysicalOffset(at),
                      .what = "is missing"});
    }
    return std::move(out_);
  }

 private:
  void put_aside(const std::string& name, std::string what, bool is_damage) {
    out_.push_back({.kind = LogFileWork::Kind::kPutAside,
                    .name = name,
                    .what = std::move(what),
                    .is_damage = is_damage});
  }

  // A file that holds some of the log.
  Result<void> look_at(const std::string& name, std::int64_t start, std::int64_t bytes) {
    const std::int64_t end = mend_.end().value() - start;  // of the log, in the file
    const bool is_last = end < file_bytes_;
    std::int64_t set = -1;
    if (is_last) {
      MQ_TRY(const auto file, fs_.open(directory_ + "/" + name, fs::OpenMode::kRead));
      MQ_TRY(set, first_byte_set(*file, end));
    }
    if (set >= 0) {
      out_.push_back({.kind = LogFileWork::Kind::kTail,
                      .name = name,
                      .at = end,
                      .what = mend_.is_cut() ? fmt::format("the log is cut at {}", end)
                                             : fmt::format("a torn tail at {}", end),
                      .is_damage = false});
    }
    if (bytes == file_bytes_ || (set >= 0 && is_last)) {
      if (bytes != file_bytes_) out_.back().is_damage = true;
      if (bytes != file_bytes_)
        out_.back().what += fmt::format("; {} bytes, expected {}", bytes, file_bytes_);
      return {};
    }
    out_.push_back({.kind = LogFileWork::Kind::kLength,
                    .name = name,
                    .at = std::min(bytes, file_bytes_),
                    .what = fmt::format("{} bytes, expected {}", bytes, file_bytes_)});
    return {};
  }

  // A file behind the log's end: one of zeros, right behind it, is what brokers keep in reserve.
  Result<void> look_behind(const std::string& name, std::int64_t start, std::int64_t bytes) {
    if (bytes == 0) {
      put_aside(name, "empty", false);
      return {};
    }
    MQ_TRY(const auto file, fs_.open(directory_ + "/" + name, fs::OpenMode::kRead));
    MQ_TRY(const std::int64_t set, first_byte_set(*file, 0));
    if (set >= 0) {
      put_aside(name, mend_.is_cut() ? "lies behind where the log is cut" : "holds no record",
                !mend_.is_cut());
    } else if (bytes != file_bytes_) {
      put_aside(name, fmt::format("{} bytes, expected {}, and holds nothing", bytes, file_bytes_),
                true);
    } else if (start - mend_.end().value() >= file_bytes_ * 2) {
      put_aside(name, "holds nothing, and the file before it is missing", true);
    }
    return {};
  }

  fs::Fs& fs_;
  const std::string directory_;
  const LogMend& mend_;
  const std::int64_t file_bytes_;
  std::vector<LogFileWork> out_;
};

// --- changes

class LogWriter {
 public:
  LogWriter(fs::Fs& fs, const std::string& store, LogMend& mend, StoreChange& change)
      : fs_(fs), store_(store), mend_(mend), change_(change) {}

  Result<void> write(const std::vector<LogFileWork>& work) {
    for (const LogFileWork& file : work) MQ_CHECK(write_file(file));
    for (const Stretch& stretch : mend_.stretches()) {
      if (stretch.begin >= mend_.end()) continue;
      if (stretch.is_missing) continue;  // with its file
      MQ_CHECK(write_stretch(stretch));
    }
    for (const auto& [at, fixed] : mend_.fixed()) {
      if (at < mend_.end()) MQ_CHECK(write_fixed(at, fixed.bytes));
    }
    for (const std::string& path : touched_) {
      MQ_TRY(const fs::Stat stat, fs_.stat(store_ + "/" + path));
      change_.set_mtime(path, stat.mtime_ms);
    }
    return {};
  }

 private:
  Result<void> write_file(const LogFileWork& file) {
    const std::string path = "commitlog/" + file.name;
    switch (file.kind) {
      case LogFileWork::Kind::kCreate:
        return create(file.start);
      case LogFileWork::Kind::kLength:
      case LogFileWork::Kind::kTail:
        touched_.insert(path);
        return change_.cut(path, file.at, mend_.file_bytes());
      case LogFileWork::Kind::kPutAside:
        change_.put_aside(path);
        return {};
    }
    return {};
  }

  // A missing file: what is held, and holes.
  Result<void> create(PhysicalOffset start) {
    const std::string path = change_.area() + "/" + log_path(start);
    MQ_CHECK(fs_.make_directories(change_.area() + "/commitlog"));
    MQ_TRY(const auto file, fs_.open(path, fs::OpenMode::kCreate));
    MQ_CHECK(file->truncate(mend_.file_bytes()));
    std::string block;
    std::int64_t block_at = 0;
    Result<void> done;
    const auto put = [&](PhysicalOffset at, const std::string& bytes) {
      if (block_at + static_cast<std::int64_t>(block.size()) != at - start ||
          block.size() > kBlockBytes) {
        if (done) done = file->write_at(block_at, as_bytes(block));
        block.clear();
        block_at = at - start;
      }
      block += bytes;
    };
    for (const Stretch& stretch : mend_.stretches()) {
      if (stretch.begin < start || stretch.begin >= start + mend_.file_bytes()) continue;
      MQ_CHECK(for_each_piece(
          stretch, [&](PhysicalOffset at, const std::string& bytes) { put(at, bytes); }));
    }
    MQ_CHECK(std::move(done));
    MQ_CHECK(file->write_at(block_at, as_bytes(block)));
    MQ_CHECK(file->sync());
    MQ_CHECK(fs_.sync_directory(change_.area() + "/commitlog"));
    // As old as the one in front of it, or retention would keep all before it.
    if (const LogFile* before = mend_.file_starting(start - mend_.file_bytes())) {
      MQ_TRY(const fs::Stat stat, fs_.stat(before->path));
      MQ_CHECK(fs_.set_mtime_ms(path, stat.mtime_ms));
    }
    change_.replace(log_path(start));
    return {};
  }

  Result<void> write_stretch(const Stretch& stretch) {
    const PhysicalOffset start = stretch.begin - stretch.begin.value() % mend_.file_bytes();
    const std::string path = log_path(start);
    touched_.insert(path);
    std::string block;  // neighbours in one step
    PhysicalOffset block_at{};
    Result<void> done;
    const auto flush = [&] {
      if (done && !block.empty())
        done = change_.patch(path, block_at - start, as_bytes(block), true);
      block.clear();
    };
    MQ_CHECK(for_each_piece(stretch, [&](PhysicalOffset at, const std::string& bytes) {
      if (block_at + static_cast<std::int64_t>(block.size()) != at || block.size() > (4U << 20))
        flush();
      if (block.empty()) block_at = at;
      block += bytes;
    }));
    flush();
    return done;
  }

  // All bytes that a stretch gets, in order; those between them stay as they are.
  Result<void> for_each_piece(
      const Stretch& stretch,
      const std::function<void(PhysicalOffset, const std::string&)>& visit) {
    Result<void> done;
    lay_out(stretch, [&](const Scrap& scrap) {
      if (!done) return;
      if (scrap.kind == Scrap::Kind::kHeld) {
        visit(scrap.at, held_record(stretch, scrap));
      } else if (scrap.kind == Scrap::Kind::kBlank) {
        std::array<std::byte, format::kBlankHeadBytes> blank{};
        format::encode_blank(static_cast<std::int32_t>(scrap.bytes), blank);
        visit(scrap.at, std::string(as_text(blank)));
      } else {
        done = visit_scrap(stretch, scrap, visit);
      }
    });
    return done;
  }

  Result<void> visit_scrap(const Stretch& stretch, const Scrap& scrap,
                           const std::function<void(PhysicalOffset, const std::string&)>& visit) {
    const std::size_t bytes = scrap_body_bytes(stretch, scrap);
    const ScrapEnds empty = scrap_ends(stretch,
                                       {.kind = scrap.kind,
                                        .at = scrap.at,
                                        .bytes = scrap.bytes - static_cast<std::int64_t>(bytes)},
                                       {});
    const auto head_bytes = static_cast<std::int64_t>(empty.head.size());
    // What stands there, or will: a file that is too short gets zeros.
    std::vector<std::byte> body(bytes);
    if (!stretch.is_missing) {
      MQ_TRY(const Bytes there, mend_.log().bytes_from(scrap.at + head_bytes));
      std::copy_n(there.begin(), std::min(there.size(), bytes), body.begin());
    }
    const ScrapEnds ends = scrap_ends(stretch, scrap, body);
    visit(scrap.at, ends.head);
    visit(scrap.at + head_bytes + static_cast<std::int64_t>(bytes), ends.tail);
    return {};
  }

  Result<void> write_fixed(PhysicalOffset at, const std::string& bytes) {
    const PhysicalOffset start = at - at.value() % mend_.file_bytes();
    MQ_TRY(const Bytes there, mend_.log().bytes_from(at));
    std::size_t from = 0;
    std::size_t to = bytes.size();
    const Bytes right = as_bytes(bytes);
    if (there.size() >= to) {
      while (from < to && there[from] == right[from]) ++from;
      while (to > from && there[to - 1] == right[to - 1]) --to;
    }
    if (from == to) return {};
    touched_.insert(log_path(start));
    return change_.patch(log_path(start), at - start + static_cast<std::int64_t>(from),
                         right.subspan(from, to - from), true);
  }

  fs::Fs& fs_;
  const std::string& store_;
  LogMend& mend_;
  StoreChange& change_;
  std::set<std::string> touched_;
};

}  // namespace

Result<std::vector<LogFileWork>> log_file_work(fs::Fs& fs, const std::string& store,
                                               const LogMend& mend) {
  return LogFiles(fs, store, mend).look();
}

Result<void> write_log(fs::Fs& fs, const std::string& store, LogMend& mend,
                       const std::vector<LogFileWork>& work, StoreChange& change) {
  return LogWriter(fs, store, mend, change).write(work);
}

}  // namespace mq::inspect
