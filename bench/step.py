"""A step from 20 to 400 requests a second of the slow page, and back: how soon replicas follow.

The example's Tomcat on the local cloud under x-hive.autoscale. Requests of the slow page take 0.1 to
5 s, so that 400 a second are some thousand open at a time, and a Tomcat has 200 threads. Beside it what
the Kubernetes documentation says of the HorizontalPodAutoscaler with its defaults: not run here.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402
from lib.cluster import HiveCluster  # noqa: E402
from lib.no_loss.account import answers  # noqa: E402

TOOLS = ["load_generator"]
SLOWEST_MS = 5_000
LATE_MS = SLOWEST_MS + 500  # a request for 5 s of sleep has half a second beside it
MOST_LATE = 0.01            # the objective: of the requests that were due in a second
# kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, v1.31: a look each 15 s
# (--horizontal-pod-autoscaler-sync-period), at metrics that metrics-server takes each 15 s; up by at
# most 4 pods or 100 % in 15 s, whichever is more; down when it was right for 300 s.
HPA = {"decision_s": [0, 30], "pods_per_15_s": "4 or 100 %", "stabilisation_down_s": 300}


class Watch(threading.Thread):
    """The service's state, five times a second: (unix seconds, ready, ordered)."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.seen, self.ended = cluster, [], threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.2):
            try:
                now = self.cluster.json("autoscale", "status", "hive-server")[0]
            except (RuntimeError, ValueError, IndexError):
                continue
            self.seen.append((time.time(), now["ready"], now["replicas"]))

    def first(self, since, holds):
        return next((at for at, ready, ordered in self.seen if at >= since and holds(ready, ordered)),
                    None)


def edit(args):
    policy = (f"autoscale: {{min: {args.min}, max: {args.max}, "
              f"target: {{requests_per_replica: {args.per_replica}}}}}")

    def change(text):
        text = text.replace("      health: {path: /health}",
                            f"      {policy}\n      health: {{path: /health}}")
        return re.sub(r"replicas: \d+", f"replicas: {args.min}", text)
    return change


def generator(cluster, rate, seed, out):
    return subprocess.Popen(
        [str(report.BIN / "load_generator"), "--to", f"127.0.0.1:{cluster.port}", "--rate", str(rate),
         "--mix", "slow:1", "--seed", str(seed), "--id-prefix", f"s{seed}", "--out", str(out)],
        stdout=subprocess.PIPE, text=True)


def end(process):
    process.terminate()
    return json.loads(process.communicate(timeout=60)[0])


def objective_met_again(files, step_at, until):
    """Seconds from the step to the end of the last second that missed the objective; with the worst
    share."""
    due, late = {}, {}
    for row in (row for path in files for row in answers(path)):
        second = int(float(row["due_unix_us"]) / 1e6 - step_at)
        if not 0 <= second < until - step_at:
            continue
        due[second] = due.get(second, 0) + 1
        if row["error"] or float(row["latency_us"]) > LATE_MS * 1_000:
            late[second] = late.get(second, 0) + 1
    missed = [second for second, count in late.items() if count / due[second] > MOST_LATE]
    worst = max((count / due[second] for second, count in late.items()), default=0)
    return (max(missed) + 1 if missed else 0), worst


def failures(files, step_at):
    """What failed, by its error: how many, and the seconds after the step when they were due."""
    found = {}
    for row in (row for path in files for row in answers(path) if row["error"]):
        found.setdefault(row["error"], []).append(round(float(row["due_unix_us"]) / 1e6 - step_at, 1))
    return {error: {"requests": len(due), "first_s": min(due), "last_s": max(due)}
            for error, due in found.items()}


def curve(seen, step_at):
    """Changes of (seconds after the step, ready, ordered)."""
    changes = []
    for at, ready, ordered in seen:
        if not changes or changes[-1][1:] != [ready, ordered]:
            changes.append([round(at - step_at, 1), ready, ordered])
    return changes


def decisions(cluster, step_at):
    """(seconds after the step, kind, why), oldest first."""
    events = cluster.json("autoscale", "history", "hive-server")
    return sorted((round(event["unix_ms"] / 1000 - step_at, 1), event["kind"], event["reason"])
                  for event in events)


