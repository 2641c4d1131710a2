// Damage to a store, on order or by seed, and what can be expected of somebody who looks for it.
//
// A damage changes a StoreImage; StoreImage::write puts it where it is to be tried. Which bytes the
// format vouches for is worked out here from the undamaged image and the list of its messages, with
// the codecs alone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "support/sample_store.h"
#include "support/store_image.h"

namespace mq::test {

// How much the rest of a store says about one byte of it.
enum class Vouched : std::uint8_t {
  kYes,     // another value contradicts something: a length, a CRC, a position, a link
  kNo,      // payload that nothing vouches for: flags, hosts, born time, user properties, what
            // refers to deleted records
  kUnused,  // behind the end of what the file holds
};
// One field of a file; the fields of a file follow each other and cover it.
struct Field {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string name;  // "queueOffset of the record at 70213", "entry 17", "behind the end" …
  Vouched vouched = Vouched::kYes;
};
// `path` as in the image. State files are one field.
[[nodiscard]] std::vector<Field> fields_of(const SampleStore& store, const StoreImage& image,
                                           const std::string& path);

struct Damage {
  std::string what;       // in words, with file, position, and field
  std::string file;       // below the store's directory; a directory when it is gone as a whole
  std::int64_t from = 0;  // first byte that changed, in the file
  std::int64_t to = 0;    // behind the last
  // Something contradicts it. Otherwise it may be found or not: it lies in unused space or in what
  // nothing vouches for, and what is served is the same but for those bytes.
  bool must_be_found = true;
};

// `before` and `after` differ in `file` alone: where, and whether that contradicts anything.
[[nodiscard]] Damage compare(const SampleStore& store, const StoreImage& before,
                             const StoreImage& after, const std::string& file);

// One of each kind that people meet, and a flipped bit in each field of a record. Each works on a
// fresh copy of the image that the list was made for.
struct NamedDamage {
  std::string name;
  std::function<Damage(StoreImage&)> apply;
};
[[nodiscard]] std::vector<NamedDamage> damage_matrix(const SampleStore& store,
                                                     const StoreImage& image);

// Changes `image`, which is undamaged, in one place. The same seed does the same to the same image.
// It does change something.
Damage random_damage(const SampleStore& store, StoreImage& image, std::uint64_t seed);

}  // namespace mq::test
