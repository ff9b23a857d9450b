"""Collecting log files: hive's collector beside rsyslog's imfile, each on one and the same core.

Throughput: one file of log lines, warm in the page cache, from start until every byte is at the
destination (hive's are fsynced by then, rsyslog's need not be). Steady: a writer appends so many
MB/s; the CPU time that the collector takes for it. Rounds alternate between the two.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402

TOOLS = ["collect_logs"]
RSYSLOG = """
global(workDirectory="{work}")
module(load="imfile")
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="imfile" file="{root}/*.log" tag="bench" ruleset="store")
ruleset(name="store") {{ action(type="omfile" file="{out}" template="raw" ioBufferSize="256k") }}
"""
LINE = ("2026-01-01T00:00:00.000Z INFO [http-nio-8080-exec-7] org.example.hive.Requests - "
        "GET /orders/{:08d} 200 17 ms\n")
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_and_peak(pid):
    """Seconds of CPU so far, and the largest resident size in MiB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    return (int(fields[11]) + int(fields[12])) / TICKS, peak / 1024


class Run:
    """One collector over one directory, on one core."""

    def __init__(self, kind, work, core):
        self.root, self.store = work / "root", work / "store"
        for directory in (self.root, self.store, work / "state"):
            directory.mkdir(parents=True)
        if kind == "hive":
            command = [str(report.BIN / "collect_logs"), str(self.root), str(self.store),
                       str(work / "state")]
        else:
            config = work / "rsyslog.conf"
            config.write_text(RSYSLOG.format(work=work / "state", root=self.root,
                                             out=self.store / "all.log"))
            command = ["/usr/sbin/rsyslogd", "-n", "-f", str(config), "-i", str(work / "pid")]
        self.command = ["taskset", "-c", str(core), *command]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def stored(self):
        return sum(path.stat().st_size for path in self.store.rglob("*") if path.is_file())

    def wait_for(self, size, seconds):
        end = time.monotonic() + seconds
        while self.stored() < size:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{self.command[3]}: {self.stored()} of {size} bytes stored")
            time.sleep(0.005)

    def stop(self):
        figures = cpu_and_peak(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return figures


def write_lines(path, size):
    with open(path, "ab") as file:
        number = 0
        while file.tell() < size:
            file.write("".join(LINE.format(number + i) for i in range(10_000)).encode())
            number += 10_000
        file.truncate(size - size % len(LINE.format(0)))
    return path.stat().st_size


def throughput(kind, work, args):
    run = Run(kind, work, args.core)
    size = write_lines(run.root / "a.log", args.mib << 20)
    begun = time.monotonic()
    run.start()
    run.wait_for(size, 600)
    took = time.monotonic() - begun
    cpu, peak = run.stop()
    return {"mib_per_s": size / took / 2**20, "cpu_s_per_gib": cpu / (size / 2**30),
            "peak_mib": peak}


def steady(kind, work, args):
    run = Run(kind, work, args.core)
    path = run.root / "a.log"
    path.touch()
    run.start()
    time.sleep(1)
    before, _ = cpu_and_peak(run.process.pid)
    piece = "".join(LINE.format(i) for i in range(args.mb_per_s * 10_000 // len(LINE))).encode()
    begun = time.monotonic()
    written = 0
    with open(path, "ab", buffering=0) as file:
        while time.monotonic() - begun < args.seconds:
            file.write(piece)
            written += len(piece)
            time.sleep(max(0, begun + written / (args.mb_per_s * 1e6) - time.monotonic()))
    took = time.monotonic() - begun
    run.wait_for(written, 60)
    cpu, peak = run.stop()
    return {"mb_per_s": written / took / 1e6, "cpu_percent": 100 * (cpu - before) / took,
            "peak_mib": peak}


def measure(args):
    figures = {}
    for name, bench in (("throughput", throughput), ("steady", steady)):
        rows = {"hive": [], "rsyslog": []}
        for number in range(args.rounds):
            for kind in rows:
                report.note(f"{name}: {kind}, round {number + 1} of {args.rounds}")
                work = pathlib.Path(tempfile.mkdtemp(prefix="hive-bench-logs-", dir=args.dir))
                try:
                    rows[kind].append(bench(kind, work, args))
                finally:
                    shutil.rmtree(work)
        figures[name] = {kind: {key: report.spread([one[key] for one in values])
                                for key in values[0]} for kind, values in rows.items()}
    return figures


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--mib", type=int, default=512, help="size of the file")
    parser.add_argument("--mb-per-s", type=int, default=10, help="of the steady writer")
    parser.add_argument("--seconds", type=int, default=15, help="of the steady writer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--dir", default="/var/tmp", help="where the files are")
    args = parser.parse_args()
    description = report.machine()
    figures = measure(args)
    for name, columns in figures.items():
        print(f"\n{name}")
        keys = list(columns["hive"])
        report.table([[kind, *(f"{row[key]['median']:.2f} ({row[key]['min']:.2f}-"
                               f"{row[key]['max']:.2f})" for key in keys)]
                      for kind, row in columns.items()], ["median (min-max)", *keys])
    report.finish(figures, args, description)


if __name__ == "__main__":
    main()
