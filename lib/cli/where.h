// From -b, -n, or neither to the brokers that are meant.
#pragma once

#include "base/result.h"
#include "cli/common_options.h"
#include "client/cluster.h"

namespace mq::cli {

// The broker of -b, those that the name servers of -n know, or the local daemon that answers.
// Errors: kUnavailable naming every address tried and how to start a daemon; kInvalid.
Result<client::Cluster> open_cluster(const CommonOptions& common);
// The same with at most that long for each answer.
Result<client::Cluster> open_cluster(const CommonOptions& common, std::int64_t timeout_ms);

}  // namespace mq::cli
