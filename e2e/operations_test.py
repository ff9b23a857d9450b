"""Operations on a real cluster: whatever goes away, no request fails. One cluster, under load.

The tests build on each other's end state only in that each leaves the service with its replicas,
and every node active.
"""
import json
import sys
import pathlib
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import Cluster, eventually, example  # noqa: E402

NAME = "opst"
PORTS = {8080: 21080, 5000: 21500}
REPLICAS = 3
SLOW = "/slow?ms=1500"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    text = example(NAME, PORTS).replace("  cloud: local", "  cloud: local\n  rebalance: false")
    with Cluster(NAME, PORTS, tmp_path_factory.mktemp(NAME), text) as cluster:
        cluster.up()
        yield cluster


class Lowest:
    """The fewest tasks of the service that Swarm called running, looked at all the time."""

    def __init__(self, cluster):
        self.cluster, self.seen = cluster, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.is_set():
            self.seen.append(len(running(self.cluster)))
            self._stop.wait(0.2)


def running(cluster, service="hive-server"):
    return [task for task in cluster.json("service", "ps", service)
            if task["state"] == "running" and task["desired_state"] == "running"]


def nodes_of(cluster):
    return {task["node"] for task in running(cluster)}


def settled(cluster, replicas=REPLICAS):
    assert eventually(lambda: len(running(cluster)) == replicas
                      and len(cluster.tasks()) == replicas, 90), cluster.hive(
                          "service", "ps", "hive-server")


def give_a_task_to(cluster, node):
    """Swarm gives a new task to a node that has the fewest. Returns how many replicas there are."""
    for replicas in range(5, 8):
        cluster.hive("service", "scale", f"hive-server={replicas}")
        settled(cluster, replicas)
        if node in nodes_of(cluster):
            return replicas
    raise AssertionError(f"{node} gets no task")


def said(cluster, kind):
    lines = cluster.run("events", "--format", "json").stdout.splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def no_failures(load):
    assert sum(load.answers.values()) > 10
    assert load.failures == []


def test_scale_in_takes_the_chosen_task_and_loses_nothing(cluster):
    cluster.hive("service", "scale", "hive-server=4")
    settled(cluster, 4)
    before = {task["id"]: task for task in running(cluster)}
    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow:
        time.sleep(1)
        told = cluster.hive("service", "scale", f"hive-server={REPLICAS}")
        time.sleep(1)
    no_failures(load)
    no_failures(slow)
    assert "scaled from 4 to 3" in told
    after = {task["id"] for task in running(cluster)}
    assert len(after) == REPLICAS and after < set(before), "those that stay are the same ones"
    gone = next(before[task] for task in before if task not in after)
    chosen = [event["reason"] for event in said(cluster, "scale") if event["reason"].startswith("chose")]
    assert gone["name"] in chosen[-1] and gone["node"] in chosen[-1], chosen
    # One line for the stop: its record.
    assert eventually(lambda: of_task(cluster, gone["name"], "task_stopped"))
    assert "scale-in" in of_task(cluster, gone["name"], "task_stopped")[-1]["reason"]
    assert "asked for by root" in of_task(cluster, gone["name"], "task_stopped")[-1]["reason"]
    time.sleep(4)  # Swarm's word of the same end would be told by now
    assert of_task(cluster, gone["name"], "task_failed", "task_ended") == []


def of_task(cluster, name, *kinds):
    return [event for kind in kinds for event in said(cluster, kind) if name in event["subject"]]


def test_scale_by_several_and_back(cluster):
    with cluster.load(per_second=20) as load:
        cluster.hive("service", "scale", "hive-server=6")
        settled(cluster, 6)
        kept = {task["id"] for task in running(cluster)}
        cluster.hive("service", "scale", f"hive-server={REPLICAS}")
    no_failures(load)
    settled(cluster)
    assert {task["id"] for task in running(cluster)} < kept


def test_scale_detached_and_out_of_bounds(cluster):
    assert cluster.hive("service", "scale", "-d", "hive-server=4") == "hive-server scaled to 4\n"
    settled(cluster, 4)
    late = cluster.run("service", "scale", "--timeout", "1s", "hive-server=6", check=False)
    assert late.returncode == 3 and "it goes on" in late.stderr
    cluster.hive("service", "scale", f"hive-server={REPLICAS}")
    settled(cluster)


def test_task_stop_keeps_the_capacity(cluster):
    task = running(cluster)[0]
    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow, \
            Lowest(cluster) as lowest:
        cluster.hive("task", "stop", task["id"])
    no_failures(load)
    no_failures(slow)
    assert min(lowest.seen) >= REPLICAS
    settled(cluster)
    assert task["id"] not in {one["id"] for one in running(cluster)}
    # Swarm calls it failed, with exit code 143; it was told to end.
    shown = next((one for one in cluster.json("service", "ps", "hive-server")
                  if one["id"] == task["id"]), None)
    if shown and shown["state"] == "failed":  # Swarm may have removed the slot already
        assert "task stop" in shown["stopped"]["by"]
    assert "non-zero exit (143)" not in cluster.hive("service", "ps", "--no-trunc", "hive-server")


def test_task_stop_by_name_and_of_nothing(cluster):
    task = running(cluster)[-1]
    cluster.hive("task", "stop", "--force", task["name"])
    assert eventually(lambda: task["id"] not in {one["id"] for one in cluster.tasks()})
    settled(cluster)
    missing = cluster.run("task", "stop", "hive-server.99", check=False)
    assert missing.returncode == 4 and "there is no running task" in missing.stderr


