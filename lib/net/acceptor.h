// A listening socket: takes connections and hands each to a loop. Lives on one loop's thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "net/asio.h"
#include "net/descriptor.h"
#include "net/loop.h"

namespace mq::net {

class Acceptor {
 public:
  // `give` gets every accepted socket, with the peer as the system names it.
  using Give = std::function<void(Descriptor, const sockaddr_storage&, socklen_t)>;
  Acceptor(Loop& loop, Descriptor fd, Give give);

  void start();  // before the loop runs, or on its thread
  void close();  // on the loop's thread

 private:
  void wait();
  void accept_all();
  void rest();

  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer timer_;
  Give give_;
  bool closed_ = false;
};

}  // namespace mq::net
