"""Requests and log lines lost through scale-ins, updates, drains, terminations and kills.

An open-loop load (fixed arrival rate, no retries) on the example's Tomcat while a series of events,
drawn from the seed, is carried out; then every id is looked for among the answers and among the
stored log lines. Columns: hive; plain Swarm as most people run it; plain Swarm at its best.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402
from lib.no_loss import column, cut, plot, series  # noqa: E402
from lib.no_loss.hive_side import HiveSide  # noqa: E402
from lib.no_loss.swarm_side import BEST, MOST, SwarmSide  # noqa: E402

TOOLS = ["load_generator"]
MIX = "get:45,keepalive:30,post:15,slow:7,download:3"
SHOWN_LOST = 20
FIELDS = ["requests", "failed", "lines", "lines_missing", "events", "operations_failed", "p50_ms",
          "p99_ms", "max_ms", "short_s", "short_by"]


def sides(args):
    made = {"hive": lambda: HiveSide(args.port),
            "swarm": lambda: SwarmSide("swarm", args.port + 2, args.network, MOST),
            "swarm_best": lambda: SwarmSide("swarm_best", args.port + 4, args.network, BEST)}
    return {name: made[name] for name in args.columns.split(",")}


def table_of(results, field, title):
    kinds = sorted({kind for r in results.values() for kind in r["figures"].get(field, {})})
    if kinds:
        print()
        report.table([[kind, *(r["figures"].get(field, {}).get(kind, "-")
                               for r in results.values())] for kind in kinds], [title, *results])


def show(results):
    report.table([[field, *(r["figures"][field] for r in results.values())] for field in FIELDS],
                 ["", *results])
    table_of(results, "operation_s", "operation, median s")
    table_of(results, "idle_operation_s", "without load, s")
    for name, result in results.items():
        if result["figures"].get("cut"):
            print(f"\n{name} was cut short: figures of what was done until then", end="")
        for lost in result["lost"][:SHOWN_LOST]:
            print(f"\n{name}: lost {lost['what']} {lost['id']} ({lost['kind']}): "
                  f"{lost['error'] or 'answered, not stored'}\n  {lost['during']}", end="")
        if len(result["lost"]) > SHOWN_LOST:
            print(f"\n{name}: and {len(result['lost']) - SHOWN_LOST} more", end="")
    print()


def ratios(figures, field, other):
    """hive's seconds of each operation against those of the other column."""
    hive, theirs = (figures.get(name, {}).get(field, {}) for name in ("hive", other))
    return {kind: round(hive[kind] / theirs[kind], 2) for kind in hive if theirs.get(kind)}


def whole(figures, args):
    """The JSON, also of a run that has not ended."""
    return {**figures,
            "hive_to_swarm_duration": ratios(figures, "operation_s", "swarm"),
            "hive_to_swarm_best_duration": ratios(figures, "operation_s", "swarm_best"),
            "hive_to_swarm_idle_duration": ratios(figures, "idle_operation_s", "swarm"),
            "hive_to_swarm_best_idle_duration": ratios(figures, "idle_operation_s", "swarm_best"),
            "seed": args.seed, "rate": args.rate, "mix": args.mix}


class Written:
    """The files of the run, brought up to date as it goes."""

    def __init__(self, args, description):
        self._args, self._description = args, description
        self.directory = pathlib.Path(args.details)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.results = {}

    def so_far(self, name):
        """What a column tells after each of its events."""
        def tell(counts):
            figures = {**{n: r["figures"] for n, r in self.results.items()},
                       name: {**counts, "running": True}}
            self._json(figures)
        return tell

    def column(self, name, result):
        self.results[name] = result
        (self.directory / f"{name}.json").write_text(json.dumps(result, indent=1),
                                                     encoding="utf-8")
        (self.directory / "replicas.svg").write_text(plot.svg(self.results), encoding="utf-8")
        self._json({n: r["figures"] for n, r in self.results.items()})

    def _json(self, figures):
        if self._args.json:
            pathlib.Path(self._args.json).write_text(
                json.dumps({**whole(figures, self._args), "machine": self._description},
                           indent=2) + "\n", encoding="utf-8")


def parsed():
    parser = report.parser(__doc__)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--rate", type=float, default=100, help="requests begun a second")
    parser.add_argument("--requests", type=int, default=None,
                        help="the load goes on until so many have begun (default: those of 10 s an event)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", default="hive,swarm,swarm_best")
    parser.add_argument("--mix", default=MIX)
    parser.add_argument("--idle-rounds", type=int, default=1,
                        help="rounds of operations that are timed before the load begins")
    parser.add_argument("--port", type=int, default=23200, help="and the five after it")
    parser.add_argument("--network", default="10.78.1", help="first three numbers of plain Swarm's")
    parser.add_argument("--details", default="build/no-loss", help="directory")
    args = parser.parse_args()
    if args.requests is None:
        args.requests = round(10 * args.rate * args.events)
    return args


def main():
    args = parsed()
    description = report.machine()
    events = series.draw(args.seed, args.events)
    load = {"rate": args.rate, "seed": args.seed, "mix": args.mix, "requests": args.requests}
    written, watch = Written(args, description), cut.Watch()
    watch.listen()
    for name, make in sides(args).items():
        if watch.asked:
            break
        report.note(f"{name}: {len(events)} events, {args.rate} requests/s, seed {args.seed}")
        written.column(name, column.run(make(), events, load, written.directory,
                                        series.idle(args.idle_rounds), watch,
                                        written.so_far(name)))
    results = written.results
    show(results)
    print(f"healthy replicas over time: {written.directory}/replicas.svg; every event, sample and "
          f"loss: {written.directory}/COLUMN.json, every request: COLUMN.csv")
    report.finish(whole({name: result["figures"] for name, result in results.items()}, args), args,
                  description)
    return 1 if watch.asked else 0


if __name__ == "__main__":
    sys.exit(main())
