// Figures of an application's own, or of the balancer, as a signal of its service: which tasks or
// server to ask, and what they said, together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/compose.h"
#include "controller/balancer_watch.h"
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

// By CloudWatch's name of it, as x-hive has it.
std::optional<cloud::BalancerFigure> figure_of(std::string_view cloudwatch);

// So long what CloudWatch says counts: it comes two minutes late, is asked for once a minute, and
// one question may fail.
inline constexpr double kBalancerFreshSeconds = 300;

// What the balancer said of it. `watch` may be null: then nothing is known.
MetricSignal balancer_signal(const BalancerWatch* watch, std::string_view cloudwatch,
                             MonotonicTime now);

}  // namespace hive::controller
