#include "process.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mq::mqrecv {
namespace {

// The input as a file without a name: no pipe to feed, no child that waits for us.
Result<int> file_of(Bytes input) {
  const int fd = memfd_create("mqrecv-message", MFD_CLOEXEC);
  if (fd < 0) return Error::from_errno(errno, "memfd_create");
  while (!input.empty()) {
    const ssize_t n = ::write(fd, input.data(), input.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error = Error::from_errno(errno, "memfd");
      ::close(fd);
      return error;
    }
    input = input.subspan(static_cast<std::size_t>(n));
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  explicit SpawnSettings(int input) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);  // ignored here, for reasons of our own
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<Process> Process::start(const std::string& command,
                               const std::vector<std::string>& variables, Bytes input) {
  MQ_TRY(const int fd, file_of(input));
  const SpawnSettings settings(fd);
  std::vector<char*> environment;
  environment.reserve(variables.size() + 64);
  for (const std::string& variable : variables)
    environment.push_back(const_cast<char*>(variable.c_str()));
  // Of two with one name most programs see the first.
  for (char** at = environ; *at != nullptr; ++at) environment.push_back(*at);
  environment.push_back(nullptr);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, "/bin/sh", &settings.actions, &settings.attributes,
                                 arguments, environment.data());
  ::close(fd);
  if (failed != 0) return Error::from_errno(failed, "starting /bin/sh");
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    const Error error = Error::from_errno(errno, "pidfd_open");
    kill(-pid, SIGKILL);
    (void)waitpid(pid, nullptr, 0);
    return error;
  }
  return Process(pid, handle);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), fd_(std::exchange(other.fd_, -1)) {}
Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(fd_, other.fd_);
  return *this;
}
Process::~Process() {
  if (fd_ >= 0) ::close(fd_);
}

int Process::wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Process::terminate(int signal) const {
  if (pid_ > 0) kill(-pid_, signal);
}

}  // namespace mq::mqrecv
