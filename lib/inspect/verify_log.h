// The commit log under verify: its files, the chain of records in each, what stands between, what
// stands at the end.
//
// A record counts when its lengths add up and its stored offset is its position; a body with a
// wrong CRC is damage of that record, and neither breaks the chain nor what refers to the record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "format/record.h"
#include "inspect/body_checker.h"
#include "inspect/log_reader.h"
#include "inspect/verify_facts.h"

namespace mq::inspect {

class VerifyLog {
 public:
  // Told of each record in order; views for the time of the call.
  using Visit = std::function<void(const format::Record& record)>;
  using CheckBody = std::function<Result<void>(const format::Record& record)>;

  struct Options {
    int jobs = 1;
    CheckBody check_body{};  // --deep
    std::function<void(std::int64_t done, std::int64_t total)> progress{};
  };

  VerifyLog(LogReader& log, VerifyFacts& facts, VerifyReport& report, Options options);

  // Walks the log; then facts.end and facts.stretches are known. Errors: kIo.
  Result<void> walk(const Visit& visit);
  // After the other parts have said what they miss: tells of the stretches and of the log's end.
  // `dispatched`: behind the last record that some queue has.
  void finish(PhysicalOffset dispatched, std::int64_t flushed_ms);

  [[nodiscard]] std::int64_t records() const noexcept { return records_; }

 private:
  // What stands behind the last record.
  struct Tail {
    PhysicalOffset at{};
    PhysicalOffset to{};       // behind the last byte that is not zero; `at` if there is none
    std::string what{};        // why it is no record
    bool begins = false;       // something stands right at `at`
    bool is_whole = false;     // a record, whole, of another position
    bool has_no_head = false;  // that position is 0: the broker fills it in last
  };

  [[nodiscard]] std::int64_t common_length() const;
  void check_files();
  // Of the file that counts: one that is too long ends where the next begins.
  [[nodiscard]] std::int64_t bytes_of(const LogFile& file) const {
    return std::min(file.bytes, length_);
  }
  void note_gap(const LogFile& before, const LogFile& file);
  Result<void> walk_file(std::size_t number, const Visit& visit);
  // What stands at `at` and is no record: where to go on.
  Result<std::int64_t> pass_over(std::size_t number, Bytes in, std::int64_t at);
  Result<bool> has_records_behind(std::size_t number);
  Result<PhysicalOffset> end_of_bytes(PhysicalOffset from, PhysicalOffset to);
  Result<void> note_tail(std::size_t number, std::int64_t at);
  // A record whose own offset is wrong, but which stands where the chain says: is it one?
  [[nodiscard]] bool is_in_chain(Bytes in, std::int64_t at, const format::Record& record,
                                 PhysicalOffset start) const;
  void check_record(const format::Record& record, PhysicalOffset at, Bytes bytes);
  void check_times(const format::Record& record, PhysicalOffset at);
  void check_properties(const format::Record& record, PhysicalOffset at, Bytes bytes);
  void collect_bad_bodies();
  void tell_bad_bodies(PhysicalOffset dispatched, std::int64_t flushed_ms);
  void tell_tail(std::int64_t flushed_ms);
  void tell_what_is_behind(std::int64_t flushed_ms);
  void tell_stretches();
  void add(Severity severity, PhysicalOffset at, std::string what, std::string expected,
           std::string found, std::string mend);
  void damage(PhysicalOffset at, std::string what, std::string expected = {},
              std::string found = {});

  LogReader& log_;
  VerifyFacts& facts_;
  VerifyReport& report_;
  const Options options_;
  BodyChecker bodies_;
  std::vector<BodyChecker::Bad> bad_bodies_;
  std::optional<Tail> tail_;
  std::int64_t length_ = 0;  // of every file, as most have it
  std::int64_t records_ = 0;
  std::int64_t total_bytes_ = 0;
  std::int64_t last_store_ms_ = 0;
  // Times that go back, per file: the first, and how many.
  PhysicalOffset back_at_{};
  std::int64_t back_ms_ = 0;
  std::int64_t back_count_ = 0;
};

}  // namespace mq::inspect
