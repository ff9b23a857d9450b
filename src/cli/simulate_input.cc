#include "cli/simulate_input.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cli/simulate_policy.h"
#include "simulator/access_log.h"
#include "simulator/shapes.h"
#include "simulator/trace.h"

namespace hive::cli {
namespace {

using simulator::ContestOptions;
using simulator::Load;

constexpr double kShapeLow = 20;
constexpr double kShapeHigh = 400;
// Replicas that carry the busiest thousandth of seconds when nobody says what one carries.
constexpr double kAssumedReplicas = 20;
constexpr double kDay = 86'400;
constexpr int kMostReplicas = 100'000;

tl::unexpected<Error> bad_option(std::string_view option, std::string_view text,
                                 std::string_view wanted) {
  return fail(Errc::kInvalidArgument, fmt::format("{} is '{}': {}", option, text, wanted));
}

Result<double> number(std::string_view option, const std::optional<std::string>& text,
                      double fallback, double least, double most) {
  if (!text) return fallback;
  double value = 0;
  const char* last = text->data() + text->size();
  const auto [end, fault] = std::from_chars(text->data(), last, value);
  if (fault != std::errc() || end != last || !(value >= least) || !(value <= most))
    return bad_option(option, *text,
                      fmt::format("a number from {:g} to {:g} is wanted", least, most));
  return value;
}

Result<int> whole(std::string_view option, const std::optional<std::string>& text, int fallback,
                  int least, int most) {
  HIVE_ASSIGN(const double value, number(option, text, fallback, least, most));
  if (value != std::floor(value)) return bad_option(option, *text, "a whole number is wanted");
  return static_cast<int>(value);
}

Result<double> seconds_in(std::string_view option, const std::optional<std::string>& text,
                          double fallback) {
  if (!text) return fallback;
  const auto time = parse_duration(*text);
  const double value = time ? static_cast<double>(time->count()) / 1e9 : -1;
  if (value < 0 || value > kDay)
    return bad_option(option, *text, "a duration up to 24h is wanted, such as 90s");
  return value;
}

// "0.1%" or "0.001".
Result<double> share(std::string_view option, const std::optional<std::string>& text,
                     double fallback) {
  if (!text) return fallback;
  std::string figures = *text;
  const bool percent = figures.ends_with('%');
  if (percent) figures.pop_back();
  const auto value = number(option, figures, 0, 0, 100);
  const double part = value ? *value / (percent ? 100 : 1) : 0;
  if (!value || part < 1e-6 || part > 0.5)
    return bad_option(option, *text, "a share from 0.0001% to 50% is wanted, such as 0.1%");
  return part;
}

Result<Load> read_shape(const SimulateArgs& args, Random& random) {
  HIVE_ASSIGN(const double low, number("--low", args.low, kShapeLow, 0, 1e6));
  HIVE_ASSIGN(const double high, number("--high", args.high, kShapeHigh, 0.001, 1e6));
  if (low > high) return bad_option("--low", *args.low, "it must not be above --high");
  return simulator::make_shape(*args.shape, low, high, random);
}

Result<Load> read_log(const std::string& path, std::vector<std::string>& notes) {
  HIVE_ASSIGN(auto log, simulator::read_access_log(path));
  if (log.bad > 0) {
    std::string note = fmt::format("{} of {} lines were passed over:", log.bad, log.lines);
    for (const auto& one : log.first_bad)
      note += fmt::format("\n  {}:{}: {}", path, one.number, one.why);
    notes.push_back(note);
  }
  return std::move(log.load);
}

Result<Load> read_load(const SimulateArgs& args, std::uint64_t seed,
                       std::vector<std::string>& notes) {
  const int given = (args.trace ? 1 : 0) + (args.access_log ? 1 : 0) + (args.shape ? 1 : 0);
  if (given != 1)
    return fail(Errc::kInvalidArgument,
                "give one load: --trace FILE, --access-log FILE or --shape NAME");
  if (!args.shape && (args.low || args.high))
    return fail(Errc::kInvalidArgument, "--low and --high are of a --shape");
  Random random(seed);
  if (args.shape) return read_shape(args, random);
  if (args.access_log) return read_log(*args.access_log, notes);
  HIVE_ASSIGN(const auto trace, simulator::read_trace(*args.trace));
  HIVE_ASSIGN(auto load, simulator::to_load(trace, random));
  if (trace.step_s > 1)
    notes.push_back(
        fmt::format("seconds within the trace's steps of {} s are drawn at random "
                    "(--seed {})",
                    trace.step_s, seed));
  return load;
}

// What the Compose file says of the service.
struct FromFile {
  std::optional<decide::autoscale::Policy> policy;
  std::optional<double> capacity;
};

const config::Service* choose_service(const config::Spec& spec, const SimulateArgs& args,
                                      std::string& fault) {
  std::vector<std::string> scaled;
  for (const auto& [name, service] : spec.services)
    if (service.hive && service.hive->autoscale) scaled.push_back(name);
  if (args.service) {
    const auto found = spec.services.find(*args.service);
    if (found == spec.services.end())
      fault = fmt::format("there is no service '{}' in the file", *args.service);
    else if (!found->second.hive || !found->second.hive->autoscale)
      fault = fmt::format("service {} has no x-hive.autoscale", *args.service);
    return fault.empty() ? &found->second : nullptr;
  }
  if (scaled.size() == 1) return &spec.services.at(scaled.front());
  fault = scaled.empty() ? "no service of the file has x-hive.autoscale"
                         : "--service: choose one of " + join(scaled, ", ");
  return nullptr;
}

Result<FromFile> read_file(Context& context, const SimulateArgs& args) {
  if (args.files.empty()) {
    if (args.service) return fail(Errc::kInvalidArgument, "--service needs -f FILE");
    return FromFile{};
  }
  const auto spec = load_compose(context, args.files, false);
  if (!spec) return fail(Errc::kFailedPrecondition, "the Compose file has faults");
  std::string fault;
  const auto* service = choose_service(*spec, args, fault);
  if (service == nullptr) return fail(Errc::kInvalidArgument, fault);
  const auto& scale = *service->hive->autoscale;
  return FromFile{.policy = simulated_policy(scale), .capacity = scale.target.requests_per_replica};
}

double assumed_capacity(const Load& load, std::vector<std::string>& notes) {
  const auto busy = static_cast<double>(simulator::quantile(load, 0.999));
  const double capacity = std::max(busy, 1.0) / kAssumedReplicas;
  notes.push_back(
      fmt::format("no --capacity and no target.requests_per_replica: a replica is "
                  "taken to serve {:.3g} requests/s, so that the busiest thousandth "
                  "of seconds needs {} replicas",
                  capacity, kAssumedReplicas));
  return capacity;
}

Status read_world(const SimulateArgs& args, const FromFile& file, SimulateInput& out) {
  auto& world = out.options.world;
  const auto& policy = file.policy;
  HIVE_ASSIGN(world.min, whole("--min", args.min, policy ? policy->min : 1, 1, kMostReplicas));
  const int most = policy ? policy->max : kMostReplicas;
  HIVE_ASSIGN(world.max, whole("--max", args.max, std::max(most, world.min), 1, kMostReplicas));
  if (world.min > world.max)
    return fail(Errc::kInvalidArgument,
                fmt::format("min is {} and max is {}", world.min, world.max));
  HIVE_ASSIGN(world.density, whole("--density", args.density, 1, 1, 1000));
  HIVE_ASSIGN(world.container_start_s, seconds_in("--container-start", args.container_start, 0));
  HIVE_ASSIGN(world.late_after_s, seconds_in("--latency", args.latency, 1));
  if (args.boot == "ec2") {
    world.spread = simulator::BootSpread{};
  } else {
    HIVE_ASSIGN(world.boot_s, seconds_in("--boot", args.boot, 90));
  }
  HIVE_ASSIGN(world.capacity,
              number("--capacity", args.capacity, file.capacity.value_or(0), 1e-6, 1e9));
  if (world.capacity == 0) world.capacity = assumed_capacity(out.load, out.notes);
  return {};
}

// hive by the service's own policy; the command line has changed its bounds.
Status take_policy(const FromFile& file, SimulateInput& out) {
  if (!file.policy) return {};
  auto& options = out.options;
  auto policy = *file.policy;
  policy.min = options.world.min;
  policy.max = options.world.max;
  policy.predict = options.predict;
  policy.density = options.world.density;
  policy.objective = options.objective;
  if (!file.capacity) policy.target.requests_per_replica = options.world.capacity;
  HIVE_ASSIGN(options.zones, zone_offsets(policy));
  const auto widest = simulator::widest_bounds(policy);
  options.world.min = widest.min;
  options.world.max = widest.max;
  options.service = std::move(policy);
  return {};
}

// More replicas than that at once are no service.
Status check_size(const SimulateInput& input) {
  const auto busiest = static_cast<double>(simulator::quantile(input.load, 1));
  const double replicas = busiest / input.options.world.capacity;
  if (replicas <= 20'000) return {};
  return fail(Errc::kInvalidArgument,
              fmt::format("the busiest second has {:.0f} requests: at {:g} a replica that is "
                          "{:.0f} replicas (--capacity is too small)",
                          busiest, input.options.world.capacity, replicas));
}

}  // namespace

Result<SimulateInput> read_simulate_input(Context& context, const SimulateArgs& args) {
  SimulateInput out;
  auto& options = out.options;
  options.policies = args.policies ? split(*args.policies, ',') : simulator::usual_policies();
  HIVE_TRY(simulator::check_policies(options.policies));
  HIVE_ASSIGN(options.objective, share("--objective", args.objective, 0.001));
  HIVE_ASSIGN(const int seed, whole("--seed", args.seed, 1, 0, 1'000'000'000));
  options.world.seed = static_cast<std::uint64_t>(seed);
  options.world.keep_supply = args.svg || args.png;
  HIVE_ASSIGN(const auto file, read_file(context, args));
  options.predict = (!file.policy || file.policy->predict) && !args.no_predict;
  HIVE_ASSIGN(out.load, read_load(args, options.world.seed, out.notes));
  HIVE_TRY(read_world(args, file, out));
  HIVE_TRY(take_policy(file, out));
  HIVE_TRY(check_size(out));
  return out;
}

}  // namespace hive::cli
