"""Autoscaling policies on load traces: what each costs beside the offline optimum, and what it misses.

Every trace x scale x boot delay x seed x policy in the simulator of `hive simulate`. Per-second
traces are what they are; a seed draws the seconds of coarse ones. Each trace is cut to its first
--days. Policies named *_hindsight get the cheapest target that meets the objective on that very load.
With --cells FILE each cell is kept there as it ends, and those that it holds are not run again: a run
that was cut goes on where it stopped. Delete the file, or the lines of a policy, when the code changes.
"""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import autoscale, report  # noqa: E402

TOOLS = ["bench_autoscale"]
SHOWN = ["hive", "hpa_hindsight", "kpa_hindsight", "target_tracking_hindsight", "hpa",
         "static_peak"]
POLICIES = SHOWN + ["kpa", "target_tracking", "aws_predictive", "nomad", "autopilot",
                    "holt_winters", "hypa", "crane_dsp", "react", "adapt", "hist", "reg", "conpaas",
                    "lcp", "static_mean", "foresight"]
RIVALS = ["hpa_hindsight", "kpa_hindsight", "target_tracking_hindsight"]


class Kept:
    """Cells that have been run, in a file of JSON lines."""

    def __init__(self, path):
        self.path, self.lock, self.cells = path, threading.Lock(), {}
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self.remember(json.loads(line))

    def remember(self, cell):
        self.cells[tuple(cell[name] for name in CELL)] = cell

    def add(self, found):
        with self.lock:
            for cell in found:
                self.remember(cell)
            if self.path:
                with self.path.open("a", encoding="utf-8") as f:
                    f.writelines(json.dumps(cell) + "\n" for cell in found)


CELL = ("trace", "scale", "boot_s", "seed", "at_most_days", "policy")


def run_cell(job, kept):
    trace, scale, boot, seed, days, policies = job
    name = trace.name.split(".")[0]
    keys = [(name, scale, boot, seed, days, policy) for policy in policies]
    missing = [key[-1] for key in keys if key not in kept.cells]
    if missing:
        kept.add(measure(trace, name, scale, boot, seed, days, missing))
    return [kept.cells[key] for key in keys]


def measure(trace, name, scale, boot, seed, days, policies):
    done = subprocess.run(
        [str(report.BIN / "bench_autoscale"), str(trace), str(scale), str(boot), str(seed),
         str(days), ",".join(policies)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{trace.name}: {done.stderr.strip()}")
    report.note(f"{name}, {scale} units, boot {boot} s, seed {seed}")
    return [{"trace": name, "scale": scale, "boot_s": boot, "seed": seed, "at_most_days": days,
             **json.loads(line)}
            for line in done.stdout.splitlines()]


def jobs_of(traces, args, policies):
    for trace in traces:
        coarse = "step_s: 1\n" not in head(trace)
        for seed in range(1, (args.seeds if coarse else 1) + 1):
            for scale in args.scales:
                for boot in args.boots:
                    yield trace, scale, boot, seed, args.days, policies


def head(trace):
    import gzip
    opener = gzip.open if trace.suffix == ".gz" else open
    with opener(trace, "rt", encoding="utf-8") as f:
        return f.read(2000)


def numbers(text):
    return [float(word) for word in text.split(",")]


def arguments():
    parser = report.parser(__doc__)
    parser.add_argument("--traces", required=True, type=pathlib.Path, metavar="DIR",
                        help="every *.txt and *.txt.gz there")
    parser.add_argument("--scales", type=numbers, default=[5.0, 20.0, 100.0],
                        help="replicas that the busiest thousandth of seconds needs")
    parser.add_argument("--boots", type=numbers, default=[30.0, 90.0, 180.0], help="seconds")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--days", type=int, default=42, help="of each trace at most; 0: all")
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cells", type=pathlib.Path, metavar="FILE",
                        help="keep each cell there; do not run those that it holds")
    parser.add_argument("--svg", type=pathlib.Path, help="write a chart of the figures there")
    parser.add_argument("--quick", action="store_true",
                        help="20 units, one seed, 14 days, hive and the rivals in hindsight")
    args = parser.parse_args()
    if args.quick:
        args.scales, args.seeds, args.days = [20.0], 1, 14
        args.policies = ",".join(["hive", *RIVALS])
    return args


def summarise(cells, policies):
    traces = autoscale.by_trace(cells)
    figures = {
        "geomean_cr": {policy: round(autoscale.geomean(
            [cell["cr"] for cell in cells if cell["policy"] == policy]), 4) for policy in policies},
        "traces": traces,
        "geomean_cr_by_boot": autoscale.by_boot(cells),
        "cells_over_objective": {policy: sum(not cell["reached"] for cell in cells
                                             if cell["policy"] == policy) for policy in policies},
        "cells": [{key: value for key, value in cell.items() if key != "days"} for cell in cells]}
    figures["cost_ratio_95"] = {
        rival: autoscale.paired_interval(cells, "hive", rival)
        for rival in policies if rival != "hive"}
    week = [cell["took_s"] / cell["simulated_s"] * 604800 for cell in cells
            if cell["policy"] == "hive" and cell["simulated_s"] > 86400]
    if week:
        figures["hive_seconds_for_a_week"] = report.spread(week)
    return figures


def show(figures, policies):
    traces = figures["traces"]
    report.table(
        [[trace] + [f"{group[p]['cr']:.2f}{'!' if group[p]['cells_over_objective'] else ''}"
                    for p in policies] for trace, group in traces.items()] +
        [["geometric mean"] + [f"{figures['geomean_cr'][p]:.3f}" for p in policies]],
        ["trace", *policies])
    print("! a scale or boot delay of it leaves more than 0.1 % unserved")
    for rival, interval in figures["cost_ratio_95"].items():
        if interval and rival in RIVALS:
            print(f"cost of hive by that of {rival}: 95 % within {interval[0]} and {interval[1]}")


def main():
    args = arguments()
    traces = sorted([*args.traces.glob("*.txt"), *args.traces.glob("*.txt.gz")])
    if not traces:
        sys.exit(f"{args.traces}: no *.txt or *.txt.gz there")
    description = report.machine()
    policies = args.policies.split(",")
    cells = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        kept = Kept(args.cells)
        jobs = jobs_of(traces, args, policies)
        for found in pool.map(lambda job: run_cell(job, kept), jobs):
            cells += found
    figures = summarise(cells, policies)
    show(figures, policies)
    if args.svg:
        shown = [policy for policy in SHOWN if policy in policies]
        args.svg.write_text(autoscale.svg(figures["traces"], shown), encoding="utf-8")
    report.finish(figures, args, description)


if __name__ == "__main__":
    main()
