// A connection that sends large frames reads into a buffer of its own, gives it back when it falls
// silent, and goes on afterwards as if nothing had been.
// Method: a real server, left alone for longer than it keeps such a buffer.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "net/server.h"
#include "net/stream.h"
#include "wire/command.h"

namespace mq::net {
namespace {

constexpr std::int64_t kPatienceMs = 20'000;

class Echo final : public Handler {
 public:
  void on_frame(Connection& connection, Bytes frame) override {
    wire::Command request;
    if (!wire::decode_command(frame, request)) return connection.close();
    wire::append_frame(connection.out(), wire::answer_to(request, 0), {}, request.body);
  }
};

// Sends a frame with that body in pieces and reads the answer's body.
std::string echoed(Stream& stream, const std::string& body, std::size_t piece) {
  std::string frame;
  wire::append_frame(frame, {.code = 7, .opaque = 3}, {}, as_bytes(body));
  for (std::size_t at = 0; at < frame.size(); at += piece) {
    const Bytes part = as_bytes(std::string_view(frame).substr(at, piece));
    EXPECT_TRUE(stream.write_all({&part, 1}, kPatienceMs));
  }
  std::vector<std::byte> in;
  for (;;) {
    const auto whole = wire::frame_bytes(in);
    if (whole && *whole > 0 && *whole <= in.size()) break;
    const std::size_t had = in.size();
    in.resize(had + 65'536);
    const auto got = stream.read_some(MutableBytes(in).subspan(had), kPatienceMs);
    EXPECT_TRUE(got) << got.error();
    if (!got || *got == 0) return "the connection is gone";
    in.resize(had + *got);
  }
  wire::Command answer;
  EXPECT_TRUE(wire::decode_command(in, answer));
  return std::string(as_text(answer.body));
}

TEST(IdleConnection, GoesOnAfterItsBufferWasTakenBack) {
  Server::Options options;
  options.threads = 1;
  options.idle_timeout_ms = 4000;  // it looks for silent peers eight times as often
  Echo echo;
  auto server = Server::create(options, echo);
  ASSERT_TRUE(server) << server.error();
  const auto bound = (*server)->listen(*parse_address("127.0.0.1:0"));
  ASSERT_TRUE(bound) << bound.error();
  (*server)->start();
  auto stream = Stream::connect(*bound, kPatienceMs);
  ASSERT_TRUE(stream) << stream.error();
  const std::string large(5000, 'l');
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(echoed(*stream, large, large.size() * 2), large);
    EXPECT_EQ(echoed(*stream, large, 1024), large);
    EXPECT_EQ(echoed(*stream, "small", 1024), "small");
    EXPECT_EQ(echoed(*stream, large, large.size() * 2), large);
    std::this_thread::sleep_for(std::chrono::milliseconds(1300));
    EXPECT_EQ(echoed(*stream, std::string(600'000, 'h'), 100'000), std::string(600'000, 'h'));
  }
  (*server)->stop(0);
}

}  // namespace
}  // namespace mq::net
