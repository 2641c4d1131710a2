#include "client/remote_error.h"

#include <fmt/format.h>

#include "wire/codes.h"

namespace mq::client {
namespace {

Errc meaning_of(std::int32_t code) noexcept {
  switch (code) {
    case wire::kTopicNotExist:
    case wire::kQueryNotFound:
      return Errc::kNotFound;
    case wire::kSystemBusy:
    case wire::kFlushDiskTimeout:
    case wire::kSlaveNotAvailable:
    case wire::kFlushSlaveTimeout:
    case wire::kServiceNotAvailable:
      return Errc::kBusy;
    case wire::kNoPermission:
      return Errc::kDenied;
    case wire::kMessageIllegal:
    case wire::kSubscriptionParseFailed:
    case wire::kInvalidParameter:
      return Errc::kInvalid;
    case wire::kRequestCodeNotSupported:
      return Errc::kUnsupported;
    default:
      return Errc::kRemote;
  }
}

}  // namespace

Error remote_error(std::string_view who, const wire::Command& answer) {
  const std::string_view separator = answer.remark.empty() ? "" : ": ";
  return Error{meaning_of(answer.code), fmt::format("{}: {} ({}){}{}; see mq-errors(7)", who,
                                                    wire::response_name(answer.code), answer.code,
                                                    separator, answer.remark)};
}

}  // namespace mq::client
