#include "inspect/copy_files.h"

#include <algorithm>

#include "inspect/page_cache.h"

namespace mq::inspect {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kPageBytes = 4096;
constexpr int kDepthMax = 16;

}  // namespace

Result<void> CopyRun::check() const {
  if (options.goes_on && !options.goes_on())
    return Error{Errc::kUnavailable, "the copy was interrupted"};
  return {};
}

void CopyRun::wrote(std::int64_t count) {
  bytes += count;
  if (options.bytes_done != nullptr) options.bytes_done->fetch_add(count);
}

Result<void> CopyRun::write_sparse(fs::File& out, std::int64_t at, Bytes in) {
  // Runs of pages with something in them.
  for (std::size_t i = 0; i < in.size();) {
    const auto page = [&](std::size_t from) {
      return in.subspan(from, std::min(kPageBytes, in.size() - from));
    };
    if (is_zero(page(i))) {
      i += kPageBytes;
      continue;
    }
    std::size_t end = i;
    while (end < in.size() && !is_zero(page(end))) end += kPageBytes;
    end = std::min(end, in.size());
    MQ_CHECK(out.write_at(at + static_cast<std::int64_t>(i), in.subspan(i, end - i)));
    wrote(static_cast<std::int64_t>(end - i));
    i = end;
  }
  return {};
}

Result<void> CopyRun::close(fs::File& out, const std::string& to, std::int64_t size,
                            std::int64_t mtime_ms) {
  MQ_CHECK(out.truncate(size));
  MQ_CHECK(fs.set_mtime_ms(to, mtime_ms));
  ++files;
  if (options.files_done != nullptr) options.files_done->fetch_add(1);
  return {};
}

Result<bool> CopyRun::copy_file(const std::string& from, const std::string& to, std::int64_t take) {
  const auto stat = fs.stat(from);
  if (!stat && stat.error().code() == Errc::kNotFound) return false;
  if (!stat) return Error(stat.error());
  auto in = fs.open(from, fs::OpenMode::kRead);
  if (!in && in.error().code() == Errc::kNotFound) return false;
  if (!in) return std::move(in).error();
  const PageCacheGuard guard(**in);
  // Secrets stay such; nothing else is where the copy is made.
  MQ_TRY(const auto out, fs.open(to, stat->is_private ? fs::OpenMode::kCreatePrivate
                                                      : fs::OpenMode::kCreateExclusive));
  const std::int64_t end = take < 0 ? stat->bytes : std::min(take, stat->bytes);
  std::vector<std::byte> block(kBlockBytes);
  for (std::int64_t at = 0; at < end;) {
    MQ_CHECK(check());
    if (const auto data = (*in)->next_data(at)) at = std::max(at, *data);
    if (at >= end) break;
    const auto want = static_cast<std::size_t>(
        std::min<std::int64_t>(end - at, static_cast<std::int64_t>(kBlockBytes)));
    MQ_TRY(const std::size_t got, (*in)->read_at(at, MutableBytes(block).first(want)));
    if (got == 0) break;  // it became shorter
    MQ_CHECK(write_sparse(*out, at, Bytes(block).first(got)));
    at += static_cast<std::int64_t>(got);
  }
  MQ_CHECK(close(*out, to, stat->bytes, stat->mtime_ms));
  return true;
}

Result<void> CopyRun::write_file(const std::string& to, std::string_view content,
                                 std::int64_t mtime_ms) {
  MQ_TRY(const auto out, fs.open(to, fs::OpenMode::kCreateExclusive));
  MQ_CHECK(out->write_at(0, as_bytes(content)));
  wrote(static_cast<std::int64_t>(content.size()));
  return close(*out, to, static_cast<std::int64_t>(content.size()), mtime_ms);
}

Result<void> CopyRun::copy_tree(const std::string& from, const std::string& to, int depth) {
  if (depth > kDepthMax) return Error{Errc::kCorrupt, from + ": directories too deep for a store"};
  auto names = fs.list(from);
  if (!names && names.error().code() == Errc::kNotFound) return {};
  if (!names) return std::move(names).error();
  MQ_CHECK(fs.make_directory(to));
  for (const std::string& name : *names) {
    const std::string source = from + "/" + name;
    const auto stat = fs.stat(source);
    if (!stat) continue;  // gone
    if (stat->is_directory) {
      MQ_CHECK(copy_tree(source, to + "/" + name, depth + 1));
    } else {
      MQ_CHECK(copy_file(source, to + "/" + name));
    }
  }
  return {};
}

}  // namespace mq::inspect