def ends(cluster, step_at, until):
    """What hive says of tasks that ended until then: [seconds after the step, kind, task, why]."""
    lines = cluster.hive("events", "--format", "json").stdout.splitlines()
    events = [json.loads(line) for line in lines if line.strip()]
    return [[round(event["unix_ms"] / 1000 - step_at, 1), event["kind"], event["subject"],
             event["reason"]] for event in events
            if event["kind"] in ("task_stopped", "task_failed")
            and step_at <= event["unix_ms"] / 1000 <= until]


def first(made, kind, since):
    """Seconds from `since` (seconds after the step) to the first decision of this kind."""
    return next((round(at - since, 1) for at, what, _ in made if what == kind and at >= since), None)


def measure(cluster, args, work):
    files = [work / "steady.csv", work / "step.csv"]
    watch = Watch(cluster)
    steady = generator(cluster, args.low, 1, files[0])
    time.sleep(args.settle)
    report.note(f"{args.low}/s for {args.settle} s; the step to {args.high}/s")
    step_at = time.time()
    step = generator(cluster, args.high - args.low, 2, files[1])
    time.sleep(args.hold)
    high_until = time.time()
    summaries = [end(step)]
    report.note("the load is back")
    down_at = time.time()
    deadline = down_at + args.down
    while time.time() < deadline and watch.first(down_at, lambda r, o: r == o == args.min) is None:
        time.sleep(1)
    summaries.append(end(steady))
    watch.ended.set()

    def after(begin, moment):
        return round(moment - begin, 1) if moment else None
    met, worst = objective_met_again(files, step_at, high_until)
    made = decisions(cluster, step_at)
    return {"decision_s": first(made, "autoscale_out", 0),
            "first_new_replica_s": after(step_at, watch.first(step_at, lambda r, o: r > args.min)),
            "objective_met_again_s": met, "worst_late_share": round(worst, 3),
            "replicas_at_the_top": max(ready for at, ready, _ in watch.seen if at >= step_at),
            "first_away_s": first(made, "autoscale_in", down_at - step_at),
            "back_at_min_s": after(down_at, watch.first(down_at, lambda r, o: r == o == args.min)),
            "requests": sum(one["requests"] for one in summaries),
            "failed": sum(one["failed"] for one in summaries), "failures": failures(files, step_at),
            "replicas": curve(watch.seen, step_at), "decisions": made,
            "ended_under_load": ends(cluster, step_at, high_until)}


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--low", type=int, default=20, help="requests a second")
    parser.add_argument("--high", type=int, default=400)
    parser.add_argument("--min", type=int, default=2)
    parser.add_argument("--max", type=int, default=12)
    parser.add_argument("--per-replica", type=int, default=50, help="target, requests a second")
    parser.add_argument("--settle", type=int, default=75, help="seconds at the low rate before")
    parser.add_argument("--hold", type=int, default=120, help="seconds at the high rate")
    parser.add_argument("--down", type=int, default=1200, help="seconds to wait for the least again")
    parser.add_argument("--port", type=int, default=23080, help="of hive's balancer (and the next)")
    args = parser.parse_args()
    description = report.machine()
    cluster = HiveCluster("benchstep", args.port, args.port + 1, edit(args))
    try:
        cluster.up()
        with tempfile.TemporaryDirectory(prefix="hvs-", dir="/var/tmp") as work:
            figures = measure(cluster, args, pathlib.Path(work))
    finally:
        cluster.down()
        cluster.close()
    report.table([["decision", figures["decision_s"], "0 to 30"],
                  ["first new replica serves", figures["first_new_replica_s"], ""],
                  ["objective met again", figures["objective_met_again_s"], ""],
                  ["first replica taken away", figures["first_away_s"], "300 or more"],
                  ["at min again", figures["back_at_min_s"], ""]],
                 ["seconds after the step", "hive", "HPA, documented"])
    print(f"{figures['requests']} requests, {figures['failed']} failed; "
          f"at most {figures['replicas_at_the_top']} replicas")
    for end_of in figures["ended_under_load"]:
        print("  {} s after the step: {} {}: {}".format(*end_of))
    for error, those in figures["failures"].items():
        print(f"  {error}: {those['requests']}, due {those['first_s']} to {those['last_s']} s after the step")
    report.finish({"hive": figures, "hpa_documented": HPA}, args, description)


if __name__ == "__main__":
    main()
