#include "cloud/aws/balancer_figures.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace hive::cloud::aws {
namespace {

constexpr std::chrono::seconds kMinute{60};

struct Kind {
  BalancerFigure figure;
  const char* id;
  const char* name;
  const char* statistic;
  double divisor;  // of its value, for the port's unit
};
constexpr Kind kKinds[] = {
    {BalancerFigure::kRequests, "requests", "RequestCount", "Sum", 60},
    {BalancerFigure::kLatency, "latency", "Latency", "Average", 1},
    {BalancerFigure::kSurgeQueue, "queue", "SurgeQueueLength", "Maximum", 1},
    {BalancerFigure::kSpillover, "spillover", "SpilloverCount", "Sum", 60},
};
constexpr const char* kPulse = "healthy";  // that the minute was reported

const Kind& kind_of(BalancerFigure figure) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const Kind& one) { return one.figure == figure; });
}

MetricQuery query(const std::string& balancer, const char* id, const char* name,
                  const char* statistic) {
  return {.id = id,
          .metric_namespace = "AWS/ELB",
          .name = name,
          .dimensions = {{"LoadBalancerName", balancer}},
          .statistic = statistic};
}

struct Minute {
  WallTime end;
  double value;
};

const MetricSeries& series_of(const std::map<std::string, MetricSeries>& told, const char* id) {
  static const MetricSeries none;
  const auto found = told.find(id);
  return found == told.end() ? none : found->second;
}

bool has_point(const MetricSeries& series, WallTime at) {
  return std::any_of(series.points.begin(), series.points.end(),
                     [&](const MetricPoint& one) { return one.at == at; });
}

// The newest minute that is told whole.
std::optional<Minute> settled(const MetricSeries& series, const MetricSeries& pulse, WallTime now) {
  std::optional<Minute> out;
  const auto offer = [&](WallTime at, double value) {
    const WallTime end = at + kMinute;
    if (end <= now - kSettles && (!out || end > out->end)) out = Minute{end, value};
  };
  for (const auto& one : series.points) offer(one.at, one.value);
  if (series.complete)
    for (const auto& one : pulse.points)
      if (!has_point(series, one.at)) offer(one.at, 0);
  return out;
}

// The largest of those since.
std::optional<Minute> younger(const MetricSeries& series, WallTime now) {
  std::optional<Minute> out;
  for (const auto& one : series.points) {
    const WallTime end = one.at + kMinute;
    if (end > now - kSettles && end <= now && (!out || one.value >= out->value))
      out = Minute{end, one.value};
  }
  return out;
}

std::int64_t unix_ms(WallTime time) {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}

Measured read_figure(const Kind& kind, const MetricSeries& series, const MetricSeries& pulse,
                     WallTime now) {
  Measured out;
  out.trouble = series.trouble;
  if (std::any_of(series.points.begin(), series.points.end(),
                  [](const MetricPoint& one) { return one.value < 0; })) {
    out.trouble = std::string("CloudWatch's ") + kind.name + " is negative";
    return out;
  }
  const auto whole = settled(series, pulse, now);
  const auto young = younger(series, now);
  const auto& best = young && (!whole || young->value > whole->value) ? young : whole;
  if (best) {
    out.value = best->value / kind.divisor;
    out.until_unix_ms = unix_ms(best->end);
    out.whole = whole.has_value();
  } else if (out.trouble.empty()) {
    out.trouble = std::string("CloudWatch has no ") + kind.name +
                  " of the balancer's last minutes, and no HealthyHostCount";
  }
  return out;
}

}  // namespace

std::vector<MetricQuery> figure_queries(const std::string& balancer,
                                        const std::set<BalancerFigure>& which) {
  std::vector<MetricQuery> out;
  for (const auto figure : which) {
    const Kind& kind = kind_of(figure);
    out.push_back(query(balancer, kind.id, kind.name, kind.statistic));
  }
  if (!out.empty()) out.push_back(query(balancer, kPulse, "HealthyHostCount", "Maximum"));
  return out;
}

BalancerFigures read_figures(const std::map<std::string, MetricSeries>& told,
                             const std::set<BalancerFigure>& which, WallTime now) {
  BalancerFigures out;
  for (const auto figure : which) {
    const Kind& kind = kind_of(figure);
    out[figure] = read_figure(kind, series_of(told, kind.id), series_of(told, kPulse), now);
  }
  return out;
}

Result<BalancerFigures> balancer_figures(Client& client, const std::string& balancer,
                                         const std::set<BalancerFigure>& which) {
  if (which.empty()) return BalancerFigures{};
  const WallTime now = client.clock().wall_now();
  const WallTime to = std::chrono::floor<std::chrono::minutes>(now);
  HIVE_ASSIGN(const auto told,
              get_metric_data(client, figure_queries(balancer, which), to - kFiguresWindow, to));
  return read_figures(told, which, now);
}

}  // namespace hive::cloud::aws
