"""From nothing to a served application; what a second `up` does, and what it refuses."""
import fcntl
import json
import os
import shutil
import signal
import ssl
import time
import urllib.request

import pytest

from lib.cluster import RUN, STATE, command, eventually, make_certificate, processes_of


def state_of(cluster):
    """All that `up` could have changed."""
    services = json.loads(cluster.hive("service", "inspect", "hive-server"))
    return {
        "services": services,
        "tasks": sorted(task["id"] for task in cluster.tasks()),
        "nodes": sorted(node["id"] for node in cluster.nodes().values()),
        "instances": cluster.instances(),
        "targets": cluster.json("lb", "ls")["targets"],
    }


def test_five_nodes(cluster):
    nodes = cluster.nodes().values()
    assert len(nodes) == 5
    assert [node["role"] for node in nodes].count("manager") == 3


def test_all_three_replicas_answer(cluster):
    assert eventually(lambda: len(cluster.hosts()) == 3)


def test_tls_ends_at_the_balancer(cluster):
    trusted = ssl.create_default_context(cafile=str(cluster.certificate))
    with urllib.request.urlopen(f"https://127.0.0.1:{cluster.tls}/", timeout=10,
                                context=trusted) as answer:
        assert answer.status == 200 and answer.read().decode().split()[0] in cluster.hosts()


def test_a_renewed_certificate_is_served_and_a_broken_one_is_not(cluster, tmp_path):
    def served():
        return ssl.get_server_certificate(("127.0.0.1", cluster.tls), timeout=10)
    before, old = cluster.pem.read_bytes(), served()
    make_certificate(tmp_path)
    try:
        with cluster.load() as load:
            cluster.pem.write_bytes(b"no certificate")
            refused = cluster.up(check=False)
            assert refused.returncode != 0 and str(cluster.pem) in refused.stderr
            assert served() == old
            cluster.pem.write_bytes((tmp_path / "both.pem").read_bytes())
            assert eventually(lambda: served() != old)
        assert load.failures == [] and load.answers[200] > 0
        assert "nothing changed" in cluster.up().stdout
    finally:
        cluster.pem.write_bytes(before)
    assert eventually(lambda: served() == old)


def test_dashboard_answers(cluster):
    assert "<html" in cluster.get("/", 5000).lower()


def test_a_second_up_changes_nothing_and_says_so(cluster):
    before = state_of(cluster)
    said = cluster.up()
    assert "nothing changed" in said.stdout
    assert f"http://127.0.0.1:{cluster.ports[8080]}/" in said.stdout
    assert state_of(cluster) == before


def test_a_dry_run_changes_nothing(cluster):
    before = state_of(cluster)
    changed = cluster.file.with_name("more.yml")
    changed.write_text('version: "3.8"\nservices: {hive-server: {deploy: {replicas: 5}}}\n')
    said = command("up", "--dry-run", "-f", str(cluster.file), "-f", str(changed)).stdout
    assert "would launch 0 managers and 0 workers" in said
    assert state_of(cluster) == before


def test_scale_update_and_rollback_are_followed_by_the_edges(cluster):
    cluster.hive("service", "scale", "hive-server=4")
    assert eventually(lambda: len(cluster.hosts()) == 4)
    cluster.hive("service", "update", "--image", "registry.hive:5001/hive-tomcat:1.1", "hive-server")
    assert eventually(lambda: all(" version 1.1 " in cluster.get() for _ in range(20)))
    cluster.hive("service", "rollback", "hive-server")
    assert eventually(lambda: all(" version 1.0 " in cluster.get() for _ in range(20)))
    cluster.hive("service", "scale", "hive-server=3")
    assert eventually(lambda: len(cluster.hosts()) == 3)


def test_the_statistics_of_each_task_follow_the_requests(cluster):
    def figures():
        return {task["name"]: task["requests"] for task in cluster.json("lb", "ls")["tasks"]}
    def steady():
        """What other tests sent is counted within the next second or two."""
        one = figures()
        time.sleep(1.5)
        return len(one) == 3 and one == figures()
    assert eventually(steady)
    before = figures()
    with cluster.load(per_second=30) as load:
        time.sleep(2)
    sent = load.answers[200]
    assert load.failures == [] and sent > 0
    # All that was sent was counted, at the tasks that answered it, and nothing else.
    answered = {f"cmdtest_hive-server.{name.rsplit('-', 1)[1]}": count
                for name, count in load.hosts.items()}
    assert sum(answered.values()) == sent
    assert eventually(lambda: {name: count - before[name] for name, count in figures().items()
                               if count != before[name]} == answered, 10)
    assert eventually(lambda: all(task["in_flight"] == 0
                                  for task in cluster.json("lb", "ls")["tasks"]), 10)


def test_another_file_of_that_name_is_refused(cluster, tmp_path):
    before = state_of(cluster)
    shutil.copy(cluster.file, tmp_path / "hive.yml")
    refused = command("up", "-f", str(tmp_path / "hive.yml"), check=False)
    assert refused.returncode == 6
    assert str(cluster.file) in refused.stderr and "hive down --cluster cmdtest" in refused.stderr
    assert state_of(cluster) == before


def test_two_ups_at_once(cluster):
    """The second waits for nobody: it says that another is at work."""
    lock = STATE / cluster.name / "up.lock"
    with open(lock, "a", encoding="utf-8") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        refused = cluster.up(check=False)
    assert refused.returncode != 0 and "another 'hive up' of cmdtest is at work" in refused.stderr


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00\xff garbage"],
                         ids=["empty", "half", "list", "garbage"])
def test_a_corrupt_record_of_an_instance(cluster, content):
    instance = cluster.instances()["cmdtest-worker-2"]["id"]
    path = STATE / cluster.name / "instances" / instance / "instance.json"
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        refused = cluster.up(check=False)
        assert refused.returncode != 0
        assert str(path) in refused.stderr and "damaged" in refused.stderr
        assert "hive down" in refused.stderr
        assert len(cluster.hosts()) == 3  # it serves on
    finally:
        path.write_bytes(kept)
    assert "nothing changed" in cluster.up().stdout


def kill_server(cluster):
    for pid, line in processes_of(cluster.name).items():
        if " cloud-server " in f"{line} ":
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("content", [None, b"", b'{"spec": {', b"\x00\xff garbage"],
                         ids=["none", "empty", "half", "garbage"])
def test_the_clouds_daemon_dies_with_its_balancers_record(cluster, content):
    """Instances and balancer live on without it; `up` starts it again, and makes the record anew."""
    path = STATE / cluster.name / "balancer/balancer.json"
    with cluster.load() as load:
        kill_server(cluster)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        before = cluster.instances()
        cluster.up()
        assert cluster.instances() == before
        assert eventually(lambda: {target["health"] for target in cluster.json("lb", "ls")["targets"]}
                          == {"in-service"})
        assert len(cluster.json("lb", "ls")["targets"]) == 5
    assert load.failures == []
    assert "nothing changed" in cluster.up().stdout


def test_state_is_roots_alone(cluster):
    for folder in (STATE / cluster.name, RUN / cluster.name):
        assert folder.stat().st_mode & 0o077 == 0
    assert (STATE / cluster.name / "cloud.json").stat().st_mode & 0o077 == 0
