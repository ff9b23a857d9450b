"""The controller on a Swarm of 1,000 nodes and 20,000 tasks: tick, memory, bytes to a dashboard.

A stand-in Engine API (bench/standin_engine.cc) answers for the Swarm. Beside hive, on the same
lists in the same run: curl alone (the floor: nothing is parsed), curl and jq (a script's look), the
docker command line's `docker node ls`, `docker service ls` and `docker service ps` of all
services; and for the bytes, a page that fetches everything at each change.
"""
import http.client
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib import engine_api, report  # noqa: E402
from lib.cluster import DOCKER  # noqa: E402

TOOLS = ["standin_engine"]
LISTS = ("nodes", "services", "tasks")


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return body


def until(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{what}: not within {seconds} s")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(next(line.split()[1] for line in f if line.startswith(key + ":"))) / 1024


def metric(port, name):
    for line in get(port, "/metrics").decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise RuntimeError(f"the controller has no metric {name}")


class Dashboard:
    """A client of the event stream, as the page is one."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", "/v1/stream")
        self.answer = self.connection.getresponse()

    def event(self):
        """(bytes on the wire, name, data) of the next event."""
        size, name, data = 0, "", ""
        while True:
            line = self.answer.readline()
            if not line:
                raise RuntimeError("the controller closed the stream")
            size += len(line)
            text = line.decode().rstrip("\n")
            if text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                data += text[6:]
            elif not text and name:
                return size, name, json.loads(data)
            elif not text:
                size = 0  # a ping

    def delta_with(self, part, key):
        while True:
            size, name, data = self.event()
            if name == "delta" and key in data.get(part, {}):
                return size


def looks(socket_path, port, seconds, pid):
    """The controller left alone: how long a look takes, how often, and what it costs."""
    cpu, ticks, begin = cpu_s(pid), metric(port, "hive_ticks"), time.monotonic()
    durations = []
    while time.monotonic() - begin < seconds:
        time.sleep(1)
        durations.append(metric(port, "hive_tick_seconds"))
    passed = time.monotonic() - begin
    count = metric(port, "hive_ticks") - ticks
    return {"tick_s": report.spread(durations), "ticks_per_s": round(count / passed, 3),
            "cpu_cores": round((cpu_s(pid) - cpu) / passed, 3),
            "cpu_s_per_tick": round((cpu_s(pid) - cpu) / max(count, 1), 3),
            "rss_mib": round(memory_mib(pid, "VmRSS"), 1),
            "rss_peak_mib": round(memory_mib(pid, "VmHWM"), 1)}


def changes(socket_path, port, count, tasks, nodes):
    """Bytes to one dashboard and the time until it knows, per change."""
    dashboard = Dashboard(port)
    first, name, _ = dashboard.event()
    assert name == "snapshot", name
    out = {"first_snapshot_bytes": first}
    # Indices that are spread over the lists, and states that are none of the present ones.
    for kind, total, state in (("task", tasks, "failed"), ("node", nodes, "down")):
        sizes, delays = [], []
        for number in range(count):
            index = (number * 7919 + 13) % total
            key = f"{kind:0<17}{index:08d}"
            begin = time.monotonic()
            engine_api.call(socket_path, "POST", f"/standin/{kind}?index={index}&state={state}")
            sizes.append(dashboard.delta_with(kind + "s", key))
            delays.append(time.monotonic() - begin)
        out[f"{kind}_change"] = {"bytes": report.spread(sizes), "known_after_s": report.spread(delays)}
    return out


def rival(name, *commands):
    """Seconds and CPU seconds of one whole look by other means."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    report.note(f"{name}: {time.monotonic() - begin:.2f} s")
    return {"look_s": round(time.monotonic() - begin, 3), "cpu_s": round(cpu, 3)}


def rivals(socket_path, services):
    curl = ["curl", "-sf", "--unix-socket", socket_path]
    urls = [f"http://engine/v1.41/{name}" for name in LISTS]
    quoted = " ".join(curl)
    docker = [DOCKER, "--host", f"unix://{socket_path}"]
    names = [f"shop_service-{i}" for i in range(services)]
    out = {"curl": rival("curl", *(curl + ["-o", "/dev/null", url] for url in urls))}
    if shutil.which("jq"):
        out["curl_jq"] = rival("curl and jq", *(
            ["sh", "-c", f"{quoted} {url} | jq -c '.[] | [.ID, .NodeID, .Status.State]'"]
            for url in urls))
    out["docker_cli"] = rival("docker", docker + ["node", "ls"], docker + ["service", "ls"],
                              docker + ["service", "ps", *names])
    return out


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=20000)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=30, help="to watch the controller")
    parser.add_argument("--changes", type=int, default=10, help="of each kind")
    parser.add_argument("--port", type=int, default=23070, help="of the controller")
    args = parser.parse_args()
    description = report.machine()
    work = tempfile.mkdtemp(prefix="hvc-", dir="/var/tmp")
    socket_path = f"{work}/engine.sock"
    processes = []
    try:
        processes.append(subprocess.Popen(
            [report.BIN / "standin_engine", socket_path, str(args.nodes), str(args.tasks),
             str(args.services)]))
        until(lambda: engine_api.call(socket_path, "GET", "/_ping"), 60, "the stand-in engine")
        sizes = {name: len(engine_api.call(socket_path, "GET", "/" + name)) for name in LISTS}
        controller = subprocess.Popen(
            [report.HIVE, "controller", "--engine", f"unix://{socket_path}", "--api-port",
             str(args.port), "--agent-port", "0", "--socket", f"{work}/c.sock",
             "--history", f"{work}/history.db"], stderr=subprocess.DEVNULL)
        processes.append(controller)
        until(lambda: json.loads(get(args.port, "/v1/status"))["tasks"] == args.tasks, 120,
              "the controller's first look")
        hive = looks(socket_path, args.port, args.seconds, controller.pid)
        whole = len(get(args.port, "/v1/snapshot"))
        hive |= changes(socket_path, args.port, args.changes, args.tasks, args.nodes)
        hive["rss_peak_mib"] = round(memory_mib(controller.pid, "VmHWM"), 1)
        others = rivals(socket_path, args.services)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)
        shutil.rmtree(work, ignore_errors=True)
    tick = hive["tick_s"]["median"]
    report.table(
        [["hive controller", f"{tick:.3f}", f"{hive['cpu_s_per_tick']:.3f}"]] +
        [[name.replace("_", " "), f"{other['look_s']:.3f}", f"{other['cpu_s']:.3f}"]
         for name, other in others.items()], ["one look", "s", "CPU s"])
    print(f"\nhive: {hive['ticks_per_s']} looks/s, {hive['cpu_cores']} cores, "
          f"{hive['rss_mib']} MiB (peak {hive['rss_peak_mib']})\n")
    report.table(
        [["a task changes", hive["task_change"]["bytes"]["median"],
          f"{hive['task_change']['known_after_s']['median']:.2f}"],
         ["a node goes down", hive["node_change"]["bytes"]["median"],
          f"{hive['node_change']['known_after_s']['median']:.2f}"],
         ["hive's whole snapshot", whole, ""], ["the engine's lists", sum(sizes.values()), ""]],
        ["to a dashboard", "bytes", "known after s"])
    report.finish({"nodes": args.nodes, "tasks": args.tasks, "services": args.services,
                   "hive": hive, "rivals": others, "snapshot_bytes": whole,
                   "engine_lists_bytes": sizes}, args, description)


if __name__ == "__main__":
    main()
