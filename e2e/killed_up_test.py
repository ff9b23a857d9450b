"""`hive up` killed at any moment and run again converges; `hive down` takes away all of it, whatever
is dead. The moments come from a seed: HIVE_TEST_SEED, printed when a test fails."""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import Cluster, HIVE, STATE, command, eventually, processes_of  # noqa: E402

NAME = "killtest"
PORTS = {8080: 22480, 5000: 22485}
SEED = int(os.environ.get("HIVE_TEST_SEED", "1"))


@pytest.fixture
def cluster(tmp_path):
    with Cluster(NAME, PORTS, tmp_path) as cluster:
        yield cluster


def killed_up(cluster, seconds):
    """`hive up`, and kill -9 after that time. True when it was still at work."""
    process = subprocess.Popen([HIVE, "up", "-f", cluster.file], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def converges(cluster):
    cluster.up()
    nodes = cluster.nodes()
    assert sorted(nodes) == sorted([f"{NAME}-manager-{n}" for n in (1, 2, 3)] +
                                   [f"{NAME}-worker-{n}" for n in (1, 2)])
    assert all(node["status"] == "ready" for node in nodes.values())
    assert [task["state"] for task in cluster.tasks()] == ["running"] * 3
    assert eventually(lambda: len(cluster.hosts()) == 3)
    assert len(cluster.json("lb", "ls")["targets"]) == 5
    again = cluster.up().stdout
    assert "nothing changed" in again, again


def kill_server(cluster):
    pids = [pid for pid, line in processes_of(NAME).items() if " cloud-server " in f"{line} "]
    assert len(pids) == 1
    os.kill(pids[0], signal.SIGKILL)


def kill_instances(cluster):
    """Pid 1 of each instance: all in its namespace dies with it."""
    pids = [record["pid"] for record in cluster.instances().values()]
    assert len(pids) == 5
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def kill_engines(cluster):
    """Engines and their containerd: the containers are nobody's."""
    for pid, line in processes_of(NAME).items():
        if line.startswith("/usr/sbin/dockerd") or line.startswith("containerd "):
            with contextlib.suppress(ProcessLookupError):  # a containerd ends with its dockerd
                os.kill(pid, signal.SIGKILL)
    assert any("java" in line for line in processes_of(NAME).values())


# Ten moments over the time that `up` takes here; each round begins with nothing.
@pytest.mark.parametrize("count,then", [(4, kill_server), (3, kill_instances), (3, kill_engines)],
                         ids=["server_dead", "instances_dead", "engines_dead"])
def test_killed_and_run_again(cluster, count, then):
    chance = random.Random(f"{SEED} {then.__name__}")
    # Of increasing length, since each goes on where the one before was killed.
    moments = sorted(chance.uniform(0.05, 9) for _ in range(count))
    print("seed", SEED, "moments", moments)
    killed = [killed_up(cluster, seconds) for seconds in moments]
    assert killed[0]
    converges(cluster)
    then(cluster)
    # The fixture's `down` must leave nothing.


def test_killed_and_taken_down(tmp_path):
    """`down` in the middle of things, from several moments of `up`."""
    chance = random.Random(f"{SEED} down")
    for _ in range(3):
        with Cluster(NAME, PORTS, tmp_path) as cluster:
            assert killed_up(cluster, chance.uniform(0.05, 6))


def test_down_without_state_files(cluster):
    """Things are known by their marks: no file is needed to find them."""
    cluster.up("--detach")
    for path in (STATE / NAME).glob("*.json"):
        path.unlink()
    for path in (STATE / NAME).glob("instances/*/*.json"):
        path.write_text("garbage")


def test_down_twice_and_for_nothing():
    said = command("--cluster", NAME, "down", "--yes")
    assert "nothing of cluster" in said.stdout
    assert command("--cluster", "No_Name", "down", "--yes", check=False).returncode == 2


def test_down_leaves_others_alone(tmp_path):
    """A process of somebody else in the state directory's shadow, a link and a rule of a like name."""
    stranger = subprocess.Popen(["sleep", "300"], cwd=tmp_path,
                                env={"HIVE_LOCAL_CLOUD": "/var/lib/hive/other"})
    subprocess.run(["ip", "link", "add", "hivebr250", "type", "bridge"], check=True)
    try:
        with Cluster(NAME, PORTS, tmp_path) as cluster:
            killed_up(cluster, 2)
            cluster.down()
            assert stranger.poll() is None
            assert "hivebr250" in subprocess.run(["ip", "link"], capture_output=True,
                                                 text=True).stdout
    finally:
        stranger.kill()
        stranger.wait()
        subprocess.run(["ip", "link", "del", "hivebr250"], check=True)
