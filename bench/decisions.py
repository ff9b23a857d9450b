"""The autoscaler's decisions for 200 services: milliseconds a step.

One step is what the controller does each second: signals out of agents' reports, the decision of each
service, by the production code (bench/autoscale/decide_services.cc), beginning with no service known,
then once more as a controller that reads what the first one has learned. The floor is none: 10 ms are
allowed.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402

TOOLS = ["decide_services"]


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    description = report.machine()
    figures = {"services": args.services}
    with tempfile.TemporaryDirectory() as directory:
        for run in ("new", "learned"):
            done = subprocess.run([str(report.BIN / "decide_services"), str(args.services),
                                   str(args.steps), directory],
                                  capture_output=True, text=True, check=True)
            steps = sorted(json.loads(done.stdout)["steps"])
            figures[run] = {"median_ms": statistics.median(steps),
                            "p99_ms": steps[int(0.99 * (len(steps) - 1))],
                            "max_ms": steps[-1],
                            "above_10_ms": sum(1 for step in steps if step >= 10)}
    columns = ("median_ms", "p99_ms", "max_ms", "above_10_ms")
    report.table([[run, *(f"{figures[run][name]:.2f}" for name in columns[:-1]),
                   str(figures[run]["above_10_ms"])] for run in ("new", "learned")],
                 ["services", "median, ms", "p99, ms", "max, ms", "steps of 10 ms or more"])
    report.finish(figures, args, description)


if __name__ == "__main__":
    main()
