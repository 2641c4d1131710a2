// From a record of the input to a message: key, tag, properties, body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "field_format.h"
#include "format/message_id.h"
#include "options.h"

namespace mq::mqsend {

struct Outgoing {
  std::string_view body;
  std::string_view properties;  // encoded, UNIQ_KEY first
  std::string_view id;          // the unique key
  std::string_view topic{};     // with --use topic; empty: that of the command line
  std::int32_t queue = -1;      // with --use queue
  std::uint32_t shard_hash = 0;
  bool alone = false;  // not in a batch
};

class RecordParser {
 public:
  // Errors: kInvalid for a format that cannot be parsed.
  static Result<RecordParser> create(const Options& options);
  // Views are valid until the next call, and while the record is. Errors: kCorrupt (this record
  // alone is bad).
  Result<Outgoing> parse(std::string_view record, std::int64_t now_ms);

 private:
  explicit RecordParser(const Options& options) : options_(&options) {}
  Result<std::string_view> parse_fields(std::string_view record);
  Result<std::string_view> parse_json_record(std::string_view record);
  Result<void> use_member(std::string_view name, const json::value& value, bool& has_body);
  Result<void> encode_properties(std::int64_t now_ms);

  const Options* options_;
  std::optional<FieldFormat> format_;
  std::string fixed_;  // properties that all messages have
  format::UniqKeyMaker maker_;
  // Of the current record:
  RecordFields fields_;
  std::string properties_;
};

}  // namespace mq::mqsend
