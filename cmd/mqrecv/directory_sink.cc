#include <array>
#include <cerrno>
#include <ctime>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "sink.h"

namespace mq::mqrecv {
namespace {

constexpr std::size_t kLarge = 256 << 10;

// A run of gzip members: each is finished when the file is synced, so that what is on disk can be
// read back whatever happens then.
class Gzip {
 public:
  ~Gzip() {
    if (is_open_) deflateEnd(&stream_);
  }
  void append(std::string& out, std::string_view text, bool finish) {
    if (!is_open_ && text.empty()) return;
    if (!is_open_) {
      constexpr int kGzipWindow = 15 + 16;
      stream_ = z_stream{};
      // Fails for want of memory alone.
      if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                       Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
      is_open_ = true;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    std::array<char, 65536> piece{};
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = piece.size();
      deflate(&stream_, finish ? Z_FINISH : Z_NO_FLUSH);
      out.append(piece.data(), piece.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    if (finish) {
      deflateEnd(&stream_);
      is_open_ = false;
    }
  }

 private:
  z_stream stream_{};
  bool is_open_ = false;
};

// The file that the messages of one topic go to now.
struct Stream {
  int fd = -1;
  std::string path;
  std::int64_t bytes = 0;  // in the file
  std::string buffer;
  Gzip gzip;
};

class Directory final : public Sink {
 public:
  Directory(const Options& options, int fd) : o_(options), directory_(fd) {}
  ~Directory() override {
    for (auto& [topic, stream] : streams_)
      if (stream.fd >= 0) ::close(stream.fd);
    ::close(directory_);
  }

  Result<std::string*> open(std::string_view topic) override {
    current_ = streams_.find(topic);
    if (current_ == streams_.end()) current_ = streams_.try_emplace(std::string(topic)).first;
    if (current_->second.fd < 0) MQ_CHECK(begin(current_->first, current_->second));
    return &current_->second.buffer;
  }
  Result<void> settle() override {
    Stream& stream = current_->second;
    const auto size = stream.bytes + static_cast<std::int64_t>(stream.buffer.size());
    const bool is_full = o_.rotate_bytes > 0 && size >= o_.rotate_bytes;
    if (stream.buffer.size() < kLarge && !is_full) return {};
    MQ_CHECK(write(stream, false));
    // Compressed it may have room yet.
    return o_.rotate_bytes > 0 && stream.bytes >= o_.rotate_bytes ? end(stream) : Result<void>();
  }
  Result<void> flush() override {
    for (auto& [topic, stream] : streams_) MQ_CHECK(write(stream, false));
    return {};
  }
  Result<void> sync() override {
    for (auto& [topic, stream] : streams_) {
      MQ_CHECK(write(stream, true));
      if (stream.fd >= 0 && fdatasync(stream.fd) != 0) return failed(stream.path);
    }
    return {};
  }
  Result<void> close() override {
    for (auto& [topic, stream] : streams_) MQ_CHECK(end(stream));
    return {};
  }

 private:
  static Error failed(const std::string& path) {
    const Error error = Error::from_errno(errno, path);
    return Error{Errc::kIo, error.text()};
  }

  // A new file, whose name is on disk before anything of it counts.
  Result<void> begin(const std::string& topic, Stream& stream) {
    const std::time_t now = system_clock().now_ms() / 1000;
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> stamp{};
    std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &parts);
    for (int n = 1; stream.fd < 0; ++n) {
      const std::string name =
          fmt::format("{}.{}.{:04}{}", topic, stamp.data(), n, o_.gzip ? ".gz" : "");
      stream.path = o_.directory + "/" + name;
      stream.fd = openat(directory_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      if (stream.fd < 0 && errno != EEXIST)
        return Error{Errc::kExists, Error::from_errno(errno, stream.path).text()};
    }
    stream.bytes = 0;
    if (fsync(directory_) != 0) return failed(o_.directory);
    return {};
  }

  Result<void> write(Stream& stream, bool finish) {
    std::string packed;
    if (o_.gzip) stream.gzip.append(packed, stream.buffer, finish);
    std::string_view rest = o_.gzip ? packed : stream.buffer;
    while (!rest.empty()) {
      const ssize_t n = ::write(stream.fd, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(stream.path);
      stream.bytes += n;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    stream.buffer.clear();
    return {};
  }

  Result<void> end(Stream& stream) {
    if (stream.fd < 0) return {};
    MQ_CHECK(write(stream, true));
    if (fdatasync(stream.fd) != 0) return failed(stream.path);
    const int fd = std::exchange(stream.fd, -1);
    if (::close(fd) != 0 && errno != EINTR) return failed(stream.path);
    return {};
  }

  const Options& o_;
  const int directory_;
  std::map<std::string, Stream, std::less<>> streams_;
  std::map<std::string, Stream, std::less<>>::iterator current_ = streams_.end();
};

}  // namespace

Result<std::unique_ptr<Sink>> open_directory(const Options& options) {
  const int fd = ::open(options.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Error::from_errno(errno, options.directory);
  return std::unique_ptr<Sink>(std::make_unique<Directory>(options, fd));
}

}  // namespace mq::mqrecv
