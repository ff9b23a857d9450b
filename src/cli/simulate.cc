// hive simulate: what a policy would have cost on a load, before it is switched on.
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/listing.h"
#include "cli/simulate_input.h"
#include "cli/simulate_output.h"
#include "os/file.h"

namespace hive::cli {

void declare_simulate(Declare& declare, SimulateArgs& args) {
  declare.text("--trace", "FILE", &args.trace, "A trace of counts (docs/simulate.md), may be gzip",
               ValueKind::kFile);
  declare.text("--access-log", "FILE", &args.access_log,
               "An access log in common or combined format, may be gzip", ValueKind::kFile);
  declare.text(OptionInfo{.names = "--shape",
                          .value_name = "NAME",
                          .help = "A load made up: step, ramp, day, week or burst",
                          .choices = {"step", "ramp", "day", "week", "burst"}},
               &args.shape);
  declare.text("--low", "RATE", &args.low, "Least requests a second of a shape (20)");
  declare.text("--high", "RATE", &args.high, "Most requests a second of a shape (400)");
  declare.list("-f,--file", "FILE", &args.files,
               "Compose file whose x-hive.autoscale gives min, max, target and predict",
               ValueKind::kFile);
  declare.text("--service", "NAME", &args.service, "Which of its services");
  declare.text("--min", "N", &args.min, "Never fewer replicas (1)");
  declare.text("--max", "N", &args.max, "Never more replicas (100000)");
  declare.text("--capacity", "RATE", &args.capacity,
               "Requests a second that one replica serves (target.requests_per_replica)");
  declare.text("--density", "N", &args.density, "Replicas that fit on a node (1)");
  declare.text("--boot", "TIME", &args.boot,
               "From the order of a node until it is up (90s), or ec2: drawn for each node");
  declare.text("--container-start", "TIME", &args.container_start,
               "From there until the replica serves (0s)");
  declare.text("--latency", "TIME", &args.latency, "A request that waits longer is late (1s)");
  declare.text("--objective", "SHARE", &args.objective,
               "Of the demand, what may stay unserved (0.1%)");
  declare.text("--policies", "LIST", &args.policies, "Their names, parted by commas");
  declare.flag("--no-predict", &args.no_predict, "hive's policy without seasons and clock");
  declare.text("--seed", "N", &args.seed, "Of everything drawn at random (1)");
  declare.text("--svg", "FILE", &args.svg, "Write the curves there", ValueKind::kFile);
  declare.text("--png", "FILE", &args.png, "Write the curves there", ValueKind::kFile);
  declare_format(declare, &args.format);
}

namespace {

Status write_charts(const SimulateArgs& args, const SimulateInput& input,
                    const simulator::Contest& contest) {
  if (!args.svg && !args.png) return {};
  const auto chart = simulate_chart(input, contest);
  if (args.svg) HIVE_TRY(os::write_file_atomically(*args.svg, simulator::to_svg(chart)));
  if (args.png) HIVE_TRY(os::write_file_atomically(*args.png, simulator::to_png(chart)));
  return {};
}

int run_simulate(Context& context, const SimulateArgs& args) {
  const auto input = read_simulate_input(context, args);
  if (!input) {
    const auto& error = input.error();
    if (error.code == Errc::kInvalidArgument) return context.fail(kExitUsage, error.message);
    return context.fail(error);
  }
  for (const auto& note : input->notes) context.note(note);
  const auto contest = simulator::run_contest(input->load, input->options);
  if (!contest) return context.fail(contest.error());
  if (const auto written = write_charts(args, *input, *contest); !written)
    return context.fail(written.error());
  if (args.format == "json")
    context.line(simulate_json(*input, *contest).dump(2));
  else
    context.print(simulate_table(*input, *contest));
  return kExitOk;
}

}  // namespace

Command simulate_command() {
  return {.name = "simulate",
          .summary = "What a policy would have cost on a load, beside others and the optimum",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<SimulateArgs>();
            declare_simulate(declare, *args);
            return [args](Context& context) { return run_simulate(context, *args); };
          }};
}

}  // namespace hive::cli
