"""The autoscaler's decisions for 200 services: milliseconds a step.

One step is what the controller does each second: signals out of agents' reports, the decision of each
service, by the production code (bench/autoscale/decide_services.cc). The floor is none: 10 ms are
allowed.
"""
import json
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402

TOOLS = ["decide_services"]


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    description = report.machine()
    done = subprocess.run([str(report.BIN / "decide_services"), str(args.services),
                           str(args.steps)], capture_output=True, text=True, check=True)
    steps = json.loads(done.stdout)["steps"]
    # The first makes everything anew: policies are read, memory is taken.
    first, steps = steps[0], sorted(steps[1:])
    figures = {"services": args.services, "first_ms": first,
               "median_ms": statistics.median(steps),
               "p99_ms": steps[int(0.99 * (len(steps) - 1))], "max_ms": steps[-1]}
    report.table([[name[:-3], f"{figures[name]:.2f}"] for name in
                  ("median_ms", "p99_ms", "max_ms", "first_ms")], ["step", "ms"])
    report.finish(figures, args, description)


if __name__ == "__main__":
    main()
