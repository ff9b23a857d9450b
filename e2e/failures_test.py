"""What hive does when parts of a cluster die: engines, machines, the leader. One cluster for all."""
import json
import pathlib
import sys
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import Cluster, eventually, example  # noqa: E402

NAME = "failtest"
PORTS = {8080: 22180, 5000: 22185}
REPLICAS = 4  # on five nodes: one worker has a task at least


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    text = example(NAME, PORTS).replace("replicas: 3", f"replicas: {REPLICAS}")
    with Cluster(NAME, PORTS, tmp_path_factory.mktemp(NAME), text) as cluster:
        cluster.up()
        yield cluster


def whole(cluster):
    """All nodes ready, all tasks running, all edges serving."""
    return (all(node["status"] == "ready" for node in cluster.nodes().values())
            and serves(cluster, REPLICAS) and cluster.serving_edges() == set(cluster.nodes()))


def serves(cluster, replicas, without=None):
    tasks = [task for task in cluster.tasks() if task["state"] == "running"]
    return len(tasks) == replicas and without not in {task["node"] for task in tasks}


def routed_nodes(cluster, manager):
    """Nodes whose tasks an edge is told of, by this manager's controller."""
    table = cluster.controller(manager, "/v1/routing")
    names = {node["id"]: name for name, node in cluster.nodes().items()}
    return {names[endpoint["node_id"]] for backend in table["backends"]
            if backend["name"].endswith("hive-server") for endpoint in backend["endpoints"]}


def active_controllers(cluster):
    managers = [name for name in cluster.instances() if "-manager-" in name]
    return [name for name in managers if (cluster.controller(name) or {}).get("active")]


def repaired(cluster):
    """`hive up` finds what is dead and brings it back."""
    done = cluster.up()
    assert eventually(lambda: whole(cluster), 120), (
        cluster.hive("node", "ls"), cluster.hive("service", "ps", "hive-server"),
        cluster.serving_edges(), cluster.hive("events")[-4000:])
    return done.stdout


def a_worker_with_a_task(cluster):
    return next(task["node"] for task in cluster.tasks() if "-worker-" in task["node"])


def test_a_workers_engine_is_killed(cluster):
    victim = a_worker_with_a_task(cluster)
    with cluster.load() as load:
        cluster.kill_engine(victim)
        assert eventually(lambda: cluster.nodes()[victim]["status"] == "down")
        assert eventually(lambda: serves(cluster, REPLICAS, without=victim))
        leader = cluster.leader()
        assert eventually(lambda: victim not in routed_nodes(cluster, leader))
        # The edge beside the dead engine serves on, with the tables of the controller.
        assert eventually(lambda: cluster.serving_edges() == set(cluster.nodes()))
    assert load.failures == [] and load.answers[200] > 0
    assert f"node {victim} is down" in cluster.hive("doctor", check=False)


def test_a_worker_loses_power_too(cluster):
    dead = [name for name, node in cluster.nodes().items() if node["status"] == "down"]
    victim = a_worker_with_a_task(cluster)
    with cluster.load() as load:
        cluster.hive("instance", "kill", victim)
        assert eventually(lambda: cluster.nodes()[victim]["status"] == "down")
        assert eventually(lambda: serves(cluster, REPLICAS, without=victim))
    # What was on that machine is gone with it; the others answer.
    assert load.answers[200] > 10 * len(load.failures), load.answers
    with cluster.load() as load:
        assert eventually(lambda: len(cluster.hosts(60)) == REPLICAS)
    assert load.failures == []
    said = repaired(cluster)
    assert f"instance {victim} started" in said
    assert f"instance {dead[0]} restarted, since its engine did not answer" in said


