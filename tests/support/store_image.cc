#include "support/store_image.h"

#include "base/assert.h"

namespace mq::test {
namespace {

void read_below(fs::Fs& fs, const std::string& root, const std::string& below, StoreImage& image) {
  const auto names = fs.list(root + below);
  MQ_ASSERT(names.has_value());
  for (const std::string& name : *names) {
    const std::string path = below + "/" + name;
    const auto stat = fs.stat(root + path);
    MQ_ASSERT(stat.has_value());
    if (stat->is_directory) {
      read_below(fs, root, path, image);
    } else if (path != "/lock") {
      auto content = fs::read_file(fs, root + path, INT64_MAX);
      MQ_ASSERT(content.has_value());
      image.files[path.substr(1)] = *std::move(content);
    }
  }
}

// The directory and those above it, up to `root`, go when nothing is left in them.
void remove_empty_above(fs::Fs& fs, const std::string& root, std::string path) {
  for (;;) {
    path.resize(path.rfind('/'));
    if (path.size() <= root.size()) return;
    const auto names = fs.list(path);
    if (!names || !names->empty() || !fs.remove(path)) return;
  }
}

void put(fs::Fs& fs, const std::string& path, const std::string& content) {
  MQ_ASSERT(fs.make_directories(path.substr(0, path.rfind('/'))).has_value());
  const auto file = fs.open(path, fs::OpenMode::kCreate);
  MQ_ASSERT(file.has_value());
  MQ_ASSERT((*file)->truncate(static_cast<std::int64_t>(content.size())).has_value());
  MQ_ASSERT((*file)->write_at(0, as_bytes(content)).has_value());
}

}  // namespace

StoreImage StoreImage::read(fs::Fs& fs, const std::string& root) {
  StoreImage image;
  read_below(fs, root, "", image);
  return image;
}

void StoreImage::write(fs::Fs& fs, const std::string& root, const StoreImage* there) const {
  StoreImage found;
  if (there == nullptr) {
    MQ_ASSERT(fs.make_directories(root).has_value());
    found = read(fs, root);
    there = &found;
  }
  for (const auto& [path, content] : there->files) {
    if (files.contains(path)) continue;
    MQ_ASSERT(fs.remove(root + "/" + path).has_value());
    remove_empty_above(fs, root, root + "/" + path);
  }
  for (const auto& [path, content] : files) {
    const auto old = there->files.find(path);
    if (old == there->files.end() || old->second != content) put(fs, root + "/" + path, content);
  }
}

}  // namespace mq::test
