#include "support/store_damage.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/json.h"
#include "format/checkpoint.h"
#include "format/names.h"
#include "format/record.h"

namespace mq::test {
namespace {

bool is_state_file(const std::string& path) { return path.starts_with("config/"); }

bool state_is_broken(const std::string& text) { return text.empty() || !parse_json(text); }

bool checkpoint_is_ahead(const SampleStore& store, const std::string& content) {
  const auto c = format::decode_checkpoint(as_bytes(content));
  return !c || content.size() != format::Checkpoint::kEncodedBytes ||
         std::max({c->physic_timestamp_ms, c->logics_timestamp_ms, c->index_timestamp_ms}) >
             store.last_store_timestamp_ms;
}

// A file that is gone: does anything miss it?
bool is_missed(const SampleStore& store, const StoreImage& image, const std::string& path) {
  if (is_state_file(path)) return path == "config/topics.json";
  if (path == "abort") return false;
  if (path == "checkpoint") return true;
  // Without its first file a log is one that has lost it to retention.
  if (path == "commitlog/" + format::stream_file_name(store.begin.value())) return false;
  const auto fields = fields_of(store, image, path);
  return std::any_of(fields.begin(), fields.end(),
                     [](const Field& f) { return f.vouched == Vouched::kYes; });
}

}  // namespace

Damage compare(const SampleStore& store, const StoreImage& before, const StoreImage& after,
               const std::string& file) {
  Damage out{.what = {}, .file = file, .from = 0, .to = 0, .must_be_found = false};
  const std::string& old = before.files.at(file);
  out.to = static_cast<std::int64_t>(old.size());
  const auto found = after.files.find(file);
  if (found == after.files.end()) {
    out.what = file + " is gone";
    out.must_be_found = is_missed(store, before, file);
    return out;
  }
  const std::string& now = found->second;
  const auto [first, unused] = std::mismatch(old.begin(), old.end(), now.begin(), now.end());
  const auto from = static_cast<std::size_t>(first - old.begin());
  std::size_t to = std::max(old.size(), now.size());
  if (old.size() == now.size()) {
    while (to > from && old[to - 1] == now[to - 1]) --to;
  }
  out.from = static_cast<std::int64_t>(from);
  out.to = static_cast<std::int64_t>(to);
  out.what = old.size() == now.size()
                 ? fmt::format("{}: bytes {} to {} changed", file, from, to)
                 : fmt::format("{}: {} bytes, had {}", file, now.size(), old.size());
  if (is_state_file(file)) {
    out.must_be_found = state_is_broken(now);
  } else if (file == "checkpoint") {
    out.must_be_found = checkpoint_is_ahead(store, now);
  } else if (old.size() != now.size()) {
    out.must_be_found = file != "abort";
  } else {
    for (const Field& field : fields_of(store, before, file)) {
      for (auto at = std::max(field.from, out.from); at < std::min(field.to, out.to); ++at) {
        const auto i = static_cast<std::size_t>(at);
        if (old[i] == now[i]) continue;
        out.what += fmt::format(", {} at {}", field.name, field.from);
        out.must_be_found |= field.vouched == Vouched::kYes;
        break;
      }
      if (out.what.size() > 400) out.what.resize(400);
    }
  }
  return out;
}

// --- by seed

namespace {

class RandomDamage {
 public:
  RandomDamage(const SampleStore& store, StoreImage& image, std::uint64_t seed)
      : store_(store), image_(image), random_(seed) {}

