// The command line of mqsend.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/common_options.h"

namespace mq::mqsend {

enum class Split { kDelimiter, kLengthPrefix, kWhole };
enum class Empty { kSkip, kFail, kFill };

struct Options {
  cli::CommonOptions common;
  std::string topic;
  std::vector<std::string> files;
  std::optional<std::string> body;  // -m

  Split split = Split::kDelimiter;
  std::string delimiter = "\n";
  bool lines = false;  // -l: files are split like stdin
  bool json = false;
  bool lax = false;
  std::string format;  // -F

  std::string key_delimiter;
  std::vector<std::string> keys;
  std::string tag;
  std::vector<std::pair<std::string, std::string>> properties;
  int queue = -1;
  std::string shard_by;
  bool use_topic = false;  // of the record
  bool use_queue = false;
  int delay_level = 0;
  std::int64_t delay_ms = 0;    // --delay; 0: not given
  std::int64_t deliver_ms = 0;  // --at; ditto

  std::int64_t batch_bytes = 128 << 10;
  std::int64_t linger_ms = 2;
  int inflight = 8;
  bool oneway = false;
  bool sync = false;
  bool transaction = false;
  std::string producer_group = "mqsend";  // with --transaction one of this run's own
  double rate = 0;
  std::int64_t count = -1;
  Empty empty = Empty::kSkip;
  std::string fill;
  bool oversize_skip = false;
  std::int64_t body_max = 4 << 20;
  int retries = 3;
  bool tee = false;
  std::string receipts;
  std::string receipt_format = "%n %x %i %p %o %e\\n";
  std::string resume;
  int create = 0;
  bool dry_run = false;
  bool stats = false;

  bool bench = false;
  std::int64_t bench_size = 1024;
  std::int64_t bench_duration_ms = 10'000;
  int bench_clients = 1;
  bool csv = false;
};

// Messages that wait at the broker go one a request: it takes none of them in a batch.
[[nodiscard]] inline bool is_delayed(const Options& options) noexcept {
  return options.delay_level > 0 || options.delay_ms > 0 || options.deliver_ms > 0;
}

// Fills `options`; an exit code when the tool ends here.
std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace mq::mqsend
