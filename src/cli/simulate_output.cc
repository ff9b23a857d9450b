#include "cli/simulate_output.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "cli/listing.h"

namespace hive::cli {
namespace {

using simulator::Contest;
using simulator::Entry;

std::string utc(std::int64_t unix_seconds) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::string time_of(double seconds) {
  return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

std::string boot_of(const simulator::WorldOptions& world) {
  return world.spread ? std::string("56s (158s for one in ten)") : time_of(world.boot_s);
}

std::string summary(const SimulateInput& input) {
  const auto& world = input.options.world;
  const auto seconds = simulator::measured_seconds(input.load);
  std::string text = fmt::format(
      "{}: {:.0f} requests in {} from {}\n"
      "{:g} requests/s a replica, {} to {} replicas, {} a node, boot {}, objective: at most {:g}% "
      "unserved\n",
      input.load.name, simulator::measured_requests(input.load),
      time_of(static_cast<double>(seconds)), utc(input.load.start), world.capacity, world.min,
      world.max, world.density, boot_of(world), input.options.objective * 100);
  if (!input.load.gaps.empty())
    text += fmt::format("{} gaps in the measuring are left out\n", input.load.gaps.size());
  return text;
}

std::vector<std::string> row(const Entry& entry) {
  const auto& outcome = entry.outcome;
  const auto& e = outcome.elasticity;
  return {entry.name + (entry.target > 0 ? fmt::format(" ({:.0f}%)", entry.target * 100) : ""),
          fmt::format("{:.1f}", outcome.node_seconds / 3600),
          fmt::format("{:.2f}", entry.competitive_ratio),
          fmt::format("{:.3f}%{}", outcome.unserved_share() * 100, entry.reached ? "" : " !"),
          fmt::format("{:.3f}%", outcome.late_share() * 100),
          fmt::format("{}/{}", outcome.ups, outcome.downs),
          fmt::format("{}", outcome.peak),
          fmt::format("{:.2f}/{:.0f}", e.theta_under, e.theta_over),
          fmt::format("{:.2f}/{:.0f}", e.tau_under, e.tau_over)};
}

Json elasticity_json(const simulator::Elasticity& e) {
  return {{"theta_under", e.theta_under},
          {"theta_over", e.theta_over},
          {"tau_under", e.tau_under},
          {"tau_over", e.tau_over},
          {"instability", e.instability}};
}

Json entry_json(const Entry& entry) {
  const auto& outcome = entry.outcome;
  Json out{{"name", entry.name},
           {"node_seconds", outcome.node_seconds},
           {"cr", entry.competitive_ratio},
           {"unserved", outcome.unserved_share()},
           {"reached", entry.reached},
           {"late", outcome.late_share()},
           {"ups", outcome.ups},
           {"downs", outcome.downs},
           {"boots", outcome.boots},
           {"peak_replicas", outcome.peak},
           {"elasticity", elasticity_json(outcome.elasticity)}};
  if (entry.target > 0) out["target"] = entry.target;
  return out;
}

}  // namespace

std::string simulate_table(const SimulateInput& input, const Contest& contest) {
  std::vector<std::vector<std::string>> rows;
  for (const Entry& entry : contest.entries) rows.push_back(row(entry));
  rows.push_back({"optimum", fmt::format("{:.1f}", contest.best.bound / 3600), "1.00",
                  fmt::format("{:.3f}%", contest.best.unserved * 100), "", "", "", "", ""});
  std::string text = summary(input) + "\n" +
                     format_table({"POLICY", "NODE HOURS", "CR", "UNSERVED", "LATE", "UP/DOWN",
                                   "PEAK", "THETA U/O %", "TAU U/O %"},
                                  rows);
  const bool missed = std::any_of(contest.entries.begin(), contest.entries.end(),
                                  [](const Entry& entry) { return !entry.reached; });
  if (missed) text += "\n! more unserved than the objective: its cost is no fair comparison\n";
  if (contest.novel > 0)
    text += fmt::format(
        "\n{:.3f}% of the demand came above all that had been seen a boot time before: no policy "
        "that "
        "learns from this load alone could have served it\n",
        contest.novel * 100);
  return text;
}

Json simulate_json(const SimulateInput& input, const Contest& contest) {
  const auto& world = input.options.world;
  Json policies = Json::array();
  for (const Entry& entry : contest.entries) policies.push_back(entry_json(entry));
  return {{"load",
           {{"name", input.load.name},
            {"start", utc(input.load.start)},
            {"seconds", simulator::measured_seconds(input.load)},
            {"gaps", input.load.gaps.size()},
            {"requests", simulator::measured_requests(input.load)}}},
          {"world",
           {{"capacity", world.capacity},
            {"min", world.min},
            {"max", world.max},
            {"density", world.density},
            {"boot_s", world.spread ? world.spread->median_s : world.boot_s},
            {"container_start_s", world.container_start_s},
            {"late_after_s", world.late_after_s},
            {"seed", world.seed}}},
          {"objective", input.options.objective},
          {"novel", contest.novel},
          {"optimum",
           {{"node_seconds", contest.best.bound},
            {"plan_node_seconds", contest.best.cost},
            {"unserved", contest.best.unserved},
            {"price", contest.best.price},
            {"without_delay_node_seconds", contest.best_without_delay.bound}}},
          {"policies", policies}};
}

simulator::Chart simulate_chart(const SimulateInput& input, const Contest& contest) {
  const auto& load = input.load;
  simulator::Chart chart;
  chart.title = load.name;
  chart.unit = "replicas: needed (area) and serving (lines)";
  chart.begin = utc(load.start);
  chart.end = utc(load.start + static_cast<std::int64_t>(load.requests.size()));
  chart.demand = simulator::columns_of(load.requests, 1 / input.options.world.capacity);
  for (const Entry& entry : contest.entries)
    if (!entry.outcome.supply.empty())
      chart.lines.push_back({entry.name, simulator::columns_of(entry.outcome.supply, 1)});
  if (chart.lines.size() >= simulator::kMostLines) chart.lines.resize(simulator::kMostLines - 1);
  const auto plan =
      simulator::plan_supply(load, simulator::optimum_options(input.options), contest.best.price);
  chart.lines.push_back(
      {"optimum", simulator::columns_of(plan, static_cast<double>(input.options.world.density))});
  return chart;
}

}  // namespace hive::cli