  Damage make() {
    const StoreImage before = image_;
    for (;;) {
      const std::string path = pick_file();
      change(path);
      if (image_ != before) return compare(store_, before, image_, path);
    }
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  // Kinds of files as often as each other, whatever their number.
  std::string pick_file() {
    constexpr std::array<std::string_view, 8> kKinds{"commitlog/",    "commitlog/",    "commitlog/",
                                                     "consumequeue/", "consumequeue/", "index/",
                                                     "checkpoint",    "config/"};
    for (;;) {
      const std::string_view kind = kKinds.at(below(kKinds.size()));
      std::vector<std::string> paths;
      for (const auto& [path, content] : image_.files)
        if (path.starts_with(kind) && !content.empty()) paths.push_back(path);
      if (!paths.empty()) return paths[below(paths.size())];
    }
  }
  std::string& content(const std::string& path) { return image_.files.at(path); }

  void change(const std::string& path) {
    std::string& bytes = content(path);
    const std::size_t at = place(path);
    const std::size_t run = std::min(bytes.size() - at, 1 + below(below(2) == 0 ? 16 : 4096));
    switch (below(12)) {
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 5:
        for (std::size_t i = 0; i < run; ++i) bytes[at + i] = static_cast<char>(random_());
        break;
      case 6:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), run, '\0');
        break;
      case 7: {
        const std::size_t page = at / 4096 * 4096;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page),
                    std::min<std::size_t>(4096, bytes.size() - page), '\0');
        break;
      }
      case 8:
        put_number(bytes, at);
        break;
      case 9:
        bytes.resize(at);
        break;
      case 10:
        below(2) == 0 ? void(bytes.append(1 + below(5000), static_cast<char>(random_())))
                      : void(image_.files.erase(path));
        break;
      case 11:
        copy_from_elsewhere(path, at);
        break;
    }
  }
  // Mostly where something is: small files in a large hole would hardly ever be met otherwise.
  std::size_t place(const std::string& path) {
    const std::string& bytes = content(path);
    const std::size_t used = bytes.find_last_not_of('\0') + 1;
    return below(8) == 0 || used == 0 ? below(bytes.size()) : below(used);
  }
  void put_number(std::string& bytes, std::size_t at) {
    constexpr std::array<std::int64_t, 8> kNumbers{0,     1,     -1,        127,
                                                   32767, 65536, INT32_MAX, INT64_MAX};
    std::array<std::byte, 8> raw{};
    store_be(raw.data(), kNumbers.at(below(kNumbers.size())));
    const std::size_t width = std::min(bytes.size() - at, std::size_t{1} << below(4));
    bytes.replace(at, width, as_text(Bytes(raw).last(width)));
  }
  // A piece, or all, of a file of the same kind: what a recycled block or file brings.
  void copy_from_elsewhere(const std::string& path, std::size_t at) {
    const std::string kind = path.substr(0, path.find('/') + 1);
    std::vector<const std::string*> others;
    for (const auto& [other, bytes] : image_.files)
      if (other != path && other.starts_with(kind)) others.push_back(&bytes);
    if (others.empty()) return;
    const std::string from = *others[below(others.size())];
    std::string& to = content(path);
    if (below(2) == 0) {
      to.replace(0, std::min(to.size(), from.size()), from.substr(0, to.size()));
    } else if (at < from.size()) {
      const std::size_t count = std::min({to.size() - at, from.size() - at, 1 + below(4096)});
      to.replace(at, count, from.substr(at, count));
    }
  }

  const SampleStore& store_;
  StoreImage& image_;
  std::mt19937_64 random_;
};

}  // namespace

Damage random_damage(const SampleStore& store, StoreImage& image, std::uint64_t seed) {
  return RandomDamage(store, image, seed).make();
}

// --- on order

namespace {

using Change = std::function<void(StoreImage&)>;

class Matrix {
 public:
  Matrix(const SampleStore& store, const StoreImage& image) : store_(store), image_(image) {
    for (const auto& [path, content] : image.files) {
      if (path.starts_with("commitlog/")) log_.push_back(path);
      if (path.starts_with("consumequeue/events/1/")) queue_.push_back(path);
      if (path.starts_with("index/")) index_.push_back(path);
    }
    MQ_ASSERT(log_.size() >= 4 && queue_.size() >= 2 && index_.size() >= 3);
  }

  std::vector<NamedDamage> build() {
    flips();
    log_files();
    queues();
    index();
    small_files();
    return std::move(out_);
  }

