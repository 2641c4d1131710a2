// mqctl topic list|show|create|alter|delete.
#pragma once

#include <string>

#include "cli/tool.h"

namespace mq::mqctl {

struct TopicOptions {
  cli::CommonOptions common;
  std::string action;
  std::string topic;
  int queues = 0;  // 0: not said
  int read_queues = 0;
  int write_queues = 0;
  std::string perm;  // "6" or "RW"
  bool order = false;
  std::vector<std::string> attributes;  // "+key=value", "-key"
  bool json = false;
  bool all = false;  // list: the broker's own, too
  bool dry_run = false;
  bool yes = false;
  bool if_exists = false;
  bool if_not_exists = false;
};
// Returns the exit status.
int topic(const TopicOptions& options);

}  // namespace mq::mqctl
