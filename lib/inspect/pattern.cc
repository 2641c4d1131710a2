#define PCRE2_CODE_UNIT_WIDTH 8
#include "inspect/pattern.h"

#include <array>

#include <fmt/format.h>
#include <pcre2.h>

namespace mq::inspect {

Result<std::shared_ptr<const Pattern>> Pattern::compile(std::string_view text) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0,
                                   &error, &at, nullptr);
  if (code == nullptr) {
    std::array<unsigned char, 256> why{};
    pcre2_get_error_message(error, why.data(), why.size());
    return Error{Errc::kInvalid,
                 fmt::format("at {}: {}", at, reinterpret_cast<const char*>(why.data()))};
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return std::shared_ptr<const Pattern>(new Pattern(
      {code, [](void* compiled) { pcre2_code_free(static_cast<pcre2_code*>(compiled)); }}));
}

bool Pattern::found_in(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  return pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                     reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, match.get(),
                     nullptr) >= 0;
}

}  // namespace mq::inspect
