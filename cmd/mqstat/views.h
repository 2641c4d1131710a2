// What can be looked at: each view is asked again and again for its rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/output.h"
#include "client/cluster.h"
#include "options.h"
#include "table.h"

namespace mq::mqstat {

class View {
 public:
  virtual ~View() = default;
  // Errors: those of the cluster.
  virtual Result<std::vector<Row>> look() = 0;
};
// Null for a view that is none of these. All is borrowed.
std::unique_ptr<View> make_broker_view(client::Cluster& cluster, const Options& options);
std::unique_ptr<View> make_topic_view(client::Cluster& cluster, const Options& options);
std::unique_ptr<View> make_group_view(client::Cluster& cluster, const Options& options);
std::unique_ptr<View> make_cluster_view(client::Cluster& cluster, const Options& options);
std::unique_ptr<View> make_timer_view(client::Cluster& cluster, const Options& options);

// One message or those of a key, as JSON. The value is the exit status.
Result<int> show_message(client::Cluster& cluster, const Options& options, cli::Output& out);

}  // namespace mq::mqstat
