#include "store/segment.h"

#include <utility>

#include <fmt/format.h>

namespace mq::store {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Segment::Segment(std::string path, PhysicalOffset start, std::int64_t bytes,
                 std::unique_ptr<fs::File> file, std::unique_ptr<fs::Mapping> mapping)
    : path_(std::move(path)),
      start_(start),
      bytes_(bytes),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      memory_(mapping_->bytes()) {}

Result<std::shared_ptr<Segment>> Segment::map(std::unique_ptr<fs::File> file,
                                              const std::string& path, PhysicalOffset start,
                                              std::int64_t bytes) {
  MQ_TRY(auto mapping, file->map(bytes, fs::MapMode::kReadWrite));
  return std::shared_ptr<Segment>(
      new Segment(path, start, bytes, std::move(file), std::move(mapping)));
}

Result<std::shared_ptr<Segment>> Segment::open(fs::Fs& fs, const std::string& path,
                                               PhysicalOffset start, std::int64_t bytes) {
  MQ_TRY(auto file, fs.open(path, fs::OpenMode::kReadWrite));
  return map(std::move(file), path, start, bytes);
}

Result<std::shared_ptr<Segment>> Segment::create(fs::Fs& fs, const std::string& path,
                                                 PhysicalOffset start, std::int64_t bytes) {
  MQ_TRY(auto file, fs.open(path, fs::OpenMode::kCreate));
  MQ_CHECK(file->truncate(0));
  MQ_CHECK(file->truncate(bytes));
  MQ_CHECK(fs.sync_directory(directory_of(path)));
  return map(std::move(file), path, start, bytes);
}

}  // namespace mq::store
