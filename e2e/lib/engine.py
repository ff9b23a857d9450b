"""A real Docker Engine for one test: its own network, processes, mounts and data.

    with Engine() as engine:
        engine.swarm_init()
        engine.docker("stack", "deploy", ...)
        engine.get("/services")

The engine's pid 1 is a shell in its own pid namespace: ending that one process ends everything
that the engine started, and its mounts and network go with it. Only processes that this class
started are ended.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

DOCKERD = "/usr/sbin/dockerd"
DOCKER = "/usr/bin/docker"

# Runs as pid 1 of the engine's namespaces. /run is private, so that a containerd of the machine
# is neither seen nor disturbed.
_INIT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock
# No name server but one that is not there: a pull from a registry that does not exist fails at once,
# where a lookup without an answer would keep its task, and all that waits for its end, for a minute.
echo "nameserver 127.0.0.1" >/run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf 2>/dev/null || true
ip link set lo up
ip link add eth0 type veth peer name eth0p
ip addr add "$ADDRESS"/24 dev eth0
ip link set eth0 up
ip link set eth0p up
ip route add default dev eth0
dockerd=$1; shift
"$dockerd" "$@" &
trap 'kill $!; wait $!; exit 0' TERM
wait $!
"""


CONTAINERD_LATE = "timeout waiting for containerd to start"


class EngineError(Exception):
    pass


class ApiError(EngineError):
    def __init__(self, status, message):
        super().__init__(f"{status}: {message}")
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    def __init__(self, name="e2e", address="10.213.7.1", extra_args=()):
        self.name = name
        self.address = address
        self.extra_args = list(extra_args)
        # Short: a unix socket's path has 107 bytes.
        self.root = tempfile.mkdtemp(prefix="hive-e2e-", dir="/var/tmp")
        self.socket = os.path.join(self.root, "d.sock")
        self.host = "unix://" + self.socket
        self.cgroup = f"/hive-e2e/{os.path.basename(self.root)}"
        self._process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc):
        self.close()

    def start(self, deadline_s=60):
        for folder in ("data", "exec", "docker-config"):
            os.makedirs(os.path.join(self.root, folder), exist_ok=True)
        # Never the machine's daemon.json.
        config = os.path.join(self.root, "daemon.json")
        with open(config, "w") as f:
            json.dump({}, f)
        self.log_path = os.path.join(self.root, "dockerd.log")
        args = [
            "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc",
            "--uts", "--ipc", "sh", "-c", _INIT, "init", DOCKERD,
            "--config-file", config, "--host", self.host,
            "--data-root", os.path.join(self.root, "data"),
            "--exec-root", os.path.join(self.root, "exec"),
            "--pidfile", os.path.join(self.root, "dockerd.pid"),
            "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.cgroup,
            "--userland-proxy=false", *self.extra_args,
        ]
        end = time.monotonic() + deadline_s
        while not self._started(args, end):
            # dockerd gives its containerd a few seconds, and itself up when a busy machine needs more.
            if CONTAINERD_LATE not in self.log() or time.monotonic() > end:
                raise EngineError("dockerd did not start:\n" + self.log()[-4000:])

    def _started(self, args, end):
        with open(self.log_path, "w") as log:
            self._process = subprocess.Popen(
                args, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "ADDRESS": self.address, "DOCKER_HOST": ""},
                start_new_session=True)
        while self._process.poll() is None and time.monotonic() < end:
            try:
                self.get("/_ping")
                return True
            except (OSError, EngineError):
                time.sleep(0.1)
        return False

    def close(self):
        if self._process is not None and self._process.poll() is None:
            # The child of unshare is pid 1 of the namespace: ending it ends all in it.
            for child in self._children():
                _kill(child, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                for child in self._children():
                    _kill(child, signal.SIGKILL)
                self._process.kill()
                self._process.wait(20)
        self._process = None
        _remove_cgroups(self.cgroup)
        shutil.rmtree(self.root, ignore_errors=True)

    def _children(self):
        path = f"/proc/{self._process.pid}/task/{self._process.pid}/children"
        try:
            with open(path) as f:
                return [int(word) for word in f.read().split()]
        except OSError:
            return []

    # --- inside: the engine has pids and mounts of its own
    def inside(self, *command, check=True):
        return run(["nsenter", "--target", str(self._children()[0]), "--pid", "--mount", "--",
                    *command], check=check)

    def stop_daemon(self):
        """SIGTERM to dockerd alone, as systemd sends it. All that the engine started ends when it
        has; wait_daemon() waits for that."""
        with open(os.path.join(self.root, "dockerd.pid")) as f:
            self.inside("kill", "-TERM", f.read().strip())

    def wait_daemon(self, deadline_s=60):
        self._process.wait(deadline_s)

    def log(self):
        try:
            with open(self.log_path) as f:
                return f.read()
        except OSError:
            return ""

    # --- the API
    def request(self, method, path, body=None, timeout=30):
        connection = _UnixConnection(self.socket, timeout)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        try:
            value = json.loads(text) if text else None
        except ValueError:
            value = text
        if answer.status >= 400:
            raise ApiError(answer.status, value.get("message") if isinstance(value, dict) else text)
        return value

    def get(self, path, filters=None):
        if filters:
            path += "?" + urllib.parse.urlencode({"filters": json.dumps(filters)})
        return self.request("GET", path)

    def swarm_init(self):
        return self.request("POST", "/swarm/init", {
            "ListenAddr": f"{self.address}:2377", "AdvertiseAddr": self.address})

    # --- the docker command line against this engine
    def docker(self, *args, check=True, env=None, cwd=None, timeout=120):
        return run([DOCKER, "--host", self.host, *args], check=check, cwd=cwd, timeout=timeout,
                   env={"DOCKER_CONFIG": os.path.join(self.root, "docker-config"),
                        **(env or {})})


def run(command, check=True, env=None, cwd=None, timeout=120):
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=cwd,
                            stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    if check and result.returncode != 0:
        raise EngineError(f"{' '.join(command)} ended with {result.returncode}:\n"
                          f"{result.stdout}{result.stderr}")
    return result


def _kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _remove_cgroups(path):
    """Empty groups of ours, and those of engines whose tests were killed; v1 has one tree a controller,
    v2 one tree."""
    base = "/sys/fs/cgroup"
    try:
        trees = [base] + [os.path.join(base, entry) for entry in os.listdir(base)]
    except OSError:
        return
    for tree in trees:
        top = tree + path
        parent = os.path.dirname(top)  # /hive-e2e, which goes with the last
        if not os.path.isdir(parent):
            continue
        gone = [os.path.join(parent, name) for name in os.listdir(parent)
                if name.startswith("hive-e2e-") and not os.path.isdir(os.path.join("/var/tmp", name))]
        for group in {top, *gone}:
            for folder, _, _ in os.walk(group, topdown=False):
                _remove_group(folder)
        try:
            os.rmdir(parent)
        except OSError:
            pass


def _remove_group(folder):
    """A group is busy for a moment after its last process has gone."""
    for _ in range(20):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
