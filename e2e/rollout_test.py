"""New versions of a service on a real cluster: good ones, bad ones, canaries, the way back, and a
controller that dies in the middle. The tests share a cluster and go on from each other's state: each
begins by bringing the service to where it needs it.
"""
import json
import subprocess
import threading
import time

import pytest

from lib.cluster import Cluster, eventually, example
from lib.image import make_image, server_command

PORTS = {8080: 22080, 5000: 22500}
SERVICE = "hive-server"
IMAGE = "registry.hive:5001/hive-tomcat"
BAD = {"dead": ["/bin/nothing-there"],            # cannot start
       "sick": ["/bin/sleep", "3600"],            # its health check never succeeds
       "errors": server_command("500 Broken"),   # healthy, and every answer is an error
       "slow": server_command("200 OK", 1)}      # healthy, and every answer takes a second


def text(folder):
    """The example, with the bad images in its registry and a health check that is soon done."""
    compose = example("rollt", PORTS)
    images = "".join(f"\n      hive-tomcat:{tag}: {make_image(folder, f'hive-tomcat:{tag}', command)}"
                     for tag, command in BAD.items())
    anchor = "    images:"
    assert anchor in compose and "start_period: 20s" in compose and "replicas: 3" in compose
    return (compose.replace(anchor, anchor + images)
            .replace("start_period: 20s", "start_period: 8s").replace("interval: 2s", "interval: 1s")
            .replace("replicas: 3", "replicas: 2"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rollt")
    with Cluster("rollt", PORTS, folder, text(folder)) as cluster:
        cluster.up()
        yield cluster


def update(cluster, tag, *options, check=True):
    return cluster.run("service", "update", *options, "--image", f"{IMAGE}:{tag}", SERVICE,
                       check=check)


def history(cluster):
    """Newest first."""
    return cluster.json("service", "history", SERVICE)


def versions(cluster, requests=30):
    return {cluster.get().split()[2] for _ in range(requests)}


def running(cluster, service=SERVICE):
    return {task["id"]: task for task in cluster.tasks(service) if task["state"] == "running"}


def begin_at(cluster, tag, replicas=2):
    """The service on this version, with so many tasks."""
    if f":{tag}@" not in cluster.json("service", "ls")[0]["image"]:
        update(cluster, tag)
    if len(running(cluster)) != replicas:
        cluster.hive("service", "scale", f"{SERVICE}={replicas}")
    assert eventually(lambda: len(running(cluster)) == replicas, 60)


def test_a_good_version_serves_and_no_request_is_lost(cluster):
    with cluster.load() as load:
        time.sleep(1)
        done = update(cluster, "1.1")
        assert versions(cluster) == {"1.1"}, "success was told before the new version served alone"
        time.sleep(1)
    assert load.failures == []
    assert "serve" in done.stdout
    newest = history(cluster)[0]
    assert newest["current"] and newest["outcome"] == "succeeded"
    assert f"{IMAGE}:1.1@sha256:" in newest["image"]
    assert "--image" in newest["why"] and newest["by"].startswith("root")


@pytest.mark.parametrize("tag, said", [("9.9", "9.9"), ("dead", "(127)"),
                                       ("sick", "unhealthy")])
def test_a_version_that_cannot_serve_is_taken_back_with_nothing_lost(cluster, tag, said):
    begin_at(cluster, "1.1")
    before = set(running(cluster))
    with cluster.load() as load:
        done = update(cluster, tag, check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "undone" in done.stderr and said in done.stderr
        assert versions(cluster) == {"1.1"}
    assert load.failures == []
    assert set(running(cluster)) == before, "an old task had to go"
    assert history(cluster)[0]["outcome"] == "undone"
    assert [f":{tag}" in one["image"] for one in history(cluster) if one["current"]] == [False]


def test_a_version_that_answers_errors_is_taken_back(cluster):
    begin_at(cluster, "1.1")
    with cluster.load(per_second=40):
        done = update(cluster, "errors", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "requests failed" in done.stderr
    with cluster.load() as load:
        time.sleep(2)
    assert load.failures == []
    assert len(running(cluster)) == 2


def test_a_rollback_is_of_the_version_not_of_the_number_of_tasks(cluster):
    begin_at(cluster, "1.0")
    begin_at(cluster, "1.1", replicas=3)
    with cluster.load() as load:
        cluster.hive("service", "rollback", SERVICE)
        assert versions(cluster) == {"1.0"}
    assert load.failures == []
    assert len(running(cluster)) == 3
    newest = history(cluster)[0]
    assert newest["why"].startswith("rollback to release")
    to = next(release["number"] for release in history(cluster)
              if f"{IMAGE}:1.1@" in release["image"])
    cluster.hive("service", "rollback", "--to", str(to), SERVICE)
    assert versions(cluster) == {"1.1"}
    refused = cluster.run("service", "rollback", "--to", "999", SERVICE, check=False)
    assert refused.returncode == 4 and "999" in refused.stderr


def test_a_canary_gets_its_share_and_then_the_rest_follows(cluster):
    begin_at(cluster, "1.1")
    old = set(running(cluster))
    with cluster.load(per_second=30) as load:
        updating = threading.Thread(
            target=update, args=(cluster, "1.0", "--canary", "12s", "--canary-weight", "30"))
        updating.start()
        assert eventually(lambda: "1.0" in versions(cluster, 10), 60), "the canary got no request"
        seen = [cluster.get().split()[2] for _ in range(100)]
        assert set(running(cluster)) == old, "more than the canary was replaced"
        assert len(running(cluster, f"rollt_{SERVICE}-canary")) == 1
        updating.join()
        assert versions(cluster) == {"1.0"}
    assert 12 <= seen.count("1.0") <= 52, seen.count("1.0")
    assert load.failures == []
    assert [service["name"] for service in cluster.json("service", "ls")] == [f"rollt_{SERVICE}"]


def test_a_bad_canary_is_taken_back_and_the_rest_was_never_touched(cluster):
    begin_at(cluster, "1.0")
    old = set(running(cluster))
    with cluster.load(per_second=30) as load:
        done = update(cluster, "errors", "--canary", "60s", check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "only the canary" in done.stderr
        time.sleep(1)
        failed = len(load.failures)
        time.sleep(2)
        assert len(load.failures) == failed, "it still gets requests"
    assert failed < 0.25 * sum(load.answers.values())
    assert set(running(cluster)) == old
    assert len(cluster.json("service", "ls")) == 1


def test_a_slow_canary_is_taken_back(cluster):
    begin_at(cluster, "1.0")
    with cluster.load(per_second=40) as load:
        done = update(cluster, "slow", "--canary", "90s", "--canary-weight", "50", check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "is slow" in done.stderr
    assert load.failures == []
    assert len(cluster.json("service", "ls")) == 1


def test_the_rollout_goes_on_when_its_controller_dies(cluster):
    begin_at(cluster, "1.0")
    with cluster.load() as load:
        update(cluster, "1.1", "--detach")
        for _ in range(3):
            time.sleep(3)
            cluster.kill("controller", cluster.leader())
        assert eventually(lambda: history(cluster)[0]["outcome"] == "succeeded", 90)
        assert versions(cluster) == {"1.1"}
    assert load.failures == []


def docker(cluster, *args):
    instances = {one["hostname"]: one for one in cluster.json("instance", "ls")}
    host = instances[cluster.leader()]["engine_host"]
    return subprocess.run(["docker", "-H", host, *args], capture_output=True, text=True, check=True)


def test_a_global_service_is_rolled_out_on_every_node_and_taken_back(cluster):
    nodes = {node["hostname"] for node in cluster.json("node", "ls")}
    cluster.hive("service", "create", "--with-registry-auth", "--mode", "global", "--name",
                 "everywhere", "--update-parallelism", "5", "--update-monitor", "2s",
                 "--health-cmd", "wget -q -O /dev/null http://127.0.0.1:8080/health",
                 "--health-interval", "1s", "--health-start-period", "20s", f"{IMAGE}:1.0")
    try:
        def versions_on():
            return {task["node"]: task["image"].split("@")[0].rsplit(":", 1)[1]
                    for task in running(cluster, "everywhere").values()}
        assert eventually(lambda: versions_on() == dict.fromkeys(nodes, "1.0"))
        cluster.hive("service", "update", "--image", f"{IMAGE}:1.1", "everywhere")
        assert versions_on() == dict.fromkeys(nodes, "1.1")
        refused = cluster.run("service", "update", "--canary", "5s", "--image", f"{IMAGE}:1.0",
                              "everywhere", check=False)
        assert refused.returncode != 0 and "global" in refused.stderr
        bad = cluster.run("service", "update", "--image", f"{IMAGE}:dead", "everywhere",
                          check=False)
        assert bad.returncode == 1 and "undone" in bad.stderr
        assert versions_on() == dict.fromkeys(nodes, "1.1")
    finally:
        cluster.hive("service", "rm", "everywhere")


def test_who_changes_the_service_by_hand_in_the_middle_is_not_fought_with(cluster):
    begin_at(cluster, "1.1")
    result = {}
    updating = threading.Thread(
        target=lambda: result.update(done=update(cluster, "1.0", check=False)))
    updating.start()
    assert eventually(lambda: cluster.json("service", "ls")[0]["update_state"] == "updating", 30)
    docker(cluster, "service", "update", "-d", "--env-add", "BY=HAND", f"rollt_{SERVICE}")
    updating.join()
    assert result["done"].returncode == 1
    assert "changed by somebody else" in result["done"].stderr
    assert "BY=HAND" in json.dumps(json.loads(cluster.hive("service", "inspect", SERVICE)))
