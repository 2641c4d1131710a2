// The one place that includes Asio, compiled once (asio.cc): it costs two seconds a file.
#pragma once

// NOLINTBEGIN(readability-identifier-naming): their names
#define BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_ASIO_NO_DEPRECATED
// NOLINTEND(readability-identifier-naming)

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace mq::net {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;

}  // namespace mq::net
