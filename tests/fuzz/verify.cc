// Changes to a sound store, as any bytes say, and then all of verify: it comes to an end, and what
// it says can be shown.
//
// The input is a list of changes of 8 bytes each: what, which file, where (4), how much (2). Noise
// alone would hardly get past the first length; a change here hits a field, and the CRC of a body
// can be made to fit again.
#include "inspect/verify.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "format/record.h"
#include "support/fault_fs.h"
#include "support/sample_store.h"
#include "support/store_image.h"

namespace {

using namespace mq;
using mq::test::FaultFs;
using mq::test::StoreImage;

constexpr std::size_t kChangeBytes = 8;
constexpr std::size_t kChangesMax = 24;
constexpr std::size_t kFileBytesMax = 256 << 10;

struct Store {
  FaultFs fs{1};
  StoreImage sound;
  StoreImage there;  // what is in `fs` now

  Store() {
    log::set_level(log::Level::kOff);
    build_sample_store(fs, "/s", {.seed = 3, .messages = 260, .retention = false});
    sound = there = StoreImage::read(fs, "/s");
  }
};

class Change {
 public:
  Change(const std::uint8_t* raw, StoreImage& image)
      : kind_(raw[0]),
        place_(load_be<std::uint32_t>(reinterpret_cast<const std::byte*>(raw) + 2)),
        amount_(load_be<std::uint16_t>(reinterpret_cast<const std::byte*>(raw) + 6)),
        image_(image) {
    auto file = image.files.begin();
    std::advance(file, raw[1] % std::max<std::size_t>(image.files.size(), 1));
    path_ = file == image.files.end() ? std::string() : file->first;
  }

  void apply() {
    if (path_.empty()) return;
    std::string& bytes = image_.files[path_];
    const std::size_t at = bytes.empty() ? 0 : place_ % bytes.size();
    const std::size_t run = std::min<std::size_t>(amount_ % 300, bytes.size() - at);
    switch (kind_ % 10) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << (amount_ % 8)));
        break;
      case 1:
        bytes.replace(at, run, std::string(run, static_cast<char>(amount_ >> 8)));
        break;
      case 2:
        put_number(bytes, at);
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.resize(std::min(bytes.size() + amount_, kFileBytesMax),
                     static_cast<char>(amount_ >> 8));
        break;
      case 5:
        image_.files.erase(path_);
        break;
      case 6:
        bytes.replace(at, run, bytes.substr(0, run));  // a piece from the front
        break;
      case 7:
        take_from_follower(bytes, at);
        break;
      case 8:
        fit_crc(bytes, at);
        break;
      default:
        image_.files[path_ + static_cast<char>('0' + amount_ % 10)] = bytes;  // a foreign file
        break;
    }
  }

 private:
  void put_number(std::string& bytes, std::size_t at) const {
    constexpr std::int64_t kNumbers[] = {0,     1,         -1,        91,        32767,
                                         65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    std::array<std::byte, 8> raw{};
    store_be(raw.data(), kNumbers[amount_ % std::size(kNumbers)]);
    const std::size_t width = std::min(bytes.size() - at, std::size_t{1} << ((amount_ >> 8) % 4));
    bytes.replace(at, width, as_text(Bytes(raw).last(width)));
  }
  // A piece, or all, of the next file of the same kind: what recycled blocks bring.
  void take_from_follower(std::string& bytes, std::size_t at) const {
    const auto next = image_.files.upper_bound(path_);
    if (next == image_.files.end()) return;
    const std::string from = next->second;
    if (amount_ % 4 == 0) {
      bytes = from;
    } else if (at < from.size()) {
      const std::size_t count =
          std::min<std::size_t>({from.size() - at, bytes.size() - at, amount_});
      bytes.replace(at, count, from.substr(at, count));
    }
  }
  static void fit_crc(std::string& bytes, std::size_t at) {
    // The record whose magic is at or behind that place.
    const std::size_t magic = bytes.find("\xDA\xA3\x20\xA7", at);
    if (magic == std::string::npos || magic < 4) return;
    const auto record =
        format::decode_record(as_bytes(bytes).subspan(magic - 4), format::CheckBody::kNo);
    if (!record) return;
    store_be(reinterpret_cast<std::byte*>(bytes.data()) + magic + 4, crc32_masked(record->body));
  }

  const std::uint8_t kind_;
  const std::uint32_t place_;
  const std::uint16_t amount_;
  StoreImage& image_;
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Store* const store = new Store;
  StoreImage image = store->sound;
  const std::size_t changes = std::min(size / kChangeBytes, kChangesMax);
  for (std::size_t i = 0; i < changes; ++i) Change(data + i * kChangeBytes, image).apply();
  image.write(store->fs, "/s", &store->there);
  store->there = image;

  std::int64_t told = 0;
  const auto summary = inspect::verify(
      store->fs, "/s", {.jobs = size % 2 == 0 ? 1 : 3}, [&](const inspect::VerifyFinding& f) {
        MQ_ASSERT(f.file.starts_with("/s") && f.at >= -1 && !f.what.empty());
        MQ_ASSERT(f.what.size() + f.expected.size() + f.found.size() < 100'000);
        ++told;
      });
  if (summary) {
    MQ_ASSERT(told <= summary->damage + summary->normal + summary->notes + 1000);
    MQ_ASSERT(changes > 0 || told == 0);
  }
  return 0;
}
