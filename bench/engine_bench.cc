// How much of what the machine can do is left of it by the engine: appends to a store against a
// bare loop that does no more than what cannot be avoided, a memcpy of each record and the CRC-32
// of its body, into a pre-faulted mapping of a file on the same file system.
//
//   engine_bench [DIR [ROUNDS [BYTES BATCH]]]
//
// With BYTES and BATCH that line alone, as a profiler wants it.
//
// Both run in turn, a slice each, so that what the machine does besides hits both; the ratio is of
// each pair of slices. A slice is short enough to stay below the limit of undispatched records:
// what is measured is the append, not the patience of back pressure. Between slices dispatch
// catches up, untimed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "fs/fs.h"
#include "store/message_store.h"

namespace {

using mq::store::MessageStore;
using mq::store::PutMessage;
using mq::store::PutStatus;

constexpr std::size_t kSliceBytes =
    24 << 20;  // less than what the engine keeps ready ahead of the writer
constexpr std::size_t kSliceRecordsMax = 150'000;
// What our own client adds, so that records have the size they have in life.
constexpr std::string_view kProperties = "UNIQ_KEY\1C00002020A5080C5216B83798A770000\2";
constexpr std::string_view kTopic = "bench";

// Wall time, and the CPU time of the thread that appends: on a busy machine the second is the
// steadier one.
struct Watch {
  static double now(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  }
  double wall_s = now(CLOCK_MONOTONIC);
  double cpu_s = now(CLOCK_THREAD_CPUTIME_ID);
};
struct Rate {
  Rate(const Watch& since, std::size_t count) {
    const Watch end;
    wall = static_cast<double>(count) / (end.wall_s - since.wall_s);
    cpu = static_cast<double>(count) / (end.cpu_s - since.cpu_s);
  }
  double wall, cpu;  // messages a second
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "engine_bench: %s\n", why.c_str());
  std::exit(71);
}

// A file's pages, written once before anything is timed.
class BareMapping {
 public:
  BareMapping(const std::string& path, std::size_t bytes) : bytes_(bytes) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, static_cast<off_t>(bytes)) != 0)
      give_up(path + ": no space");
    void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    if (at == MAP_FAILED) give_up(path + ": mmap");
    base_ = static_cast<std::byte*>(at);
    std::memset(base_, 0, bytes);
  }
  ~BareMapping() { munmap(base_, bytes_); }
  BareMapping(const BareMapping&) = delete;
  BareMapping& operator=(const BareMapping&) = delete;

  // Copies `count` records of `record` one behind the other.
  Rate run(mq::Bytes record, std::size_t body_at, std::size_t body_bytes, std::size_t count) {
    const Watch begin;
    std::uint32_t sum = 0;
    std::byte* to = base_;
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(to, record.data(), record.size());
      sum += mq::crc32(record.subspan(body_at, body_bytes));
      to += record.size();
    }
    const Rate rate(begin, count);
    if (sum == 1) std::puts("");  // keeps the sum alive
    return rate;
  }

 private:
  std::size_t bytes_;
  std::byte* base_;
};

struct Spread {
  double low, middle, high;
};
Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

