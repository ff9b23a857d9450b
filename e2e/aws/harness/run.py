"""The harness as a process of its own, for one test or one file of tests; nothing of it is left behind,
also of a run that was killed."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from .control import Control
from .paths import Paths

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
HIVE = os.environ.get("HIVE_BIN", str(ROOT / "build/release/bin/hive"))
STATE = pathlib.Path(os.environ.setdefault("HIVE_STATE_DIR", "/var/tmp/hive-test/lib"))
RUN = pathlib.Path(os.environ.setdefault("HIVE_RUN_DIR", "/var/tmp/hive-test/run"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def traces(name):
    """What there is on this machine that bears a harness's marks."""
    paths = Paths(name, make=False)
    links = [link for link in pathlib.Path("/sys/class/net").iterdir()
             if (link / "address").read_text().strip() == paths.link_mark]
    rules = subprocess.run(["iptables", "-w", "-S", "FORWARD"], capture_output=True, text=True).stdout
    groups = [root for root in pathlib.Path("/sys/fs/cgroup").glob(f"*/{paths.cgroup}")]
    return {"links": links, "rules": paths.rule_mark in rules, "groups": groups,
            "folders": [path for path in (paths.state, paths.run) if path.exists()]}


class Harness(Control):
    """with Harness("awstest") as aws: ...

    The name is a cluster's of this machine: what a killed run left under it goes first. `machines`:
    instances are real, and the balancers listen; needs root. `cloud_init`: their user data is run by
    Debian's own cloud-init, which takes some seconds more a boot. `stock`: the root of an image that has
    Debian's own, and nothing of hive."""

    def __init__(self, name, port=None, machines=False, cloud_init=False, region="eu-central-1", stock=None):
        port = port or free_port()
        super().__init__(f"http://127.0.0.1:{port}", region)
        self.name, self._port = name, port
        self._more = ["--machines"] * machines + ["--cloud-init"] * cloud_init
        self._more += ["--stock", stock] if stock else []
        self._log = tempfile.NamedTemporaryFile(prefix=f"hive-aws-{name}-", suffix=".log")
        self._process = None

    def __enter__(self):
        self.clean()  # what a killed run left
        words = [sys.executable, "-m", "harness", "--name", self.name, "--port", str(self._port),
                 "--region", self.region, *self._more]
        # The mark by which `hive down` knows what belongs to a cluster of this machine.
        self._process = subprocess.Popen(
            words, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=self._log,
            env={**os.environ, "HIVE_LOCAL_CLOUD": str(STATE / self.name), "HIVE_BIN": HIVE})
        if self._process.stdout.readline().strip() != b"ready":
            said = self.log()
            self.close()
            raise AssertionError(f"the harness does not start:\n{said}")
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.clean()

    def clean(self):
        """All that bears the mark of this name, whoever left it."""
        done = subprocess.run([HIVE, "--cluster", self.name, "down", "--yes"], timeout=180,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def eventually(self, condition, seconds=60):
        try:
            return super().eventually(condition, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-3000:]}") from error

    def log(self):
        return pathlib.Path(self._log.name).read_text(errors="replace")
