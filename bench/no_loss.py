"""Requests and log lines lost through scale-ins, updates, drains, terminations and kills.

An open-loop load (fixed arrival rate, no retries) on the example's Tomcat while a series of events,
drawn from the seed, is carried out; then every id is looked for among the answers and among the
stored log lines. Columns: hive; plain Swarm as most people run it; plain Swarm at its best.
"""
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402
from lib.no_loss import column, plot, series  # noqa: E402
from lib.no_loss.hive_side import HiveSide  # noqa: E402
from lib.no_loss.swarm_side import BEST, MOST, SwarmSide  # noqa: E402

TOOLS = ["load_generator"]
MIX = "get:45,keepalive:30,post:15,slow:7,download:3"
SHOWN_LOST = 20


def sides(args):
    made = {"hive": lambda: HiveSide(args.port),
            "swarm": lambda: SwarmSide("swarm", args.port + 2, args.network, MOST),
            "swarm_best": lambda: SwarmSide("swarm_best", args.port + 4, args.network, BEST)}
    return {name: made[name] for name in args.columns.split(",")}


def show(results):
    fields = ["requests", "failed", "lines", "lines_missing", "events", "operations_failed",
              "p50_ms", "p99_ms", "max_ms"]
    report.table([[field, *(r["figures"][field] for r in results.values())] for field in fields],
                 ["", *results])
    print()
    kinds = sorted({kind for r in results.values() for kind in r["figures"]["operation_s"]})
    report.table([[kind, *(r["figures"]["operation_s"].get(kind, "-") for r in results.values())]
                  for kind in kinds], ["operation, median s", *results])
    for name, result in results.items():
        for lost in result["lost"][:SHOWN_LOST]:
            print(f"\n{name}: lost {lost['what']} {lost['id']} ({lost['kind']}): "
                  f"{lost['error'] or 'answered, not stored'}\n  {lost['during']}", end="")
        if len(result["lost"]) > SHOWN_LOST:
            print(f"\n{name}: and {len(result['lost']) - SHOWN_LOST} more", end="")
    print()


def duration_ratios(results):
    """hive's median duration of each operation against its docker namesake's."""
    if not {"hive", "swarm"} <= results.keys():
        return {}
    hive, swarm = (results[name]["figures"]["operation_s"] for name in ("hive", "swarm"))
    return {kind: round(hive[kind] / swarm[kind], 2) for kind in hive if swarm.get(kind)}


def write_details(results, directory):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "replicas.svg").write_text(plot.svg(results), encoding="utf-8")
    for name, result in results.items():
        (directory / f"{name}.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"healthy replicas over time: {directory}/replicas.svg; every event, sample and loss: "
          f"{directory}/COLUMN.json")


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rate", type=float, default=100, help="requests begun a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", default="hive,swarm,swarm_best")
    parser.add_argument("--mix", default=MIX)
    parser.add_argument("--port", type=int, default=23200, help="and the five after it")
    parser.add_argument("--network", default="10.78.1", help="first three numbers of plain Swarm's")
    parser.add_argument("--details", default="build/no-loss", help="directory")
    args = parser.parse_args()
    description = report.machine()
    events = series.draw(args.seed, args.events)
    load = {"rate": args.rate, "seed": args.seed, "mix": args.mix}
    work = tempfile.mkdtemp(prefix="hvn-", dir="/var/tmp")
    results = {}
    try:
        for name, make in sides(args).items():
            report.note(f"{name}: {len(events)} events, {args.rate} requests/s, seed {args.seed}")
            results[name] = column.run(make(), events, load, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(results)
    write_details(results, pathlib.Path(args.details))
    report.finish({**{name: result["figures"] for name, result in results.items()},
                   "hive_to_swarm_duration": duration_ratios(results), "seed": args.seed, "rate": args.rate, "mix": args.mix}, args, description)


main()
