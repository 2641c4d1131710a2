#include "support/golden_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/assert.h"

extern char** environ;

namespace mq::test {
namespace {

void run(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  MQ_ASSERT(posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) == 0);
  int status = 0;
  MQ_ASSERT(waitpid(child, &status, 0) == child);
  MQ_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

std::string archive(std::string_view name) {
  return fmt::format("{}/{}.tar.zst", golden_dir(), name);
}

}  // namespace

TempDir::TempDir() {
  const char* const parent = std::getenv("TMPDIR");
  path_ = fmt::format("{}/mq-test.XXXXXX", parent != nullptr ? parent : "/tmp");
  MQ_ASSERT(mkdtemp(path_.data()) != nullptr);
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

GoldenStore::GoldenStore(std::string_view manifest_name, std::string_view directory)
    : path_(fmt::format("{}/{}", temp_.path(), directory)) {
  auto manifest = parse_json(read_file(fmt::format("{}/{}.json", golden_dir(), manifest_name)));
  MQ_ASSERT(manifest.has_value());
  manifest_ = *std::move(manifest);
}

GoldenStore GoldenStore::unpack(std::string_view name) {
  GoldenStore store(name, name);
  run({"tar", "-S", "--zstd", "-xf", archive(name), "-C", store.temp_.path()});
  return store;
}

GoldenStore GoldenStore::unpack_torn(std::string_view damage) {
  GoldenStore store("crash", damage);
  run({"python3", fmt::format("{}/make_torn.py", golden_dir()), archive("crash"),
       store.temp_.path(), std::string(damage)});
  return store;
}

const json::array& GoldenStore::list(std::string_view member_name) const {
  const json::value* const found = member(manifest_, member_name);
  MQ_ASSERT(found != nullptr && found->is_array());
  return found->get_array();
}

std::int64_t GoldenStore::conf(std::string_view key, std::int64_t otherwise) const {
  std::istringstream lines(string_or(member(manifest_, "brokerConf"), ""));
  const std::string prefix = fmt::format("{}=", key);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(prefix)) return std::stoll(line.substr(prefix.size()));
  }
  return otherwise;
}

std::int64_t GoldenStore::total(std::string_view key) const {
  const json::value* const totals = member(manifest_, "totals");
  MQ_ASSERT(totals != nullptr && member(*totals, key) != nullptr);
  return int_or(member(*totals, key), -1);
}

std::string golden_dir() { return MQ_SOURCE_DIR "/tests/golden"; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) std::fprintf(stderr, "cannot read %s\n", path.c_str());
  MQ_ASSERT(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace mq::test
