#include "receipts.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message_format.h"
#include "wire/codes.h"

namespace mq::mqsend {
namespace {

// A file is written from its start. What standard output or error leads to already, /dev/stderr
// above all, is shared as it is: opened anew it would be cut, and written over by both.
int open_file(const std::string& path) {
  struct stat named {};
  if (::stat(path.c_str(), &named) == 0) {
    for (const int shared : {STDOUT_FILENO, STDERR_FILENO}) {
      struct stat open_one {};
      if (::fstat(shared, &open_one) == 0 && open_one.st_dev == named.st_dev &&
          open_one.st_ino == named.st_ino) {
        return ::fcntl(shared, F_DUPFD_CLOEXEC, 0);
      }
    }
  }
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

}  // namespace

Result<std::unique_ptr<Receipts>> Receipts::open(const Options& o) {
  MQ_TRY(std::string format, cli::unescape(o.receipt_format));
  for (std::size_t at = format.find('%'); at != std::string::npos; at = format.find('%', at + 2)) {
    if (at + 1 == format.size() ||
        std::string_view("nxibpoe%").find(format[at + 1]) == std::string_view::npos) {
      return Error{Errc::kInvalid,
                   fmt::format("-R: '{}' is no field; known are %n %x %i %b %p %o %e",
                               format.substr(at, 2))};
    }
  }
  const int fd = open_file(o.receipts);
  if (fd < 0) return Error{Errc::kExists, Error::from_errno(errno, o.receipts).text()};
  return std::unique_ptr<Receipts>(new Receipts(std::move(format), fd));
}

Result<void> Receipts::write(const Outcome& outcome) {
  for (std::size_t i = 0; i < outcome.items->size(); ++i) line(outcome, i);
  return out_.flush();
}

void Receipts::line(const Outcome& outcome, std::size_t i) {
  std::string& out = out_.buffer();
  const ItemInfo& item = (*outcome.items)[i];
  for (std::size_t at = 0; at < format_.size(); ++at) {
    if (format_[at] != '%') {
      out += format_[at];
      continue;
    }
    switch (format_[++at]) {
      case 'n':
        out += std::to_string(item.number);
        break;
      case 'x':
        out += std::to_string(item.offset);
        break;
      case 'i':
        out += outcome.ids->substr(i * 32, 32);
        break;
      case 'b':
        out += outcome.broker;
        break;
      case 'p':
        out += std::to_string(outcome.queue);
        break;
      case 'o':
        out += std::to_string(outcome.queue_offset + static_cast<std::int64_t>(i));
        break;
      case 'e':
        out += outcome.code == 0 ? "SEND_OK" : wire::response_name(outcome.code);
        break;
      default:
        out += '%';
    }
  }
}

}  // namespace mq::mqsend
