// Format strings: `%s` body, `%S` its length, `%k` keys, `%g` tag, `%h` properties, `%H{NAME}` one,
// `%t` topic, `%p` queue,
// `%o` offset, `%b` broker, `%i` msgId, `%I` offset id, `%P` physical offset, `%T` store time, `%B`
// born time, `%r` reconsume times, `%n` running number, `%%` a percent sign; `\n \t \r \0 \\ \xNN`.
// After a letter, a modifier in braces:
// `{hex} {base64} {json} {be32} {strftime:FORMAT}`.
//
// Compiled once; appending a message allocates nothing beyond what `out` needs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/message.h"

namespace mq::cli {

class MessageFormat {
 public:
  // Errors: kInvalid with the position and what was expected there.
  static Result<MessageFormat> compile(std::string_view text);

  void append(std::string& out, const Message& message) const;

 private:
  enum class Modifier { kNone, kHex, kBase64, kJson, kBe32, kStrftime };
  struct Part {
    char letter = 0;   // 0: literal
    std::string text;  // the literal, the property's name, or the strftime format
    std::string name;
    Modifier modifier = Modifier::kNone;
  };
  std::vector<Part> parts_;
};

// `\n \t \r \0 \\ \xNN` in a delimiter or format. Errors: kInvalid.
Result<std::string> unescape(std::string_view text);

}  // namespace mq::cli