 private:
  // `found`: what compare() says, or on order.
  void add(std::string name, const std::string& file, Change change,
           std::optional<bool> found = std::nullopt) {
    const SampleStore* const store = &store_;
    out_.push_back({std::move(name), [=](StoreImage& image) {
                      const StoreImage before = image;
                      change(image);
                      Damage damage = compare(*store, before, image, file);
                      if (found) damage.must_be_found = *found;
                      return damage;
                    }});
  }
  void add_put(std::string name, const std::string& file, std::size_t at, std::string bytes,
               std::optional<bool> found = std::nullopt) {
    add(
        std::move(name), file,
        [=](StoreImage& image) {
          std::string& content = image.files.at(file);
          MQ_ASSERT(at + bytes.size() <= content.size());
          content.replace(at, bytes.size(), bytes);
        },
        found);
  }
  void add_flip(std::string name, const std::string& file, std::size_t at, int bit,
                std::optional<bool> found = std::nullopt) {
    add(
        std::move(name), file,
        [=](StoreImage& image) {
          char& c = image.files.at(file)[at];
          c = static_cast<char>(c ^ (1 << bit));
        },
        found);
  }
  void add_cut(std::string name, const std::string& file, std::size_t bytes) {
    add(std::move(name), file, [=](StoreImage& image) { image.files.at(file).resize(bytes); });
  }
  void add_gone(std::string name, const std::string& file) {
    add(std::move(name), file, [=](StoreImage& image) { image.files.erase(file); });
  }
  void add_gone_directory(std::string name, const std::string& directory) {
    out_.push_back({std::move(name), [=](StoreImage& image) {
                      std::erase_if(image.files, [&](const auto& f) {
                        return f.first.starts_with(directory + "/");
                      });
                      return Damage{.what = directory + " is gone", .file = directory};
                    }});
  }

  // A record in the middle of the log with all that a record can have, and its fields.
  void flips() {
    const std::string& path = log_[1];
    const std::vector<Field> fields = fields_of(store_, image_, path);
    std::string last;
    for (const Field& field : fields) {
      const std::size_t split = field.name.find(" of the record at ");
      if (split == std::string::npos) continue;
      const std::string name = field.name.substr(0, split);
      if (!seen_.insert(name).second) continue;
      for (const auto at : std::set<std::int64_t>{field.from, field.to - 1}) {
        for (const int bit : {0, 7}) {
          // Bits of one byte may mean different things.
          add_flip(fmt::format("flip {} byte {} bit {}", name, at - field.from, bit), path,
                   static_cast<std::size_t>(at), bit);
        }
      }
      if (name == "sysFlag") {
        for (const int bit : {2, 4, 5})
          add_flip(fmt::format("flip sysFlag bit {}", bit), path,
                   static_cast<std::size_t>(field.to - 1), bit, true);
      }
    }
  }

  void log_files() {
    const auto file_bytes = static_cast<std::size_t>(SampleStore::kCommitLogFileBytes);
    const auto end = static_cast<std::size_t>(store_.end.value()) % file_bytes;
    add_cut("commit log file cut", log_[1], file_bytes / 2);
    add_cut("oldest commit log file cut", log_[0], file_bytes / 2);
    add_cut("newest commit log file cut behind its records", newest_log(), end);
    add_cut("newest commit log file cut in its records", newest_log(), end / 2);
    add_gone("commit log file missing", log_[1]);
    add_gone("newest commit log file missing", newest_log());
    add_put("commit log page zeroed", log_[1], 8192, std::string(4096, '\0'));
    add_put("commit log page of noise", log_[1], 8192, noise(4096));
    add_put("first commit log page zeroed", log_[2], 0, std::string(4096, '\0'));
    add_put("garbage tail", newest_log(), end, noise(500), true);
    const std::string stale = image_.files.at(log_[1]);
    add_put("stale recycled commit log file", log_[2], 0, stale);
    add_put("stale record behind the end", newest_log(), end, store_.messages[5].record, true);
    const std::string torn(store_.messages.back().record.size() / 2, '\0');
    add_put("half of the last record zeroed", newest_log(), end - torn.size(), torn);
  }
  [[nodiscard]] std::string newest_log() const {
    const std::int64_t bytes = SampleStore::kCommitLogFileBytes;
    return "commitlog/" + format::stream_file_name(store_.end.value() / bytes * bytes);
  }

