"""The series on plain Docker Swarm: the docker command line, HAProxy with health checks, logs tailed
from outside. Once as most people run it, once at its best.
"""
import glob
import signal
import subprocess
import threading
import time

from lib import engine_api
from lib.cluster import PlainSwarm
from lib.no_loss import account, tail
from lib.no_loss.side import SERVICE, Side

HEALTH = ["--health-cmd", "wget -q -O /dev/null http://127.0.0.1:8080/health",
          "--health-interval", "2s", "--health-timeout", "2s", "--health-retries", "3",
          "--health-start-period", "20s"]
# Docker's own defaults, and a proxy as its documentation's first examples have it. Log files are
# looked for every 10 s and closed once removed, as Filebeat does unless told otherwise.
MOST = {"service": ["--update-order", "stop-first"],
        "backend": ["option httpchk GET /health", "default-server inter 2s"],
        "look_s": 1.0, "stop_s": 10, "drain_first": False, "scan_s": 10, "linger_s": 0}
BEST = {"service": ["--update-order", "start-first", "--stop-grace-period", "60s",
                    "--update-delay", "5s", "--update-failure-action", "rollback"],
        "backend": ["option httpchk GET /health", "option redispatch", "retries 3",
                    "retry-on conn-failure empty-response response-timeout 502 503",
                    "default-server inter 250ms fall 3 rise 1"],
        "look_s": 0.2, "stop_s": 60, "drain_first": True, "scan_s": 0.2, "linger_s": 15}


class Proxy:
    """HAProxy in front, its servers rewritten from docker's lists and reloaded: a cron-like script."""

    def __init__(self, side, directory, backend, look_s):
        self._side, self._backend, self._look_s = side, backend, look_s
        self._config = f"{directory}/haproxy.cfg"
        self._servers, self._process = None, None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._write(self._side.addresses())
        self._process = subprocess.Popen(["haproxy", "-W", "-db", "-f", self._config],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         start_new_session=True)
        self._thread.start()

    def finish(self):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(30)
        if self._process:
            self._process.terminate()
            self._process.wait(30)

    def _write(self, servers):
        lines = ["defaults", "  mode http", "  timeout connect 5s", "  timeout client 60s",
                 "  timeout server 60s", "frontend web", f"  bind 127.0.0.1:{self._side.port}",
                 "  default_backend tasks", "backend tasks", "  balance roundrobin",
                 *(f"  {line}" for line in self._backend),
                 *(f"  server {name} {at} check" for name, at in servers)]
        with open(self._config, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        self._servers = servers

    def _run(self):
        while not self._stop.wait(self._look_s):
            try:
                servers = self._side.addresses()
            except (RuntimeError, OSError, KeyError):
                continue
            if servers and servers != self._servers:
                self._write(servers)
                self._process.send_signal(signal.SIGUSR2)


class SwarmSide(Side):
    def __init__(self, name, port, network, ways):
        self.name, self.port, self.ways = name, port, ways
        self.swarm = PlainSwarm(network)
        self.proxy = Proxy(self, self.swarm.dir, ways["backend"], ways["look_s"])
        self.tails = tail.Tails(self._log_files, ways["scan_s"], ways["linger_s"])

    def up(self):
        self.swarm.up("1.0", "1.1")
        self._docker("service", "create", "--quiet", "--with-registry-auth", "--name", SERVICE,
                     "--replicas", "3", "--publish", "mode=host,target=8080", *HEALTH,
                     *self.ways["service"], self._image("1.0"))
        self.tails.start()
        self.proxy.start()
        time.sleep(5)  # its health checks

    def down(self):
        self.proxy.finish()
        self.swarm.down()

    def stored_ids(self):
        self.tails.finish()
        return account.ids_in(self.tails.lines)

    def managers(self):
        return [f"{self.swarm.dir}/{node}/docker.sock" for node in ("m1", "m2", "m3")]

    def addresses(self):
        """(name, address:port) of each running task."""
        hosts = {node["ID"]: node["Status"]["Addr"]
                 for node in engine_api.first_answer(self.managers(), "/nodes")}
        out = []
        for task in self.tasks():
            ports = task["Status"].get("PortStatus", {}).get("Ports") or []
            out += [(task["ID"], f"{hosts[task['NodeID']]}:{port['PublishedPort']}")
                    for port in ports]
        return sorted(out)

    def _log_files(self):
        return glob.glob(f"{self.swarm.dir}/*/data/overlay2/*/diff/usr/local/tomcat/logs/*.log")

    def _image(self, version):
        with open(f"{self.swarm.dir}/registry.address", encoding="utf-8") as f:
            return f"{f.read().strip()}/hive-tomcat:{version}"

    def _docker(self, *args, node="m1"):
        # A manager that is drained or busy still answers; any of the three would do.
        return self.swarm.docker(*args, node=node)

    # --- the operations

    def scale_in(self, event):
        self._docker("service", "scale", f"{SERVICE}={event.replicas}")

    scale_out = scale_in

    def update(self, event):
        self._docker("service", "update", "--quiet", "--with-registry-auth", "--image",
                     self._image(event.version), SERVICE)

    # `docker service rollback` would undo a scale just as well; by hand one names the version.
    rollback = update
    # Plain Swarm has no canary: it is the update.
    canary = update

    def drain(self, event):
        self.drained = self.chosen_node(event)
        self._docker("node", "update", "--availability", "drain", self.drained)
        self.settled(event.replicas, without_node=self.drained)

    def terminate(self, event):
        self.ended = ("w1", "w2")[int(event.choice * 2)]
        if self.ways["drain_first"]:
            self._docker("node", "update", "--availability", "drain", self.ended)
            self.settled(event.replicas, without_node=self.ended)
        self.swarm.terminate(self.ended)
        self.settled(event.replicas, without_node=self.ended)

    def bring_back(self, event):
        if event.operation == "drain":
            self._docker("node", "update", "--availability", "active", self.drained)
        else:
            self.swarm.launch(self.ended)

    def task_stop(self, event):
        task = self.chosen_task(event)
        self._docker("stop", "--time", str(self.ways["stop_s"]),
                     task["Status"]["ContainerStatus"]["ContainerID"],
                     node=self.nodes()[task["NodeID"]])
        self.settled(event.replicas, without_task=task["ID"])
