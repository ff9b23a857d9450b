"""The agent of a node with 50 containers: CPU and memory, beside the engine and `docker stats`.

One manager of the local cloud carries a service of small containers (a busybox that serves a page
and sleeps) whose stops are held and whose output is collected. At rest, and with requests, the CPU
time and the resident memory of the node's agent, its edge and its engine are taken from /proc over
the same seconds; `docker stats` of the same containers, the usual way to watch a node, runs for as
long and is measured the same way, with what it costs the engine.
"""
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import report  # noqa: E402
from lib.cluster import DOCKER, HiveCluster  # noqa: E402

TOOLS = []
TICK = os.sysconf("SC_CLK_TCK")
FILE = """version: "3.8"
x-hive:
  name: benchagent
  cloud: local
  managers: 1
  workers: {{min: 0, max: 0}}
  load_balancer: {{listeners: ["{port}:8080", "{dashboard}:5000"]}}
  registry:
    address: registry.hive:5001
    images: {{"small:1": {image}}}
services:
  small:
    image: registry.hive:5001/small:1
    ports: ["8080:80"]
    deploy: {{replicas: {count}}}
    x-hive: {{health: {{path: /}}}}
"""


def make_image(directory):
    """An archive as `docker save` writes it: one static busybox that serves a page."""
    layer = directory / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        archive.add("/bin/busybox", "bin/busybox")
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        archive.addfile(link)
        page = directory / "index.html"
        page.write_text("small\n", encoding="utf-8")
        archive.add(page, "www/index.html")
    config = directory / "config.json"
    config.write_text(json.dumps({"Cmd": ["/bin/busybox", "httpd", "-f", "-h", "/www"],
                                  "ExposedPorts": {"80/tcp": {}}}), encoding="utf-8")
    out = directory / "small.tar"
    subprocess.run([sys.executable, str(report.ROOT / "examples/tomcat/archive.py"), str(out),
                    "small:1", str(config), str(layer)], check=True)
    return out


def processes(program, marks):
    """Pids of the cluster's processes whose command line holds the program's words."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if program in words and all(mark in environment for mark in marks):
            found.append(int(entry.name))
    return found


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def watch(who, seconds):
    """{name: {"cpu_percent", "rss_mib"}} of named lists of pids over the time."""
    begin, since = {name: sum(map(cpu_s, pids)) for name, pids in who.items()}, time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - since
    return {name: {"cpu_percent": round(100 * (sum(map(cpu_s, pids)) - begin[name]) / took, 2),
                   "rss_mib": round(sum(map(rss_mib, pids)), 1)} for name, pids in who.items()}


class Requests:
    """A steady trickle of requests through the balancer, so that the edge has figures to report."""

    def __init__(self, port, rate):
        self.port, self.rate, self.answered = port, rate, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(1 / self.rate):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
                self.answered += answer.status == 200


def docker_stats(host, who, seconds):
    """`docker stats` for that long: its own CPU and memory, and the engine's meanwhile."""
    client = subprocess.Popen([DOCKER, "--host", host, "stats"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(2)
        return watch({"docker stats": [client.pid], "engine": who["engine"]}, seconds)
    finally:
        client.terminate()
        client.wait()


def measure(cluster, args):
    instance = cluster.json("instance", "ls")[0]
    host = instance["engine_host"]
    mark = [f"HIVE_INSTANCE={instance['id']}"]
    who = {"agent": processes("/hive agent", mark), "edge": processes("haproxy", mark),
           "engine": processes("/dockerd ", mark)}
    assert all(who.values()), who
    time.sleep(args.settle)
    figures = {"rest": watch(who, args.seconds)}
    with Requests(args.port, args.rate) as requests:
        time.sleep(1)
        figures["requests"] = watch(who, args.seconds)
    figures["answered"] = requests.answered
    figures["rival"] = docker_stats(host, who, args.seconds)
    figures["rival"]["engine_extra_cpu_percent"] = round(
        figures["rival"]["engine"]["cpu_percent"] - figures["rest"]["engine"]["cpu_percent"], 2)
    return figures


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--count", type=int, default=50, help="containers")
    parser.add_argument("--seconds", type=float, default=30, help="of each measurement")
    parser.add_argument("--settle", type=float, default=15, help="seconds of rest before the first")
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    parser.add_argument("--port", type=int, default=23300, help="and the one after it")
    args = parser.parse_args()
    description = report.machine()
    cluster = HiveCluster("benchagent", args.port, args.port + 1)
    try:
        image = make_image(cluster.dir)
        cluster.file.write_text(FILE.format(port=args.port, dashboard=args.port + 1, image=image,
                                            count=args.count), encoding="utf-8")
        cluster.up()
        figures = measure(cluster, args)
    finally:
        cluster.down()
        cluster.close()
    rows = [[f"{name}, {state}", one["cpu_percent"], one["rss_mib"]]
            for state in ("rest", "requests") for name, one in figures[state].items()]
    rows += [[f"{name}, while watched so", one["cpu_percent"], one["rss_mib"]]
             for name, one in figures["rival"].items() if isinstance(one, dict)]
    report.table(rows, [f"{args.count} containers", "CPU, % of a core", "resident, MiB"])
    report.finish({**figures, "count": args.count, "rate": args.rate}, args, description)


if __name__ == "__main__":
    main()
