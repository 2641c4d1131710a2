// Topics as they are stored and as they are sent. Private to server.
#pragma once

#include "format/state_files.h"
#include "wire/topic_body.h"

namespace mq::server {

[[nodiscard]] inline wire::DataVersion to_wire(const format::DataVersion& v) {
  return {.counter = v.counter, .state_version = v.state_version, .timestamp_ms = v.timestamp_ms};
}

[[nodiscard]] inline wire::TopicConfig to_wire(const format::TopicConfig& c) {
  return {.name = c.name,
          .read_queues = c.read_queues,
          .write_queues = c.write_queues,
          .perm = c.perm,
          .filter_type = c.filter_type,
          .sys_flag = c.sys_flag,
          .order = c.order,
          .attributes = c.attributes};
}

}  // namespace mq::server
