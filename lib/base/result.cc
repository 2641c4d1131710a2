#include "base/result.h"

#include <cerrno>
#include <ostream>
#include <system_error>

#include <fmt/format.h>

namespace mq {

const char* name_of(Errc code) noexcept {
  switch (code) {
    case Errc::kShort:
      return "kShort";
    case Errc::kCorrupt:
      return "kCorrupt";
    case Errc::kNotFound:
      return "kNotFound";
    case Errc::kExists:
      return "kExists";
    case Errc::kInvalid:
      return "kInvalid";
    case Errc::kNoSpace:
      return "kNoSpace";
    case Errc::kIo:
      return "kIo";
    case Errc::kBusy:
      return "kBusy";
    case Errc::kTimeout:
      return "kTimeout";
    case Errc::kUnavailable:
      return "kUnavailable";
    case Errc::kUnsupported:
      return "kUnsupported";
    case Errc::kProtocol:
      return "kProtocol";
    case Errc::kClosed:
      return "kClosed";
    case Errc::kRemote:
      return "kRemote";
    case Errc::kDenied:
      return "kDenied";
  }
  return "unknown";
}

Error Error::from_errno(int sys_errno, std::string what) {
  Errc code = Errc::kIo;
  switch (sys_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = Errc::kNoSpace;
      break;
    case ENOENT:
      code = Errc::kNotFound;
      break;
    case EEXIST:
      code = Errc::kExists;
      break;
    case EAGAIN:
    case EBUSY:
      code = Errc::kBusy;
      break;
    default:
      break;
  }
  Error error(code, fmt::format("{}: {}", what, std::generic_category().message(sys_errno)));
  error.errno_ = sys_errno;
  return error;
}

std::string Error::to_string() const {
  return text_ ? fmt::format("{}: {}", name_of(code_), *text_) : std::string(name_of(code_));
}

Error Error::within(std::string_view where) && {
  text_ = std::make_unique<std::string>(text_ ? fmt::format("{}: {}", where, *text_)
                                              : fmt::format("{}: {}", where, name_of(code_)));
  return std::move(*this);
}

std::ostream& operator<<(std::ostream& out, const Error& error) { return out << error.to_string(); }

}  // namespace mq