  void queues() {
    const std::string& last = queue_.back();
    const std::size_t used = image_.files.at(last).find_last_not_of('\0') / 20 + 1;
    MQ_ASSERT(used > 5 && used < 95);
    add_cut("queue file cut", last, used * 20 - 33);
    add_cut("full queue file cut", queue_.front(), 1000);
    add_put("last queue entries zeroed", last, (used - 3) * 20, std::string(60, '\0'));
    add_put("queue entries zeroed in the middle", last, 40, std::string(40, '\0'));
    add_put("noise behind a queue", last, used * 20, noise(100), true);
    std::string ahead(20, '\0');
    store_be(reinterpret_cast<std::byte*>(ahead.data()), store_.end.value() + 1000);
    ahead[11] = 100;
    add_put("queue entry behind the log", last, used * 20, ahead, true);
    const std::string& bytes = image_.files.at(last);
    add_put("queue entries swapped", last, 40, bytes.substr(60, 20) + bytes.substr(40, 20));
    add_put("queue entry twice", last, 60, bytes.substr(40, 20));
    add_flip("flip in a queue entry's offset", last, 47, 2);
    add_flip("flip in a queue entry's size", last, 51, 0);
    add_flip("flip in a queue entry's tag code", last, 59, 0);
    add_gone("queue file missing", queue_.front());
    add_gone("last queue file missing", last);
    add_gone_directory("queue missing", "consumequeue/events/1");
    add_gone_directory("topic's queues missing", "consumequeue/events");
    add_gone_directory("all queues missing", "consumequeue");
  }

  void index() {
    const format::IndexShape shape = SampleStore::kIndexShape;
    const std::string& file = index_[1];
    const auto entry = [&](std::int32_t i) { return static_cast<std::size_t>(shape.entry_at(i)); };
    const auto number = [](std::int32_t n) {
      std::string out(4, '\0');
      store_be(reinterpret_cast<std::byte*>(out.data()), n);
      return out;
    };
    add_put("index chain that points to itself", file, entry(200) + 16, number(200));
    add_put("index chain with a cycle", file, entry(200) + 16, number(300));
    add_put("index slot that points nowhere", file, 40 + 4 * 7, number(100'000));
    add_put("index slot emptied", file, static_cast<std::size_t>(slot_in_use(file)), number(0));
    add_put("index header of noise", file, 0, noise(40));
    add_put("newest index header of noise", index_.back(), 0, noise(40));
    add_put("index count too small", file, 36, number(100));
    add_put("index count too large", index_.back(), 36, number(490));
    add_put("index page zeroed", file, 4096, std::string(4096, '\0'));
    add_flip("flip in an index entry's hash", file, entry(150) + 3, 1);
    add_flip("flip in an index entry's offset", file, entry(150) + 11, 1);
    add_flip("flip in an index entry's time", file, entry(150) + 15, 3);
    add_cut("index file cut", file, 5000);
    add_gone("index file missing", file);
    add_gone_directory("index missing", "index");
  }
  std::int64_t slot_in_use(const std::string& file) const {
    const auto* const bytes = reinterpret_cast<const std::byte*>(image_.files.at(file).data());
    for (std::int32_t s = 0;; ++s) {
      const std::int64_t at = SampleStore::kIndexShape.slot_at(s);
      if (load_be<std::int32_t>(bytes + at) != 0) return at;
    }
  }

  void small_files() {
    add_gone("checkpoint missing", "checkpoint");
    add_cut("checkpoint cut", "checkpoint", 20);
    std::string ahead(8, '\0');
    store_be(reinterpret_cast<std::byte*>(ahead.data()), store_.last_store_timestamp_ms + 1);
    add_put("checkpoint ahead of the log", "checkpoint", 0, ahead);
    add_put("checkpoint zeroed", "checkpoint", 0, std::string(40, '\0'), true);
    for (const auto& [path, content] : image_.files) {
      if (!path.starts_with("config/")) continue;
      add_cut(path + " cut in half", path, content.size() / 2);
      add_cut(path + " empty", path, 0);
    }
    add_gone("topics.json missing", "config/topics.json");
  }

  static std::string noise(std::size_t bytes) {
    std::mt19937_64 random(bytes);
    std::string out;
    std::generate_n(std::back_inserter(out), bytes, [&] { return static_cast<char>(random()); });
    return out;
  }

  const SampleStore& store_;
  const StoreImage& image_;
  std::vector<std::string> log_, queue_, index_;
  std::set<std::string> seen_;
  std::vector<NamedDamage> out_;
};

}  // namespace

std::vector<NamedDamage> damage_matrix(const SampleStore& store, const StoreImage& image) {
  return Matrix(store, image).build();
}

}  // namespace mq::test
