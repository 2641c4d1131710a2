// A queue's files, cut at a place in the log.
#include <algorithm>

#include "format/consume_queue_entry.h"
#include "format/names.h"
#include "inspect/copy_files.h"
#include "inspect/page_cache.h"

namespace mq::inspect {
namespace {

struct Cut {
  std::int64_t bytes = 0;  // of the file that stay
  bool real = false;       // a record's entry is among them
  bool whole = true;       // nothing was cut off
};

// How much of a file belongs to records before `end`.
Result<Cut> find_cut_in(CopyRun& run, fs::File& in, std::int64_t size, std::int64_t entry_bytes,
                        PhysicalOffset end) {
  Cut out;
  const auto step = static_cast<std::size_t>(entry_bytes);
  std::vector<std::byte> block(step * 1600);
  for (std::int64_t at = 0; at < size;) {
    MQ_CHECK(run.check());
    MQ_TRY(const std::size_t got, in.read_at(at, block));
    for (std::size_t i = 0; i + step <= got; i += step) {
      const auto entry = format::decode_consume_queue_entry(Bytes(block).subspan(i, 20));
      if (!entry || (!entry->is_filler() && entry->end() > end)) {
        out.whole = false;
        return out;
      }
      out.real = out.real || !entry->is_filler();
      out.bytes += entry_bytes;
    }
    if (got < step) break;
    at += static_cast<std::int64_t>(got / step * step);
  }
  return out;
}

}  // namespace

Result<void> copy_queue(CopyRun& run, const std::string& from, const std::string& to,
                        std::int64_t entry_bytes, PhysicalOffset end) {
  MQ_TRY(const auto names, run.fs.list(from));
  bool made = false;
  for (const std::string& name : names) {
    if (!format::parse_stream_file_name(name)) continue;
    const std::string path = from + "/" + name;
    auto in = run.fs.open(path, fs::OpenMode::kRead);
    if (!in && in.error().code() == Errc::kNotFound) continue;  // deleted as too old
    if (!in) return std::move(in).error();
    MQ_TRY(const std::int64_t size, (*in)->size());
    Cut cut;
    {
      const PageCacheGuard guard(**in);
      MQ_TRY(cut, find_cut_in(run, **in, size, entry_bytes, end));
    }
    if (!cut.real) break;
    if (!made) MQ_CHECK(run.fs.make_directory(to));
    made = true;
    MQ_CHECK(run.copy_file(path, to + "/" + name, cut.bytes));
    if (!cut.whole) break;
  }
  return {};
}

}  // namespace mq::inspect
