#include "simulator/contest.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/text.h"
#include "simulator/baselines/adapt.h"
#include "simulator/baselines/autopilot.h"
#include "simulator/baselines/aws_predictive.h"
#include "simulator/baselines/aws_target_tracking.h"
#include "simulator/baselines/conpaas.h"
#include "simulator/baselines/crane_dsp.h"
#include "simulator/baselines/fixed.h"
#include "simulator/baselines/foresight.h"
#include "simulator/baselines/hist.h"
#include "simulator/baselines/holt_winters.h"
#include "simulator/baselines/hpa.h"
#include "simulator/baselines/hypa.h"
#include "simulator/baselines/kpa.h"
#include "simulator/baselines/lcp.h"
#include "simulator/baselines/nomad.h"
#include "simulator/baselines/react.h"
#include "simulator/baselines/reg.h"
#include "simulator/hive_policy.h"
#include "simulator/novelty.h"

namespace hive::simulator {
namespace {

using Make = std::function<std::unique_ptr<Policy>(double target)>;

constexpr double kLowestTarget = 0.01;
constexpr int kTries = 12;

struct Recipe {
  KnownPolicy known;
  double usual_target;
  std::unique_ptr<Policy> (*make)(const Load& load, const ContestOptions& options, double target);
};

// From an order to its serving.
double lead_s(const WorldOptions& world) {
  const double boot = world.spread ? world.spread->median_s : world.boot_s;
  return boot + world.container_start_s;
}

std::unique_ptr<Policy> make_hive(const Load&, const ContestOptions& options, double) {
  const WorldOptions& world = options.world;
  if (options.service)
    return std::make_unique<ServicePolicy>(*options.service, lead_s(world), options.zones);
  decide::autoscale::SizerOptions sizer{.objective = options.objective,
                                        .lead_s = lead_s(world),
                                        .start_cost_s = lead_s(world),
                                        .min = world.min,
                                        .max = world.max,
                                        .predict = options.predict};
  return std::make_unique<HivePolicy>(sizer, world.capacity);
}

template <typename Baseline>
std::unique_ptr<Policy> make_reactive(const Load&, const ContestOptions&, double target) {
  return std::make_unique<Baseline>(target);
}
template <typename Baseline>
std::unique_ptr<Policy> make_of_arrivals(const Load&, const ContestOptions& options,
                                         double target) {
  return std::make_unique<Baseline>(target, options.world.capacity);
}
std::unique_ptr<Policy> make_lcp(const Load&, const ContestOptions& options, double) {
  return std::make_unique<Lcp>(1 / options.objective, lead_s(options.world),
                               options.world.capacity);
}
// Targets from 0.01 to 1 become prices from 30,000 to 30.
std::unique_ptr<Policy> make_foresight(const Load& load, const ContestOptions& options,
                                       double target) {
  return std::make_unique<Foresight>(load, 30 / std::pow(target, 1.5), lead_s(options.world),
                                     options.world.capacity);
}
template <typename Baseline>
std::unique_ptr<Policy> make_ahead(const Load&, const ContestOptions& options, double target) {
  return std::make_unique<Baseline>(target, lead_s(options.world));
}

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{
      {{"hive", "hive's own policy"}, 0, &make_hive},
      {{"hpa", "Kubernetes HPA, CPU 80 %"}, 0.8, &make_reactive<Hpa>},
      {{"hpa_hindsight", "the same, its target chosen on this very load", true},
       0.8,
       &make_reactive<Hpa>},
      {{"kpa", "Knative, concurrency 70 %"}, 0.7, &make_reactive<Kpa>},
      {{"kpa_hindsight", "the same, its target chosen on this very load", true},
       0.7,
       &make_reactive<Kpa>},
      {{"target_tracking", "AWS target tracking, CPU 50 %"},
       0.5,
       &make_reactive<AwsTargetTracking>},
      {{"target_tracking_hindsight", "the same, its target chosen on this very load", true},
       0.5,
       &make_reactive<AwsTargetTracking>},
      {{"aws_predictive", "AWS predictive scaling beside target tracking, CPU 50 %"},
       0.5,
       &make_reactive<AwsPredictive>},
      {{"nomad", "Nomad Autoscaler, CPU 70 %"}, 0.7, &make_reactive<Nomad>},
      {{"autopilot", "VPA's recommender on replicas: p90 of a day, plus 15 %"},
       0,
       [](const Load&, const ContestOptions&, double) -> std::unique_ptr<Policy> {
         return std::make_unique<Autopilot>();
       }},
      {{"holt_winters", "Predictive HPA with Holt-Winters, CPU 80 %"},
       0.8,
       &make_ahead<HoltWinters>},
      {{"hypa", "minute-of-week table beside HPA, CPU 80 %"}, 0.8, &make_ahead<Hypa>},
      {{"crane_dsp", "Crane's EffectiveHPA: strongest waves of three days beside HPA, CPU 80 %"},
       0.8,
       &make_of_arrivals<CraneDsp>},
      {{"react", "React: one more or one less by thresholds of 80 and 48 %"},
       0.8,
       &make_of_arrivals<React>},
      {{"adapt", "Adapt: out by the rate of the rise, in by that of the fall, 80 %"},
       0.8,
       &make_of_arrivals<Adapt>},
      {{"hist", "Hist: 95th percentile of the hour of the day, 80 %"},
       0.8,
       &make_of_arrivals<Hist>},
      {{"reg", "Reg: out at once, in by a parabola through the last hour, 80 %"},
       0.8,
       &make_of_arrivals<Reg>},
      {{"conpaas", "ConPaaS: the best of three forecasters every ten minutes, 80 %"},
       0.8,
       &make_of_arrivals<Conpaas>},
      {{"lcp", "Lazy Capacity Provisioning, unserved work priced at 1 / objective"}, 0, &make_lcp},
      {{"foresight", "a bound: Lazy Capacity Provisioning that sees a boot time ahead", true},
       0.1,
       &make_foresight},
      {{"static_peak", "replicas for the busiest second, always"},
       0,
       [](const Load& load, const ContestOptions& options, double) -> std::unique_ptr<Policy> {
         return std::make_unique<Fixed>(peak_replicas(load, options.world.capacity));
       }},
      {{"static_mean", "replicas for the mean load, always"},
       0,
       [](const Load& load, const ContestOptions& options, double) -> std::unique_ptr<Policy> {
         return std::make_unique<Fixed>(mean_replicas(load, options.world.capacity));
       }},
  };
  return all;
}

const Recipe* find(const std::string& name) {
  for (const Recipe& recipe : recipes())
    if (recipe.known.name == name) return &recipe;
  return nullptr;
}

WorldOptions world_of(const Load& load, const ContestOptions& options, const std::string& name) {
  WorldOptions world = options.world;
  // A fixed number is there from the start.
  if (name == "static_peak") world.initial = peak_replicas(load, world.capacity);
  if (name == "static_mean") world.initial = mean_replicas(load, world.capacity);
  return world;
}

// The cheapest target that meets the objective, by bisection: a lower one never serves less, but
// for the rivals' own quirks.
Entry tune(const Load& load, const ContestOptions& options, const Recipe& recipe) {
  Entry best;
  double low = kLowestTarget;
  double high = 1;
  for (int i = 0; i < kTries; ++i) {
    const double target = std::sqrt(low * high);
    const auto policy = recipe.make(load, options, target);
    const Outcome outcome = simulate(load, options.world, *policy);
    const bool met = outcome.unserved_share() <= options.objective;
    if (met && (!best.reached || outcome.node_seconds < best.outcome.node_seconds))
      best = {.outcome = outcome, .target = target, .reached = true};
    if (!best.reached) best = {.outcome = outcome, .target = target};
    (met ? low : high) = target;
  }
  return best;
}

}  // namespace