def test_a_machine_that_is_gone_loses_its_node_and_is_replaced(cluster):
    victim = next(name for name in cluster.nodes() if "-worker-" in name)
    ids = {node["id"] for node in cluster.nodes().values()}
    gone = cluster.nodes()[victim]["id"]
    cluster.hive("instance", "terminate", "--force", victim)  # the cloud's word alone: no operation
    assert eventually(lambda: gone not in {node["id"] for node in cluster.nodes().values()}, 180)
    assert eventually(lambda: "it was down and its instance is gone" in cluster.hive("events"))
    # x-hive.workers.min says that there are to be two.
    assert eventually(lambda: len(cluster.nodes()) == len(ids) and whole(cluster), 180), (
        cluster.hive("node", "ls"), cluster.hive("events")[-4000:])


def test_the_leaders_engine_is_killed(cluster):
    old = cluster.leader()
    assert active_controllers(cluster) == [old]
    with cluster.load() as load:
        cluster.kill_engine(old)
        # No pause: a command waits for the next leader by itself.
        cluster.hive("service", "scale", "--detach", f"hive-server={REPLICAS + 1}")
        leader = cluster.leader()
        assert leader != old
        assert eventually(lambda: active_controllers(cluster) == [leader])
        assert eventually(lambda: len(cluster.hosts(60)) == REPLICAS + 1)
        assert eventually(lambda: cluster.serving_edges() == set(cluster.nodes()))
    assert load.failures == []
    # Nothing twice: one scale in the service's history, one task more.
    assert len(cluster.tasks()) == REPLICAS + 1
    kinds = [json.loads(line)["kind"]
             for line in cluster.hive("events", "--format", "json").splitlines()]
    assert kinds.count("controller_active") == 1
    assert kinds.count("service_scaled") == 1
    cluster.hive("service", "scale", f"hive-server={REPLICAS}")
    assert "restarted, since its engine did not answer" in repaired(cluster)
    assert active_controllers(cluster) == [cluster.leader()]


def test_the_dashboard_follows_the_leader(cluster):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORTS[5000]}/v1/status", timeout=10) as answer:
        status = json.loads(answer.read())
    assert status["active"]
    assert set(status["agents"]) == {node["id"] for node in cluster.nodes().values()}


def test_a_dead_controller_and_a_dead_agent_come_back(cluster):
    leader = cluster.leader()
    cluster.kill("controller", leader)
    cluster.kill("agent", leader)
    with cluster.load() as load:
        assert eventually(lambda: active_controllers(cluster) == [leader])
        ids = {node["id"] for node in cluster.nodes().values()}
        assert eventually(lambda: set(cluster.controller(leader)["agents"]) == ids)
    assert load.failures == []


def test_a_manager_whose_machine_is_gone_is_replaced(cluster):
    leader = cluster.leader()
    victim = next(name for name in cluster.instances() if "-manager-" in name and name != leader)
    node, machine = cluster.nodes()[victim]["id"], cluster.instances()[victim]["id"]
    with cluster.load() as load:
        cluster.hive("instance", "terminate", "--force", victim)  # the cloud's word alone: no operation
        assert eventually(lambda: cluster.nodes().get(victim, {}).get("id", node) != node, 300), (
            cluster.hive("node", "ls"), cluster.hive("events")[-4000:])
        assert eventually(lambda: whole(cluster), 60), cluster.hive("events")[-4000:]
    assert cluster.nodes()[victim]["role"] == "manager"
    assert cluster.instances()[victim]["id"] != machine
    assert len(cluster.nodes()) == 5, (cluster.hive("node", "ls"), cluster.hive("events")[-6000:])
    assert eventually(lambda: "manager_replace_succeeded" in cluster.hive("events"))
    assert load.answers[200] > 10 * len(load.failures), load.answers


def test_no_quorum_is_said_and_repaired(cluster):
    leader = cluster.leader()
    other = next(name for name in cluster.instances() if "-manager-" in name and name != leader)
    cluster.hive("instance", "kill", leader, other)
    with cluster.load() as load:
        refused = cluster.run("service", "scale", f"hive-server={REPLICAS}", check=False)
    assert refused.returncode == 5
    assert "no leader" in refused.stderr and "'hive up'" in refused.stderr
    assert load.answers[200] > 0  # the application serves on
    assert "started" in repaired(cluster)
