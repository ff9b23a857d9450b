"""From nothing to a served application, and back to nothing: one cluster for all tests here."""
import json
import os
import pathlib
import subprocess
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
HIVE = os.environ.get("HIVE_BIN", str(ROOT / "build/release/bin/hive"))
NAME = "uptest"
PORT = 18080
DASHBOARD = 18500


def run(*args, check=True, timeout=420):
    result = subprocess.run([HIVE, *args], capture_output=True, text=True, timeout=timeout)
    assert not check or result.returncode == 0, f"hive {args}:\n{result.stdout}\n{result.stderr}"
    return result


def hive(*args):
    return run("--cluster", NAME, *args).stdout



def get(path="/", port=PORT):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        assert answer.status == 200
        return answer.read().decode()


def answering_hosts(requests=60):
    """Host names seen: the first word of an answer, "HOST version V requests N"."""
    return {get().split()[0] for _ in range(requests)}


def eventually(condition, seconds=60):
    """The condition's last value: true as soon as it holds, whatever it was at the deadline else."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.5)


def traces():
    """What a cluster leaves on a machine when `down` forgets it."""
    def lines(*command):
        return set(subprocess.run(command, capture_output=True, text=True).stdout.splitlines())
    links = {line.split(": ")[1].split("@")[0] for line in lines("ip", "-o", "link")}
    mounts = {line.split()[1] for line in open("/proc/mounts", encoding="utf-8")}
    rules = {rule for table in ("filter", "nat")
             for rule in lines("iptables", "-t", table, "-S")}
    daemons = {line for line in lines("ps", "-eo", "args")
               if f"/{NAME}/" in line and "pytest" not in line}
    return {"links": links, "mounts": mounts, "rules": rules, "daemons": daemons}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    text = (ROOT / "examples/tomcat/hive.yml").read_text()
    text = text.replace("name: shop", f"name: {NAME}").replace("../../build", str(ROOT / "build"))
    text = text.replace('"80:8080", "5000:5000"', f'"{PORT}:8080", "{DASHBOARD}:5000"')
    file = tmp_path_factory.mktemp("up") / "hive.yml"
    file.write_text(text)
    before = traces()
    try:
        run("up", "-f", str(file))
        yield file
    finally:
        run("down", "--yes", "-f", str(file))
    assert traces() == before


def test_five_nodes(cluster):
    nodes = json.loads(hive("node", "ls", "--format", "json"))
    assert len(nodes) == 5


def test_all_three_replicas_answer(cluster):
    assert eventually(lambda: len(answering_hosts()) == 3)


def test_dashboard_answers(cluster):
    assert "<html" in get("/", DASHBOARD).lower()


def test_second_up_changes_nothing(cluster):
    before = hive("service", "inspect", "hive-server")
    run("up", "-f", str(cluster))
    assert hive("service", "inspect", "hive-server") == before


def test_scale_update_and_rollback_are_followed_by_the_edges(cluster):
    hive("service", "scale", "hive-server=4")
    assert eventually(lambda: len(answering_hosts()) == 4)
    hive("service", "update", "--image", "registry.hive:5001/hive-tomcat:1.1", "hive-server")
    assert eventually(lambda: all(" version 1.1 " in get() for _ in range(20)))
    hive("service", "rollback", "hive-server")
    assert eventually(lambda: all(" version 1.0 " in get() for _ in range(20)))
    hive("service", "scale", "hive-server=3")
    assert eventually(lambda: len(answering_hosts()) == 3)
