"""Stacks beside the cluster's own: two services that talk to each other by name."""
import os
import re
import subprocess

import pytest

from lib.cluster import ROOT, eventually


@pytest.fixture(scope="module")
def pair(cluster):
    cluster.hive("stack", "deploy", "-c", str(ROOT / "examples/two-services/hive.yml"), "pair")
    yield "pair"
    cluster.hive("stack", "rm", "pair")
    assert eventually(lambda: "pair" not in {stack["name"] for stack in cluster.json("stack", "ls")})
    assert eventually(lambda: "pair" not in cluster.hive("task", "ls"))


def answers(cluster):
    """Hosts of "back" whose answers "front" printed."""
    return set(re.findall(r"^(\S+) version \S+ requests", cluster.hive(
        "service", "logs", "--raw", "pair_front"), re.M))


def test_they_reach_each_other_by_name(cluster, pair):
    tasks = {task["service"]: task["node"] for task in cluster.json("stack", "ps", pair)}
    assert len(tasks) == 2
    assert eventually(lambda: len(answers(cluster)) == 1)
    cluster.hive("service", "scale", "pair_back=3")
    # Its name leads to every task, also on other nodes.
    assert eventually(lambda: len(answers(cluster)) == 3, 90)


def test_its_tables(cluster, pair):
    stacks = {stack["name"]: stack["services"] for stack in cluster.json("stack", "ls")}
    assert stacks == {"cmdtest": 1, "pair": 2}
    services = {service["name"]: service for service in cluster.json("stack", "services", pair)}
    assert sorted(services) == ["pair_back", "pair_front"]
    assert {task["name"] for task in cluster.json("stack", "ps", pair)} >= {"pair_front.1"}
    assert cluster.run("stack", "ps", "nothing", check=False).returncode == 4
    assert cluster.run("stack", "rm", "nothing", check=False).returncode == 4


def test_a_second_deploy_changes_nothing(cluster, pair):
    cluster.hive("service", "scale", "pair_back=1")
    before = cluster.hive("service", "inspect", "pair_back", "pair_front")
    said = cluster.hive("stack", "deploy", "-c", str(ROOT / "examples/two-services/hive.yml"), pair)
    assert "update" not in said
    assert cluster.hive("service", "inspect", "pair_back", "pair_front") == before


def test_a_bind_source_that_one_node_lacks(cluster, tmp_path):
    """Looked for in each node's own root; a node that the constraints exclude does not matter."""
    source = f"/srv/e2e-{os.getpid()}"
    pids = {name: record["pid"] for name, record in cluster.instances().items()}
    lacking = "cmdtest-worker-1"
    for name, pid in pids.items():
        if name != lacking:
            subprocess.run(["nsenter", "-m", "-t", str(pid), "mkdir", source], check=True)
    file = tmp_path / "bound.yml"
    text = ('version: "3.8"\nservices:\n  bound:\n    image: registry.hive:5001/hive-tomcat:1.0\n'
            f'    volumes: ["{source}:/data"]\n    deploy: {{placement: {{constraints: []}}}}\n')
    file.write_text(text)
    done = cluster.run("stack", "deploy", "-c", str(file), "bound", check=False)
    assert done.returncode == 6, done.stderr
    assert f"{source} of service bound is not there on {lacking}\n" in done.stderr
    assert "bound" not in cluster.hive("stack", "ls", "-q").split()
    # What the hint says is what helps.
    hint = re.search(r"for p in .*done", done.stderr)[0]
    assert hint == f"for p in {pids[lacking]}; do nsenter -m -t $p mkdir -p {source}; done"
    file.write_text(text.replace("constraints: []", f'constraints: ["node.hostname != {lacking}"]'))
    said = cluster.hive("stack", "deploy", "--dry-run", "-c", str(file), "bound")
    assert "bound_bound" in said
    subprocess.run(["sh", "-c", hint], check=True)
    file.write_text(text)
    assert "bound_bound" in cluster.hive("stack", "deploy", "--dry-run", "-c", str(file), "bound")


def test_prune(cluster, pair, tmp_path):
    text = (ROOT / "examples/two-services/hive.yml").read_text()
    start, end = text.index("  front:"), text.index("networks:\n  inside")
    alone = tmp_path / "alone.yml"
    alone.write_text(text[:start] + text[end:])
    cluster.hive("stack", "deploy", "-c", str(alone), pair)
    assert "pair_front" in cluster.hive("service", "ls")
    cluster.hive("stack", "deploy", "--prune", "-c", str(alone), pair)
    assert "pair_front" not in cluster.hive("service", "ls")