const std::vector<KnownPolicy>& known_policies() {
  static const std::vector<KnownPolicy> all = [] {
    std::vector<KnownPolicy> out;
    for (const Recipe& recipe : recipes()) out.push_back(recipe.known);
    return out;
  }();
  return all;
}

std::vector<std::string> usual_policies() {
  return {"hive",        "hpa",        "hpa_hindsight", "kpa", "kpa_hindsight", "target_tracking",
          "static_peak", "static_mean"};
}

Status check_policies(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Recipe& recipe : recipes()) known.emplace_back(recipe.known.name);
  for (const std::string& name : names) {
    if (find(name) != nullptr) continue;
    const auto near = did_you_mean(name, known);
    return fail(Errc::kInvalidArgument,
                fmt::format("'{}' is no policy{}: there are {}", name,
                            near ? " (did you mean " + *near + "?)" : "", join(known, ", ")));
  }
  return {};
}

OptimumOptions optimum_options(const ContestOptions& options) {
  const WorldOptions& world = options.world;
  const int density = std::max(1, world.density);
  return {.capacity = world.capacity * density,
          .boot_s = world.spread ? world.spread->median_s : world.boot_s,
          .objective = options.objective,
          .min = (world.min + density - 1) / density,
          .max = (world.max + density - 1) / density};
}

Result<Entry> run_policy(const Load& load, const ContestOptions& options, const std::string& name,
                         const Optimum& best) {
  HIVE_TRY(check_policies({name}));
  const Recipe& recipe = *find(name);
  Entry entry;
  if (recipe.known.hindsight) {
    entry = tune(load, options, recipe);
    if (recipe.make == &make_foresight) entry.target = 0;  // a price, not a target
  } else {
    const auto policy = recipe.make(load, options, recipe.usual_target);
    entry.outcome = simulate(load, world_of(load, options, name), *policy);
    entry.reached = entry.outcome.unserved_share() <= options.objective;
  }
  entry.name = name;
  entry.competitive_ratio = best.bound > 0 ? entry.outcome.node_seconds / best.bound : 0;
  return entry;
}

Result<Contest> run_contest(const Load& load, const ContestOptions& options) {
  HIVE_TRY(check_policies(options.policies));
  Contest out;
  OptimumOptions view = optimum_options(options);
  out.best = optimum(load, view);
  out.novel = novel_share(load, options.world);
  view.boot_s = 0;
  out.best_without_delay = optimum(load, view);
  for (const std::string& name : options.policies) {
    HIVE_ASSIGN(Entry entry, run_policy(load, options, name, out.best));
    out.entries.push_back(std::move(entry));
  }
  return out;
}

}  // namespace hive::simulator
