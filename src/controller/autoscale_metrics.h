// Figures of an application's own as a signal of its service: which tasks or server to ask, and
// what they said, together.
#pragma once

#include <string>
#include <vector>

#include "config/compose.h"
#include "controller/metric_watch.h"
#include "decide/autoscale/autoscaler.h"
#include "model/cluster.h"

namespace hive::controller {

// The server, or each of these tasks where its port is bound on its node.
std::vector<MetricSource> metric_sources(const config::AutoscaleMetric& metric,
                                         const std::vector<const model::Task*>& serving,
                                         const model::Snapshot& snapshot);

struct MetricSignal {
  decide::autoscale::Signal signal;
  bool whole = false;   // every task is in it; otherwise there is at least this
  std::string trouble;  // why it is not known, or not whole
};
// The sum over `of` tasks, as far as at least half of them are known and not too old (a query
// counts as one). Those that are not add nothing: what is not known orders no replicas. `watch` may
// be null: then nothing is known.
MetricSignal metric_signal(const MetricWatch* watch, const std::vector<MetricSource>& sources,
                           std::size_t of, MonotonicTime now);

}  // namespace hive::controller
