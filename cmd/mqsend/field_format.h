// mqsend -F: the fields of a record, with the letters that mqrecv prints: %k %g %s %h %H{NAME} are
// used, %p and %t where --use asks for them, and what says where a message once was is passed over.
// Behind a letter may stand {hex} {base64} {json} {be32}.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mq::mqsend {

// What a record says; text that had to be decoded lies in the record's own storage.
struct RecordFields {
  std::string key;
  std::string body;
  std::string topic;
  std::int64_t queue = -1;
  std::vector<std::pair<std::string, std::string>> properties;  // TAGS among them
  void clear();
};

class FieldFormat {
 public:
  // `delimiter` ends each record and has been taken off: at the end of the format it means that.
  // Errors: kInvalid.
  static Result<FieldFormat> compile(std::string_view format, std::string_view delimiter);
  // Errors: kCorrupt.
  Result<void> parse(std::string_view record, RecordFields& out) const;

 private:
  enum class Modifier { kNone, kHex, kBase64, kJson, kBe32 };
  struct Field {
    char letter = 0;
    std::string name;    // of H
    std::string behind;  // text that ends it; empty: the rest
    Modifier modifier = Modifier::kNone;
    bool is_last = false;
  };
  [[nodiscard]] bool ends_itself(const Field& field) const;
  Result<void> add_field(std::string_view format, std::size_t& at);
  static Result<std::string_view> take(const Field& field, std::string_view& record,
                                       std::int64_t length);
  static Result<std::string> decoded(const Field& field, std::string_view raw);
  static Result<void> use(const Field& field, std::string value, RecordFields& out,
                          std::int64_t& length);

  std::string before_;  // literal in front of the first field
  std::vector<Field> fields_;
  bool has_length_ = false;  // %S stands among them
};

// Properties that are set anew on the way, or tell of a delay that is over; a copy of a message
// leaves them behind.
[[nodiscard]] bool is_set_on_the_way(std::string_view name);

}  // namespace mq::mqsend