class Bench {
 public:
  explicit Bench(const std::string& dir) : bare_(dir + "/bare", kSliceBytes + (1 << 20)) {
    options_.root = dir + "/store";
    options_.fs = &mq::fs::posix();
    options_.clock = &mq::system_clock();
    auto store = MessageStore::open(options_);
    if (!store) give_up(store.error().to_string());
    store_ = std::move(*store);
    // The more has been written, the more space is kept ready; a store that has just been opened
    // keeps little.
    const std::vector<std::byte> body(1024, std::byte{'x'});
    (void)put(body, 64, (std::size_t{128} << 20) / body.size());
  }
  ~Bench() { (void)store_->close(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // One line: `batch` messages a put.
  void compare(std::size_t body_bytes, std::size_t batch, int rounds) {
    const std::vector<std::byte> body(body_bytes, std::byte{'x'});
    mq::format::Record shape;
    shape.body = body;
    shape.topic = kTopic;
    shape.properties = kProperties;
    std::vector<std::byte> record(mq::format::record_bytes(shape));
    mq::format::encode_record(shape, record);
    const std::size_t body_at = record.size() - mq::format::record_tail_bytes(shape) - body_bytes;
    const std::size_t count =
        std::min(kSliceRecordsMax, kSliceBytes / record.size()) / batch * batch;

    std::vector<double> bare, engine, ratio, cpu_ratio;
    for (int round = -1; round < rounds; ++round) {  // the first one warms up
      const Rate a = bare_.run(record, body_at, body_bytes, count);
      const Rate b = put(body, batch, count);
      if (!store_->wait_dispatched(60'000)) give_up("dispatch does not catch up");
      usleep(100'000);  // the space ahead is made ready meanwhile, as the bare loop's was
      if (round < 0) continue;
      bare.push_back(a.wall / 1e6);
      engine.push_back(b.wall / 1e6);
      ratio.push_back(b.wall / a.wall);
      cpu_ratio.push_back(b.cpu / a.cpu);
    }
    const Spread r = spread(ratio);
    const Spread c = spread(cpu_ratio);
    std::printf(
        "%6zu B  %3zu a put  bare %7.2f  engine %7.2f M msg/s   ratio %.2f (%.2f .. %.2f)   by CPU "
        "%.2f (%.2f .. %.2f)\n",
        body_bytes, batch, spread(bare).middle, spread(engine).middle, r.middle, r.low, r.high,
        c.middle, c.low, c.high);
    std::fflush(stdout);
  }

  // Without pauses: what making space ready and dispatching leave of it.
  void sustained(std::size_t body_bytes, std::size_t batch, std::size_t total) {
    const std::vector<std::byte> body(body_bytes, std::byte{'x'});
    const std::size_t count = total / body_bytes / batch * batch;
    const Rate rate = put(body, batch, count);
    if (!store_->wait_dispatched(60'000)) give_up("dispatch does not catch up");
    std::printf("%6zu B  %3zu a put  without pauses    engine %7.2f M msg/s   %.0f MB/s\n",
                body_bytes, batch, rate.wall / 1e6,
                rate.wall * static_cast<double>(body_bytes) / 1e6);
  }

 private:
  Rate put(mq::Bytes body, std::size_t batch, std::size_t count) {
    const mq::store::PutCommon common{.topic = kTopic, .queue_id = 0, .born_timestamp_ms = 1};
    const std::vector<PutMessage> messages(batch, {.body = body, .properties = kProperties});
    const Watch begin;
    for (std::size_t done = 0; done < count; done += batch) {
      const auto result =
          batch == 1 ? store_->put(common, messages.front()) : store_->put_batch(common, messages);
      if (result.status != PutStatus::kOk) give_up("put: " + result.reason);
    }
    return Rate(begin, count);
  }

  BareMapping bare_;
  mq::store::StoreOptions options_;
  std::unique_ptr<MessageStore> store_;
};

}  // namespace

int main(int argc, char** argv) {
  const char* given = std::getenv("TMPDIR");
  std::string dir = argc > 1 ? argv[1] : (given != nullptr ? given : "/tmp");
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 7;
  dir += "/mq-engine-bench.XXXXXX";
  if (mkdtemp(dir.data()) == nullptr) give_up(dir + ": cannot be made");
  {
    Bench bench(dir);
    if (argc > 4) {
      bench.compare(std::strtoull(argv[3], nullptr, 10),
                    std::max(1ULL, std::strtoull(argv[4], nullptr, 10)), rounds);
      (void)mq::fs::remove_tree(mq::fs::posix(), dir);
      return 0;
    }
    for (const std::size_t batch : {std::size_t{1}, std::size_t{64}}) {
      for (const std::size_t bytes : {std::size_t{128}, std::size_t{1024}, std::size_t{10'240}})
        bench.compare(bytes, batch, rounds);
    }
    for (const std::size_t bytes : {std::size_t{128}, std::size_t{1024}, std::size_t{10'240}})
      bench.sustained(bytes, 64, std::size_t{256} << 20);
  }
  (void)mq::fs::remove_tree(mq::fs::posix(), dir);
  return 0;
}
