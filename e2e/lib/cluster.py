"""A hive cluster of the local cloud for one file of tests, and what can be done to it.

    with Cluster("uptest", ports={8080: 18080, 5000: 18500}) as cluster:
        cluster.up()
        cluster.hive("node", "ls")
        cluster.kill_engine("uptest-worker-1")

Tests keep their clusters apart from the user's: HIVE_STATE_DIR and HIVE_RUN_DIR, or /var/tmp/hive-test.
Only processes that belong to the cluster are ended, by their number.
"""
import collections
import glob
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HIVE = os.environ.get("HIVE_BIN", str(ROOT / "build/release/bin/hive"))
STATE = pathlib.Path(os.environ.setdefault("HIVE_STATE_DIR", "/var/tmp/hive-test/lib"))
RUN = pathlib.Path(os.environ.setdefault("HIVE_RUN_DIR", "/var/tmp/hive-test/run"))


def command(*args, check=True, timeout=420, env=None, cwd=None, binary=HIVE):
    """Runs hive. `check`: a code other than 0 fails the test, with all that was printed."""
    result = subprocess.run([binary, *args], capture_output=True, text=True, timeout=timeout,
                            env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL)
    assert not check or result.returncode == 0, (
        f"hive {' '.join(args)} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result


def eventually(condition, seconds=60, pause=0.3):
    """The condition's last value: true as soon as it holds, whatever it was at the deadline else."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(pause)


def example(name, ports, file="examples/tomcat/hive.yml"):
    """The text of an example, with another cluster name and the listeners {instance port: ours}."""
    text = (ROOT / file).read_text()
    text = text.replace("name: shop", f"name: {name}").replace("../../build", str(ROOT / "build"))
    listeners = ", ".join(f'"{ours}:{theirs}"' for theirs, ours in ports.items())
    return text.replace('"80:8080", "5000:5000"', listeners)


def traces(name):
    """What a cluster leaves on a machine when `down` forgets it. Other clusters' things, which come
    and go meanwhile, are left out: their links and rules carry their own marks."""
    def lines(*words):
        return subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    mark = str(STATE / name)
    links = {line.split(": ")[1].split("@")[0] for line in lines("ip", "-o", "link")}
    others = {match[1] for match in (re.fullmatch(r"hivebr(\d+)", link) for link in links)
              if match and network_of(name) != int(match[1])}
    links = {link for link in links if not re.fullmatch(r"(hivebr|hv)(\d+)(-\d+)?", link)
             or re.fullmatch(r"\D+(\d+)(-\d+)?", link)[1] not in others}
    with open("/proc/self/mounts", encoding="utf-8") as f:
        mounts = {line.split()[1] for line in f}
    rules = {rule for table in ("filter", "nat", "mangle", "raw")
             for rule in lines("iptables", "-w", "-t", table, "-S")
             if "hive:" not in rule or mark in rule}
    return {
        "links": links,
        "mounts": {mount for mount in mounts if "/hive" not in mount or name in mount},
        "rules": rules,
        "processes": sorted(processes_of(name)),
        "cgroups": sorted(glob.glob(f"/sys/fs/cgroup/*/hive/{name}-*") +
                          glob.glob(f"/sys/fs/cgroup/hive/{name}-*")),
        "files": sorted(str(path) for path in (STATE / name, RUN / name) if path.exists()),
    }


def network_of(name):
    """N of the cluster's 10.77.N.0/24; None when there is no such cluster."""
    try:
        return json.loads((STATE / name / "cloud.json").read_text())["network"]
    except (OSError, ValueError, KeyError):
        return None


def make_certificate(folder):
    """cert, key, and both.pem of the two, for 127.0.0.1."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key",
                    "-out", "cert", "-subj", "/CN=shop", "-days", "2", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, cwd=folder)
    (folder / "both.pem").write_bytes((folder / "cert").read_bytes() + (folder / "key").read_bytes())


def processes_of(name):
    """{pid: command line} of all that runs for a cluster, known by environment and cgroup."""
    mark = f"HIVE_LOCAL_CLOUD={STATE / name}".encode()
    found = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(folder + "/environ", "rb") as f:
                ours = mark in f.read().split(b"\0")
            ours = ours or f":/hive/{name}-" in cgroup_of(os.path.basename(folder))
            with open(folder + "/cmdline", "rb") as f:
                line = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if ours and line:
            found[int(os.path.basename(folder))] = line
    return found


def cgroup_of(pid):
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as f:
            return f.read()
    except OSError:
        return ""


class Load:
    """Requests at a fixed rate, each on a connection of its own, none tried again."""

    def __init__(self, port, path="/", per_second=20, timeout=20):
        self.port, self.path, self.pause, self.timeout = port, path, 1 / per_second, timeout
        self.answers = collections.Counter()  # status, or the failure's name
        self.failures = []                    # (seconds since the begin, what)
        self.hosts = collections.Counter()    # the first word of an answer
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = []
        self._starter = threading.Thread(target=self._run)

    def __enter__(self):
        self._began = time.monotonic()
        self._starter.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._starter.join()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._stop.wait(self.pause):
            thread = threading.Thread(target=self._one)
            thread.start()
            self._threads.append(thread)

    def _one(self):
        at, host = time.monotonic() - self._began, None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.path}",
                                        timeout=self.timeout) as answer:
                outcome, host = answer.status, answer.read().decode().split()[0]
        except urllib.error.HTTPError as error:
            outcome = error.code
        except (OSError, http.client.HTTPException) as error:
            outcome = repr(error)
        with self._lock:
            self.answers[outcome] += 1
            if host:
                self.hosts[host] += 1
            if outcome != 200:
                self.failures.append((round(at, 2), outcome))


class Cluster:
    def __init__(self, name, ports, folder, text=None):
        """`ports`: {port on the nodes: listener of the balancer}. The Compose file goes to
        `folder`."""
        self.name, self.ports = name, ports
        self.file = pathlib.Path(folder) / "hive.yml"
        self.file.write_text(text or example(name, ports))
        self.before = None

    def __enter__(self):
        self.before = traces(self.name)
        assert not self.before["processes"] and not self.before["files"], (
            f"cluster {self.name} is there already: hive --cluster {self.name} down --yes")
        return self

    def __exit__(self, kind, *exc):
        self.down()
        if kind is None:
            self.check_gone()

    # --- commands
    def up(self, *args, **options):
        return command("up", "-f", str(self.file), *args, **options)

    def down(self):
        return command("--cluster", self.name, "down", "--yes")

    def check_gone(self):
        assert traces(self.name) == self.before

    def run(self, *args, **options):
        return command("--cluster", self.name, *args, **options)

    def hive(self, *args, **options):
        return self.run(*args, **options).stdout

    def json(self, *args):
        return json.loads(self.hive(*args, "--format", "json"))

    # --- what it serves
    def get(self, path="/", port=8080):
        """Body of a 200 at the balancer's listener for a node's port."""
        url = f"http://127.0.0.1:{self.ports[port]}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 200
            return answer.read().decode()

    def hosts(self, requests=40):
        """Host names seen: the first word of an answer, "HOST version V requests N"."""
        return {self.get().split()[0] for _ in range(requests)}

    def load(self, **options):
        return Load(self.ports[8080], **options)

    # --- what it is made of
    def instances(self):
        """{host name: record of the local cloud}."""
        found = {}
        for path in (STATE / self.name / "instances").glob("*/instance.json"):
            record = json.loads(path.read_text())
            found[record["hostname"]] = record
        return found

    def pid(self, program, hostname):
        """A process of an instance by its program's words, "agent" of "/usr/local/bin/hive agent",
        as this machine counts."""
        place = f"/{self.instances()[hostname]['id']}/"
        for pid, line in processes_of(self.name).items():
            if re.fullmatch(rf"\S*/(hive )?{program}( .*)?", line) and place in cgroup_of(pid):
                return pid
        raise AssertionError(f"{hostname} runs no {program}")

    def kill(self, program, hostname):
        os.kill(self.pid(program, hostname), signal.SIGKILL)

    def kill_engine(self, hostname):
        self.kill("dockerd", hostname)

    def nodes(self):
        return {node["hostname"]: node for node in self.json("node", "ls")}

    def leader(self):
        return next(name for name, node in self.nodes().items() if node["leader"])

    def tasks(self, service="hive-server"):
        """The tasks that Swarm wants to run."""
        return [task for task in self.json("service", "ps", service)
                if task["desired_state"] == "running"]

    def controller(self, hostname, path="/v1/status"):
        """An answer of a manager's controller, or None."""
        address = self.instances()[hostname]["address"]
        try:
            with urllib.request.urlopen(f"http://{address}:7070{path}", timeout=3) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def serving_edges(self):
        """Addresses of the nodes whose edge answers a request for the application by itself."""
        found = set()
        for hostname, record in self.instances().items():
            try:
                with urllib.request.urlopen(f"http://{record['address']}:8080/",
                                            timeout=3) as answer:
                    if answer.status == 200:
                        found.add(hostname)
            except OSError:
                pass
        return found
