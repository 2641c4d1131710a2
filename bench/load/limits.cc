// What the machine can do at all, so that every figure has something to stand against.
#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

namespace mq::bench {
namespace {

constexpr std::size_t kAnswerBytes = 200;
constexpr std::size_t kOverhead = 230;  // header of a send

// A connected pair of the kind that `broker` names: tcp on loopback, else Unix.
Result<std::array<int, 2>> pair_of(const std::string& kind) {
  std::array<int, 2> fds{};
  if (kind != "tcp") {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
      return Error::from_errno(errno, "socketpair");
    return fds;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, address, bytes) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, address, &bytes) != 0 || connect(fds[0], address, bytes) != 0)
    return Error::from_errno(errno, "loopback");
  fds[1] = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  close(listener);
  const int on = 1;
  for (const int fd : fds) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fds;
}

bool read_all(int fd, char* to, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t n = read(fd, to + done, bytes - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

bool write_all(int fd, const char* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t n = ::write(fd, from + done, bytes - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

Result<void> echo(const Options& o) {
  MQ_TRY(const auto fds, pair_of(o.broker));
  std::string request(static_cast<std::size_t>(o.size) + kOverhead, 'x');
  std::string answer(kAnswerBytes, 'y');
  const pid_t child = fork();
  if (child == 0) {
    close(fds[0]);
    while (read_all(fds[1], request.data(), request.size()) &&
           write_all(fds[1], answer.data(), answer.size())) {
    }
    _exit(0);
  }
  close(fds[1]);
  std::vector<float> times;
  for (std::int64_t i = 0; i < o.count; ++i) {
    const double begin = now_us();
    if (!write_all(fds[0], request.data(), request.size()) ||
        !read_all(fds[0], answer.data(), answer.size()))
      return Error{Errc::kIo, "echo"};
    times.push_back(static_cast<float>(now_us() - begin));
  }
  close(fds[0]);
  waitpid(child, nullptr, 0);
  Report report;
  report.add_times(times);
  report.print();
  return {};
}

Result<void> stream(const Options& o) {
  MQ_TRY(const auto fds, pair_of(o.broker));
  const auto bytes = static_cast<std::size_t>(256) << 20;
  const int file = open(o.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || posix_fallocate(file, 0, static_cast<off_t>(bytes)) != 0)
    return Error::from_errno(errno, o.file);
  char* at = static_cast<char*>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0));
  unlink(o.file.c_str());
  close(file);
  if (at == MAP_FAILED) return Error::from_errno(errno, "mmap");
  const int rounds = 8;
  const pid_t child = fork();
  if (child == 0) {
    close(fds[0]);
    for (int round = 0; round < rounds; ++round) {
      if (!write_all(fds[1], at, bytes)) break;
    }
    _exit(0);
  }
  close(fds[1]);
  std::string buffer(1 << 20, '\0');
  const double begin = now_us();
  double got = 0;
  for (ssize_t n = 0; (n = read(fds[0], buffer.data(), buffer.size())) > 0;)
    got += static_cast<double>(n);
  const double seconds = (now_us() - begin) / 1e6;
  waitpid(child, nullptr, 0);
  munmap(at, bytes);
  Report report;
  report.add("bytes_rate", got / seconds);
  report.print();
  return {};
}

Result<void> fdatasync_rate(const Options& o) {
  const int fd = open(o.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Error::from_errno(errno, o.file);
  const std::string block(static_cast<std::size_t>(o.size), 'x');
  const std::string zeros(1 << 20, '\0');
  const std::int64_t total = o.size * o.count;
  for (std::int64_t at = 0; at < total; at += 1 << 20) {
    if (pwrite(fd, zeros.data(), zeros.size(), at) < 0) return Error::from_errno(errno, o.file);
  }
  if (fsync(fd) != 0) return Error::from_errno(errno, o.file);
  std::vector<float> times;
  const double begin = now_us();
  for (std::int64_t i = 0; i < o.count; ++i) {
    const double one = now_us();
    if (pwrite(fd, block.data(), block.size(), i * o.size) < 0 || fdatasync(fd) != 0)
      return Error::from_errno(errno, o.file);
    times.push_back(static_cast<float>(now_us() - one));
  }
  const double seconds = (now_us() - begin) / 1e6;
  close(fd);
  unlink(o.file.c_str());
  Report report;
  report.add("rate", static_cast<double>(o.count) / seconds);
  report.add_times(times);
  report.print();
  return {};
}

}  // namespace mq::bench
