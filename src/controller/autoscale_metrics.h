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
  std::string trouble;  // why it is not known, or not whole
};
// The sum over `of` tasks, as far as most of them are known: those that are not are taken to be as
// the others. `watch` may be null: then nothing is known.
MetricSignal metric_signal(const MetricWatch* watch, const std::vector<MetricSource>& sources,
                           std::size_t of, MonotonicTime now);

}  // namespace hive::controller
