"""Workers that Swarm does not hear from, and calls down, while their tasks serve."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import Cluster, eventually, example  # noqa: E402

NAME = "cuttest"
PORTS = {8080: 22190, 5000: 22195}
REPLICAS = 2
SWARM = ("OUTPUT", "-p", "tcp", "--dport", "2377", "-j", "DROP")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    text = (example(NAME, PORTS).replace("managers: 3", "managers: 1")
            .replace("workers: {min: 2, max: 8}", "workers: {min: 2, max: 2}")
            .replace("replicas: 3", f"replicas: {REPLICAS}")
            .replace("    deploy:\n", "    deploy:\n      placement: {constraints: [node.role==worker]}\n"))
    with Cluster(NAME, PORTS, tmp_path_factory.mktemp(NAME), text) as cluster:
        cluster.up()
        yield cluster


def running(cluster):
    return {task["id"] for task in cluster.tasks() if task["state"] == "running"}


def to_swarm(cluster, worker, verb):
    """The way to the managers' dispatcher: "-I" closes it, "-D" opens it again."""
    subprocess.run(["nsenter", "--target", str(cluster.pid("dockerd", worker)), "--net", "iptables", "-w",
                    verb, *SWARM], check=True)


def test_tasks_serve_on_that_swarm_takes_for_lost(cluster):
    workers = [name for name, node in cluster.nodes().items() if node["role"] == "worker"]
    before = running(cluster)
    assert len(before) == REPLICAS
    with cluster.load() as load:
        for worker in workers:
            to_swarm(cluster, worker, "-I")
        assert eventually(lambda: {cluster.nodes()[one]["status"] for one in workers} == {"down"}, 120)
        # Swarm plans others, and has no node for them.
        assert eventually(lambda: running(cluster) == set())
        answers = load.answers[200]
        assert eventually(lambda: load.answers[200] + len(load.failures) > answers + 100)
        assert load.failures == [], load.failures[:20]
        # Heard again, they are told to stop the old ones, at the moment at which they may start others.
        for worker in workers:
            to_swarm(cluster, worker, "-D")
        assert eventually(lambda: len(running(cluster)) == REPLICAS), cluster.hive("events")[-4000:]
        old = [f"task_stopped {NAME}_hive-server.{slot}: swarm;" for slot in (1, 2)]
        assert eventually(lambda: all(cluster.hive("events").count(line) == 1 for line in old)), (
            cluster.hive("events")[-4000:])
        answers = load.answers[200]
        assert eventually(lambda: load.answers[200] > answers + 40)
    assert running(cluster).isdisjoint(before)
    assert load.failures == [], (load.failures[:20], cluster.hive("events")[-4000:])
