// Single figures, for --check and --wait.
#pragma once

#include <optional>
#include <string>

#include "client/cluster.h"
#include "options.h"

namespace mq::mqstat {

// lag      messages that the group of -g (in the topic of -t) has not consumed; nothing while the
//          group is unknown
// disk     percent of the store's file system in use, the fullest broker's
// behind   bytes of the log that are not dispatched to queues yet
// unflushed  bytes of the log that are not on disk yet; of our own brokers alone
// Errors: kInvalid (no such figure), those of the cluster.
Result<std::optional<double>> measure(client::Cluster& cluster, const Options& options,
                                      const std::string& name);

// "lag=0", "disk<80": NAME then one of = == != < <= > >= then a number.
struct Condition {
  std::string name;
  std::string comparison;
  double value = 0;
  [[nodiscard]] bool holds(double measured) const;
};
// Errors: kInvalid.
Result<Condition> parse_condition(const std::string& text);

}  // namespace mq::mqstat
