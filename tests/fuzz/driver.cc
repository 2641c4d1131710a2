// Stands in for libFuzzer in builds without clang: runs a target on its corpus and then, for a
// second, on mutations of it.
//
//   fuzz_NAME CORPUS_DIR    MQ_SEED=n: other mutations; MQ_FUZZ_MS=n: for so long
//   fuzz_NAME FILE          that input alone
//
// A target that dies leaves its input in ./crash-NAME.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t kInputBytesMax = 1 << 16;

const Input* current = nullptr;
std::string crash_file;

extern "C" void save_input(int signal) {
  const int file = open(crash_file.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
  if (file >= 0 && current != nullptr) (void)!write(file, current->data(), current->size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Input& input) {
  // A copy of exactly this size, so that a sanitizer sees each read past the end.
  const Input exact(input);
  current = &exact;
  (void)LLVMFuzzerTestOneInput(exact.data(), exact.size());
  current = nullptr;
}

Input read_input(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class Mutator {
 public:
  Mutator(std::vector<Input> corpus, std::uint64_t seed)
      : corpus_(std::move(corpus)), random_(seed) {
    corpus_.emplace_back();
  }

  Input next() {
    Input input = corpus_[below(corpus_.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(input);
    if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void mutate(Input& input) {
    switch (below(7)) {
      case 0:
        if (!input.empty()) input[below(input.size())] ^= static_cast<std::uint8_t>(1 << below(8));
        break;
      case 1:
        if (!input.empty()) input[below(input.size())] = static_cast<std::uint8_t>(random_());
        break;
      case 2:
        input.insert(input.begin() + at(input), static_cast<std::uint8_t>(random_()));
        break;
      case 3:
        input.resize(below(input.size() + 1));
        break;
      case 4:
        erase_piece(input);
        break;
      case 5:
        put_number(input);
        break;
      default:
        splice(input);
        break;
    }
  }

  std::ptrdiff_t at(const Input& input) {
    return static_cast<std::ptrdiff_t>(below(input.size() + 1));
  }

  void erase_piece(Input& input) {
    const std::size_t from = below(input.size() + 1);
    const std::size_t count = std::min(below(16), input.size() - from);
    const auto start = input.begin() + static_cast<std::ptrdiff_t>(from);
    input.erase(start, start + static_cast<std::ptrdiff_t>(count));
  }

  // A big-endian number at a limit over 1, 2, 4 or 8 bytes.
  void put_number(Input& input) {
    constexpr std::array<std::int64_t, 10> kNumbers{0,     1,     -1,        127,       128,
                                                    32767, 32768, INT32_MAX, INT32_MIN, INT64_MAX};
    const std::size_t bytes = std::size_t{1} << below(4);
    if (input.size() < bytes) return;
    const std::size_t from = below(input.size() - bytes + 1);
    auto number = static_cast<std::uint64_t>(kNumbers[below(kNumbers.size())]);
    for (std::size_t i = bytes; i > 0; --i, number >>= 8)
      input[from + i - 1] = static_cast<std::uint8_t>(number);
  }

  void splice(Input& input) {
    const Input& other = corpus_[below(corpus_.size())];
    const std::size_t from = below(other.size() + 1);
    const std::size_t count = below(other.size() - from + 1);
    const auto start = other.begin() + static_cast<std::ptrdiff_t>(from);
    input.insert(input.begin() + at(input), start, start + static_cast<std::ptrdiff_t>(count));
  }

  std::vector<Input> corpus_;
  std::mt19937_64 random_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIR|FILE\n", argv[0]);
    return 64;
  }
  const std::filesystem::path given(argv[1]);
  crash_file = "crash-" + std::filesystem::path(argv[0]).filename().string();
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, save_input);
  if (std::filesystem::is_regular_file(given)) {
    run(read_input(given));
    return 0;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(given)) paths.push_back(entry);
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) return std::fprintf(stderr, "no corpus in %s\n", argv[1]), 66;
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read_input(path));
  for (const Input& input : corpus) run(input);

  const std::uint64_t seed = number_from("MQ_SEED", 1);
  Mutator mutator(std::move(corpus), seed);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(number_from("MQ_FUZZ_MS", 1000));
  std::uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) run(mutator.next());
  std::printf("%zu inputs and %llu mutations, MQ_SEED=%llu\n", paths.size(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  return 0;
}
