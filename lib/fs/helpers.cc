#include "fs/fs.h"

namespace mq::fs {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Leaves `content` durable at `path`, which is then renamed into place by the caller.
Result<void> write_and_sync(Fs& fs, const std::string& path, std::string_view content,
                            Readers readers) {
  MQ_TRY(auto file,
         fs.open(path, readers == Readers::kOwner ? OpenMode::kCreatePrivate : OpenMode::kCreate));
  MQ_CHECK(file->truncate(0));
  MQ_CHECK(file->write_at(0, as_bytes(content)));
  return file->sync();
}

}  // namespace

Result<void> write_file_atomically(Fs& fs, const std::string& path, std::string_view content,
                                   bool keep_backup, Readers readers) {
  if (keep_backup) {
    if (auto old = read_file(fs, path); old && !old->empty()) {
      // The backup is replaced as carefully as the file: it is what saves us when the file turns
      // out bad.
      MQ_CHECK(write_and_sync(fs, path + ".bak.tmp", *old, readers));
      MQ_CHECK(fs.rename(path + ".bak.tmp", path + ".bak"));
    }
  }
  MQ_CHECK(write_and_sync(fs, path + ".tmp", content, readers));
  MQ_CHECK(fs.rename(path + ".tmp", path));
  return fs.sync_directory(parent_of(path));
}

Result<std::string> read_file(Fs& fs, const std::string& path, std::int64_t max_bytes) {
  MQ_TRY(auto file, fs.open(path, OpenMode::kRead));
  MQ_TRY(const std::int64_t bytes, file->size());
  if (bytes > max_bytes) {
    return Error{Errc::kCorrupt, path + ": " + std::to_string(bytes) + " bytes, expected at most " +
                                     std::to_string(max_bytes)};
  }
  std::string content(static_cast<std::size_t>(bytes), '\0');
  MQ_TRY(const std::size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

Result<void> remove_tree(Fs& fs, const std::string& path) {
  auto stat = fs.stat(path);
  if (!stat) {
    if (stat.error().code() == Errc::kNotFound) return {};
    return std::move(stat).error();
  }
  if (stat->is_directory) {
    MQ_TRY(const auto names, fs.list(path));
    for (const std::string& name : names) MQ_CHECK(remove_tree(fs, path + "/" + name));
  }
  return fs.remove(path);
}

}  // namespace mq::fs
