// The heavy part of ./dev bench autoscale: one load, one scale, one boot delay, one seed; each
// policy on it. Prints a JSON object for each policy: its figures, and cost, demand and unserved
// work of each day, from which intervals are drawn.
//
//   bench_autoscale TRACE SCALE BOOT_S SEED DAYS POLICY[,POLICY...]
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "simulator/contest.h"
#include "simulator/novelty.h"
#include "simulator/trace.h"

namespace {

using namespace hive;
using namespace hive::simulator;

constexpr std::size_t kDay = 86'400;

// Node-seconds (booting ones too), demand and unserved work of each day.
Json blocks(const Load& load, double capacity, const Outcome& outcome) {
  struct Block {
    double supply = 0, demand = 0, unserved = 0;
  };
  std::vector<Block> days(load.requests.size() / kDay + 1);
  each_measured(load, [&](std::size_t t) {
    Block& day = days[t / kDay];
    const double work = static_cast<double>(load.requests[t]) / capacity;
    day.demand += work;
    day.supply += outcome.supply[t];
    if (work > outcome.supply[t]) day.unserved += work - outcome.supply[t];
  });
  Json out = Json::array();
  for (const Block& day : days)
    if (day.demand > 0) out.push_back({day.supply, day.demand, day.unserved});
  return out;
}

Json report(const Entry& entry, const Load& load, const ContestOptions& options,
            const Optimum& best, double seconds) {
  const Outcome& outcome = entry.outcome;
  return {{"policy", entry.name},
          {"cr", entry.competitive_ratio},
          {"unserved", outcome.unserved_share()},
          {"reached", entry.reached},
          {"target", entry.target},
          {"late", outcome.late_share()},
          {"actions", outcome.ups + outcome.downs},
          {"node_seconds", outcome.node_seconds},
          {"bound", best.bound},
          {"novel", novel_share(load, options.world)},
          {"theta_under", outcome.elasticity.theta_under},
          {"theta_over", outcome.elasticity.theta_over},
          {"tau_under", outcome.elasticity.tau_under},
          {"tau_over", outcome.elasticity.tau_over},
          {"simulated_s", measured_seconds(load)},
          {"took_s", seconds},
          {"days", blocks(load, options.world.capacity, outcome)}};
}

int run(const std::vector<std::string>& words) {
  const auto trace = read_trace(words[0]);
  if (!trace) {
    fmt::print(stderr, "{}\n", trace.error().message);
    return 1;
  }
  Random random(std::strtoull(words[3].c_str(), nullptr, 10));
  const auto days = static_cast<std::size_t>(std::strtoull(words[4].c_str(), nullptr, 10));
  const auto load = to_load(*trace, random, days == 0 ? kMaxSeconds : days * kDay);
  if (!load) {
    fmt::print(stderr, "{}\n", load.error().message);
    return 1;
  }
  ContestOptions options;
  const double busiest = static_cast<double>(quantile(*load, 0.999));
  options.world.capacity = busiest / std::strtod(words[1].c_str(), nullptr);
  options.world.boot_s = std::strtod(words[2].c_str(), nullptr);
  options.world.keep_supply = true;
  if (busiest <= 0) {
    fmt::print(stderr, "{}: no load\n", words[0]);
    return 1;
  }
  const Optimum best = optimum(*load, optimum_options(options));
  for (const std::string& name : split(words[5], ',')) {
    const auto begin = std::chrono::steady_clock::now();
    const auto entry = run_policy(*load, options, name, best);
    if (!entry) {
      fmt::print(stderr, "{}\n", entry.error().message);
      return 1;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    fmt::print("{}\n", report(*entry, *load, options, best, took.count()).dump());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    fmt::print(stderr, "usage: bench_autoscale TRACE SCALE BOOT_S SEED DAYS POLICY[,POLICY...]\n");
    return 2;
  }
  return run(std::vector<std::string>(argv + 1, argv + argc));
}