def test_drain_surges_and_activate_brings_back(cluster):
    node = next(iter(nodes_of(cluster)))
    instance = cluster.instances()[node]["id"]

    def targets():
        return {target["instance"]: target["health"] for target in cluster.json("lb", "ls")["targets"]}

    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow, \
            Lowest(cluster) as lowest:
        told = cluster.hive("node", "drain", node)
        assert node not in nodes_of(cluster)
        assert instance not in targets()
        assert "drained: moved" in told
        began = time.monotonic()
        cluster.hive("node", "drain", node)
        assert time.monotonic() - began < 5, "what is drained is drained at once"
        cluster.hive("node", "activate", node)
    no_failures(load)
    no_failures(slow)
    assert min(lowest.seen) >= REPLICAS
    assert cluster.nodes()[node]["availability"] == "active"
    assert eventually(lambda: targets().get(instance) == "in-service")
    settled(cluster)


def test_a_drain_that_somebody_else_orders_surges_too(cluster):
    node = next(iter(nodes_of(cluster)))
    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow:
        cluster.hive("node", "update", "--availability", "drain", node)
        assert eventually(lambda: node not in nodes_of(cluster) and len(running(cluster)) == 3, 90)
        time.sleep(2)
    no_failures(load)
    no_failures(slow)
    settled(cluster)
    cluster.hive("node", "activate", node)


def test_a_stop_first_service_never_has_two(cluster):
    image = running(cluster)[0]["image"].split("@")[0]
    cluster.hive("service", "create", "--name", "single", "--update-order", "stop-first", image)
    try:
        assert eventually(lambda: len(running(cluster, "single")) == 1)
        node = running(cluster, "single")[0]["node"]
        seen, stop = [], threading.Event()

        def watch():
            while not stop.is_set():
                seen.append(sum(task["state"] in ("running", "starting")
                                for task in cluster.json("service", "ps", "single")))
        thread = threading.Thread(target=watch)
        thread.start()
        try:
            cluster.hive("node", "drain", node)
            assert eventually(lambda: len(running(cluster, "single")) == 1)
            other = running(cluster, "single")[0]["node"]
            assert other != node
            # Nor when somebody else drains the node.
            cluster.hive("node", "update", "--availability", "drain", other)
            assert eventually(lambda: len(running(cluster, "single")) == 1
                              and running(cluster, "single")[0]["node"] != other, 90)
        finally:
            stop.set()
            thread.join()
        assert max(seen) == 1
        cluster.hive("node", "activate", node, other)
    finally:
        cluster.hive("service", "rm", "single")


def test_quorum_is_kept(cluster):
    managers = [name for name, node in cluster.nodes().items() if node["role"] == "manager"]
    cluster.kill_engine(managers[-1]) if managers[-1] != cluster.leader() else \
        cluster.kill_engine(managers[0])
    dead = managers[-1] if managers[-1] != cluster.leader() else managers[0]
    assert eventually(lambda: cluster.nodes()[dead]["status"] == "down", 60)
    alive = next(name for name in managers if name not in (dead, cluster.leader()))
    refused = cluster.run("node", "rm", alive, check=False)
    assert refused.returncode == 1 and "Swarm needs" in refused.stderr
    cluster.up()
    assert eventually(lambda: cluster.nodes()[dead]["status"] == "ready", 90)


def test_a_live_node_that_is_removed_loses_nothing(cluster):
    name = f"{NAME}-worker-2"
    replicas = give_a_task_to(cluster, name)
    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow:
        cluster.hive("node", "rm", name)
        assert name not in cluster.nodes()
    no_failures(load)
    no_failures(slow)
    settled(cluster, replicas)
    # Its machine is still there and is not taken for a dead one's; it goes the same way.
    assert name in cluster.instances()
    cluster.hive("instance", "terminate", name)
    cluster.up()
    assert eventually(lambda: cluster.nodes().get(name, {}).get("status") == "ready", 60)


def test_terminate_loses_nothing(cluster):
    name = f"{NAME}-worker-1"
    replicas = give_a_task_to(cluster, name)
    with cluster.load(per_second=20) as load, cluster.load(path=SLOW, per_second=5) as slow:
        cluster.hive("instance", "terminate", name)
    no_failures(load)
    no_failures(slow)
    assert name not in cluster.nodes() and name not in cluster.instances()
    settled(cluster, replicas)


def test_an_instance_may_end_as_soon_as_it_is_there(cluster):
    name = f"{NAME}-worker-1"
    cluster.up()  # launches it again
    cluster.hive("instance", "terminate", name)
    assert name not in cluster.nodes() and name not in cluster.instances()


def test_a_node_that_joins_gets_its_share(cluster):
    cluster.hive("service", "scale", "hive-server=6")
    settled(cluster, 6)
    cluster.file.write_text(cluster.file.read_text().replace("rebalance: false", "rebalance: true")
                            .replace("replicas: 3", "replicas: 6"))

    def most_and_least():
        names = [task["node"] for task in running(cluster)]
        counts = [names.count(node) for node in cluster.nodes()]
        return max(counts) - min(counts)

    with cluster.load(per_second=20) as load, Lowest(cluster) as lowest:
        cluster.up()
        assert eventually(lambda: len(cluster.nodes()) == 5 and most_and_least() <= 1, 150)
    no_failures(load)
    assert min(lowest.seen) >= 6
