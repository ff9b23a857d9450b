"""hive-init beside tini-static: size, memory, wake-ups at rest, and the time to start a program.

Both run as process 1 of pid namespaces of their own, without an engine, taking turns.
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402

TOOLS = ["hive-init"]
INITS = {"hive-init": str(report.BIN / "hive-init"), "tini-static": "/usr/bin/tini-static"}
MEMORY = ("Rss", "Pss", "Private_Dirty")


def start(init, *program):
    """Ends with its parent, which is `unshare`."""
    return subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", init, "--", *program],
                            stdin=subprocess.DEVNULL)


def process_1(unshare):
    """As seen from here; once it has started its program."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError, IndexError):
            pid = children(unshare.pid)[0]
            program = children(pid)[0]
            with open(f"/proc/{program}/comm", encoding="utf-8") as f:
                if f.read().strip() == "sleep":
                    return pid
        time.sleep(0.01)
    raise RuntimeError("the init does not start its program")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
        return [int(word) for word in f.read().split()]


def memory_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
        fields = dict(line.split(":", 1) for line in f if ":" in line and "kB" in line)
    return {name.lower(): int(fields[name].split()[0]) for name in MEMORY}


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)


@contextlib.contextmanager
def many(init, count):
    running = [start(init, "sleep", "1000") for _ in range(count)]
    try:
        yield [process_1(one) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()


def at_rest(init, count, seconds):
    with many(init, 1) as (pid,):
        alone = memory_kib(pid)
        before = wakeups(pid)
        time.sleep(seconds)
        woken = wakeups(pid) - before
    with many(init, count) as pids:
        pss = sum(memory_kib(pid)["pss"] for pid in pids)
    return {"file_bytes": os.stat(init).st_size, "memory_kib": alone,
            "pss_kib_of_all": pss, "wakeups_per_minute": round(woken * 60 / seconds, 1)}


def starts(rounds):
    """Milliseconds from unshare to the end of a program that ends at once."""
    times = {name: [] for name in INITS}
    for _ in range(rounds):
        for name, init in INITS.items():
            begin = time.monotonic()
            start(init, "/bin/true").wait()
            times[name].append((time.monotonic() - begin) * 1000)
    return {name: report.spread(one) for name, one in times.items()}


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--count", type=int, default=50, help="inits at once")
    parser.add_argument("--rounds", type=int, default=200, help="starts of each")
    parser.add_argument("--seconds", type=int, default=10, help="at rest")
    args = parser.parse_args()
    description = report.machine()
    figures = {name: at_rest(init, args.count, args.seconds) for name, init in INITS.items()}
    for name, spread in starts(args.rounds).items():
        figures[name]["start_ms"] = spread
    report.table(
        [[name, one["file_bytes"], *one["memory_kib"].values(), one["pss_kib_of_all"],
          one["wakeups_per_minute"], one["start_ms"]["median"]] for name, one in figures.items()],
        ["init", "file bytes", "RSS KiB", "PSS KiB", "dirty KiB", f"PSS KiB of {args.count}",
         "wake-ups/min", "start ms"])
    report.finish({"count": args.count, "hive": figures["hive-init"],
                   "tini": figures["tini-static"]}, args, description)


if __name__ == "__main__":
    main()
