"""The two clusters that benches compare: hive's on the local cloud, and a plain Docker Swarm."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from lib.report import HIVE, ROOT

PLAIN = ROOT / "bench/lib/plain_swarm.sh"
DOCKER = "/usr/bin/docker"


def image(version="1.0"):
    return ROOT / f"build/images/hive-tomcat-{version}.tar"


class HiveCluster:
    """The example's cluster under a name and ports of its own, apart from the user's clusters."""

    def __init__(self, name, port, dashboard_port, edit=lambda text: text):
        self.name, self.port = name, port
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hvb-", dir="/var/tmp"))
        self.env = {**os.environ, "HIVE_STATE_DIR": str(self.dir / "lib"),
                    "HIVE_RUN_DIR": str(self.dir / "run")}
        text = (ROOT / "examples/tomcat/hive.yml").read_text(encoding="utf-8")
        text = text.replace("name: shop", f"name: {name}").replace("../../build", f"{ROOT}/build")
        text = text.replace('"80:8080", "5000:5000"', f'"{port}:8080", "{dashboard_port}:5000"')
        self.file = self.dir / "hive.yml"
        self.file.write_text(edit(text), encoding="utf-8")

    def run(self, *args, check=True, timeout=600):
        # A session of its own: a signal to the bench's group must not end what clears up.
        done = subprocess.run([HIVE, *args], capture_output=True, text=True, env=self.env,
                              stdin=subprocess.DEVNULL, timeout=timeout, start_new_session=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"hive {' '.join(args)}:\n{done.stdout}{done.stderr}")
        return done

    def hive(self, *args, **options):
        return self.run("--cluster", self.name, *args, **options)

    def json(self, *args):
        return json.loads(self.hive(*args, "--format", "json").stdout)

    def up(self):
        return self.run("up", "-f", str(self.file)).stdout

    def down(self):
        """Whatever became of `up`: a failure that it left behind is worth the bench's failure."""
        self.run("down", "--yes", "-f", str(self.file))

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class PlainSwarm:
    """Engines, registry and swarm by plain_swarm.sh; operations with the docker command line."""

    def __init__(self, network):
        self.network = network
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hvp-", dir="/var/tmp"))

    def _script(self, verb, *args):
        subprocess.run([str(PLAIN), verb, str(self.dir), self.network, *args], check=True,
                       stdin=subprocess.DEVNULL, timeout=300, start_new_session=True)

    def up(self, *versions):
        self._script("up", *(word for version in versions
                             for word in (str(image(version)), f"hive-tomcat:{version}")))

    def keep_registry(self, directory):
        """Copies what the registry holds, for a later cluster's start."""
        shutil.copytree(self.dir / "registry/data", directory)

    def start_with_registry(self, directory):
        """Before up(): the registry will hold that from its start, nothing needs to be pushed."""
        (self.dir / "registry").mkdir(parents=True)
        shutil.copytree(directory, self.dir / "registry/data", copy_function=os.link)

    def serve(self, version="1.0"):
        self._script("serve", f"hive-tomcat:{version}")

    def terminate(self, node):
        self._script("terminate", node)

    def launch(self, node):
        self._script("launch", node)

    def down(self):
        self._script("down")

    def docker(self, *args, node="m1", check=True, timeout=600):
        done = subprocess.run(
            [DOCKER, "--host", f"unix://{self.dir}/{node}/docker.sock", *args], timeout=timeout,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "DOCKER_CONFIG": f"{self.dir}/docker-config"})
        if check and done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(args)}:\n{done.stdout}{done.stderr}")
        return done.stdout


def timed(action):
    begin = time.monotonic()
    result = action()
    return time.monotonic() - begin, result
