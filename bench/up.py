"""`hive up` from nothing to a served application, against the same by a plain shell script.

Floor: bench/lib/plain_swarm.sh, which starts the same engines, joins all nodes and creates the same
service with the docker command line; its registry holds the image before it begins. A second
column pushes the image with the docker command line, as hive pushes its images in its own time.
Each ends when three replicas are healthy and answer; hive's also has its balancer, edges,
controllers, agents and dashboard then. They take turns, so that what else the machine does touches
all.
"""
import shutil
import tempfile
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402
from lib.cluster import HiveCluster, PlainSwarm, timed  # noqa: E402

TOOLS = []


def hive_round(args):
    cluster = HiveCluster("benchup", args.port, args.port + 1)
    try:
        seconds, output = timed(cluster.up)
    finally:
        cluster.down()
        cluster.close()
    if args.verbose:
        print(output)
    return seconds


def floor_round(args, registry=None):
    """With the image in the registry already, or pushed in the round's time."""
    swarm = PlainSwarm(args.network)
    versions = ["1.0"] if registry is None else []
    try:
        if registry:
            swarm.start_with_registry(registry)
        seconds, _ = timed(lambda: (swarm.up(*versions), swarm.serve("1.0")))
        if not args.registry.exists():
            swarm.keep_registry(args.registry)
    finally:
        swarm.down()
    return seconds


def rounds(args):
    turns = {"hive": lambda: hive_round(args),
             "floor": lambda: floor_round(args, args.registry),
             "floor_with_push": lambda: floor_round(args)}
    runs = {name: [] for name in turns}
    for number in range(args.rounds):
        # The first push, whose time counts too, fills the registry of all later floors.
        names = ["floor_with_push", "hive", "floor"]
        for name in names if number % 2 == 0 else [names[0], names[2], names[1]]:
            runs[name].append(round(turns[name](), 3))
            report.note(f"round {number + 1} of {args.rounds}: {name} {runs[name][-1]:.2f} s")
    return runs


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each, taking turns")
    parser.add_argument("--port", type=int, default=23080, help="of hive's balancer (and the next)")
    parser.add_argument("--network", default="10.78.0", help="first three numbers of the floor's")
    parser.add_argument("--verbose", action="store_true", help="print what hive up says")
    args = parser.parse_args()
    description = report.machine()
    work = pathlib.Path(tempfile.mkdtemp(prefix="hvr-", dir="/var/tmp"))
    args.registry = work / "data"
    try:
        runs = rounds(args)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    spread = {name: report.spread(values) for name, values in runs.items()}
    ratio = spread["hive"]["median"] / spread["floor"]["median"]
    report.table([[name.replace("_", " "), f"{s['median']:.2f}", f"{s['min']:.2f}",
                   f"{s['max']:.2f}"] for name, s in spread.items()], ["", "median s", "min", "max"])
    print(f"hive / floor: {ratio:.2f}")
    report.finish({"hive_s": spread["hive"]["median"], "floor_s": spread["floor"]["median"],
                   "floor_with_push_s": spread["floor_with_push"]["median"],
                   "ratio": round(ratio, 3), "runs": runs, "spread": spread}, args, description)


if __name__ == "__main__":
    main()
