// From a record of the input to a message: key, tag, properties, body.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/message_id.h"
#include "options.h"

namespace mq::mqsend {

struct Outgoing {
  std::string_view body;
  std::string_view properties;  // encoded, UNIQ_KEY first
  std::string_view id;          // the unique key
  std::uint32_t shard_hash = 0;
};

class RecordParser {
 public:
  // Errors: kInvalid for a format that cannot be parsed.
  static Result<RecordParser> create(const Options& options);
  // Views are valid until the next call, and while the record is. Errors: kCorrupt (this record
  // alone is bad).
  Result<Outgoing> parse(std::string_view record, std::int64_t now_ms);

 private:
  struct Field {
    char letter;         // k g s H
    std::string name;    // of H
    std::string behind;  // text that ends it; empty: the rest
  };
  explicit RecordParser(const Options& options) : options_(&options) {}
  Result<void> compile(std::string_view format);
  Result<std::string_view> parse_fields(std::string_view record);
  Result<std::string_view> parse_json_record(std::string_view record);

  const Options* options_;
  std::vector<Field> fields_;
  std::string before_;  // literal in front of the first field
  std::string fixed_;   // properties that all messages have
  format::UniqKeyMaker maker_;
  // Of the current record:
  std::string properties_;
  std::string own_;
  std::string body_;
  std::string key_;
  std::vector<std::pair<std::string, std::string>> named_;
};

}  // namespace mq::mqsend
