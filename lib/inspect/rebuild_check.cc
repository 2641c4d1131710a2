#include "inspect/rebuild_check.h"

#include <fmt/format.h>

#include "inspect/repair_compare.h"
#include "inspect/repair_compare_index.h"

namespace mq::inspect {

Result<RebuildCheck> check_rebuild(fs::Fs& fs, const std::string& store,
                                   const RebuildOptions& options) {
  MQ_TRY(const auto log, LogReader::open(fs, store, LogReader::Cache::kDrop));
  RebuildCheck out;
  const DispatchRules rules(options.delay_levels);
  MQ_TRY(auto there, QueuesThere::open(fs, store, options.shape.queue_file_bytes));
  QueueCompare queues(fs, store, there, options.shape.queue_file_bytes, log->begin());
  IndexCompare index(fs, store, options.shape.index, log->begin());
  QueueBuilder builder(queues,
                       QueueBuilder::Options{.log_begins_at_zero = log->begin().value() == 0}, {});
  LogDispatch dispatch({.rules = &rules,
                        .queues = options.queues ? &builder : nullptr,
                        .keys = options.index ? &index : nullptr,
                        .topic = options.topic,
                        .batch_topics = batch_topics(fs, store)});
  MQ_TRY(const PhysicalOffset end,
         walk_log(*log, dispatch, options.progress,
                  [&](const Finding& finding) { out.damage.push_back(finding); }));
  (void)end;
  out.records = dispatch.records();
  for (const QueueCompare::Difference& d : queues.differences())
    out.differences.push_back({d.what, d.lags});
  if (!index.what().empty()) out.differences.push_back({index.what(), false});
  if (index.lags()) {
    out.differences.push_back(
        {fmt::format("{}/index: ends {} keys before the log", store, index.missing()), true});
  }
  return out;
}

}  // namespace mq::inspect
