// -F for entries that are no messages: `%x` for fields that the command names, `%%`, and the
// escapes of message formats.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mq::mqdump {

class LineFormat {
 public:
  // `letters`: the fields there are, as "topqP". Errors: kInvalid naming them.
  static Result<LineFormat> compile(std::string_view text, std::string_view letters);

  // Appends a line; `field(letter, out)` appends a field.
  template <typename AppendField>
  void append(std::string& out, const AppendField& field) const {
    for (const Part& part : parts_) {
      if (part.letter == 0) {
        out += part.text;
      } else {
        field(part.letter, out);
      }
    }
  }

 private:
  struct Part {
    char letter = 0;  // 0: literal
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace mq::mqdump
