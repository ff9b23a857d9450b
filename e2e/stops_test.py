"""The stop sequence on a small cluster: what a stop meets besides plain requests."""
import http.client
import json
import pathlib
import re
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import STATE, Cluster, eventually, example  # noqa: E402

NAME, PORTS = "stoptest", {8080: 22680, 5000: 22685}
DRAIN_S = 10


def compose():
    text = example(NAME, PORTS).replace("managers: 3", "managers: 1")
    text = text.replace("workers: {min: 2, max: 8}", "workers: {min: 2, max: 2}")
    return text.replace(
        "      health: {path: /health}",
        "      health: {path: /health}\n"
        f"      drain: {{timeout: {DRAIN_S}s, pre_stop: ['/bin/sh', '-c', "
        "'echo hook of $$HOSTNAME id=hook-$$HOSTNAME >> /usr/local/tomcat/logs/hook.log']}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(NAME, PORTS, tmp_path_factory.mktemp(NAME), compose()) as cluster:
        cluster.up()
        yield cluster


def stored_lines(cluster):
    lines = []
    for path in (STATE / cluster.name / "logs").rglob("*"):
        if path.is_file():
            lines += path.read_text(errors="replace").splitlines()
    return lines


def stops(cluster):
    """Sentences of the stops in the history, oldest first."""
    events = map(json.loads, cluster.hive("events", "--format", "json").splitlines())
    return [event["reason"] for event in events if event["kind"] == "task_stopped"]


def stops_after(cluster, before, count):
    assert eventually(lambda: len(stops(cluster)) >= before + count), stops(cluster)
    return stops(cluster)[before:]


def replace_all(cluster):
    cluster.hive("service", "update", "--force", "hive-server")


class Upgraded:
    """A connection of another protocol, through the balancer and an edge, to one task."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(b"GET /upgrade HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\n"
                            b"Upgrade: echo\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(4096)
        assert b" 101 " in head.split(b"\r\n")[0], head

    def echo(self, word):
        try:
            self.socket.sendall(word)
            got = b""
            while len(got) < len(word):
                more = self.socket.recv(4096)
                if not more:
                    return False
                got += more
            return got == word
        except OSError:
            return False

    def close(self):
        self.socket.close()


class Echoes:
    """An upgraded connection that says a word every 100 ms for a while, then closes."""

    def __init__(self, cluster, seconds):
        self.alive = True
        self._connection = Upgraded(cluster.ports[8080])
        self._until = time.monotonic() + seconds
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._thread.join()

    def _run(self):
        while time.monotonic() < self._until:
            self.alive = self.alive and self._connection.echo(b"word")
            time.sleep(0.1)
        self._connection.close()


def test_requests_in_flight_finish(cluster):
    before = len(stops(cluster))
    with cluster.load(path="/slow?ms=1500", per_second=10) as load:
        time.sleep(2)
        cluster.hive("service", "scale", "hive-server=2")
        time.sleep(1)
    assert load.failures == [] and load.answers[200] > 20
    sentence = stops_after(cluster, before, 1)[0]
    assert re.search(r"\d+ connections were open when it began", sentence)
    assert "given up" not in sentence


def test_an_upgraded_connection_may_end_by_itself(cluster):
    before = len(stops(cluster))
    with Echoes(cluster, seconds=DRAIN_S / 3) as echoes:
        replace_all(cluster)
    assert echoes.alive, "it was cut before it had ended by itself"
    for sentence in stops_after(cluster, before, 2):
        assert "given up" not in sentence


def test_an_upgraded_connection_that_stays_is_cut_at_the_deadline_and_counted(cluster):
    before = len(stops(cluster))
    staying = Upgraded(cluster.ports[8080])
    assert staying.echo(b"here")
    replace_all(cluster)
    sentences = stops_after(cluster, before, 2)
    assert eventually(lambda: not staying.echo(b"still"), 60)
    staying.close()
    cut = [one for one in sentences if "given up" in one]
    assert len(cut) == 1, sentences
    assert re.search(r"\b1 (open )?connection", cut[0]), cut


def test_idle_kept_connections_hold_nothing_up_and_serve_on(cluster):
    before = len(stops(cluster))
    idle = [http.client.HTTPConnection("127.0.0.1", cluster.ports[8080], timeout=10)
            for _ in range(20)]
    for one in idle:
        one.request("GET", "/")
        assert one.getresponse().read()
    replace_all(cluster)
    for one in idle:
        one.request("GET", "/")
        answer = one.getresponse()
        assert answer.status == 200 and answer.read()
    for sentence in stops_after(cluster, before, 2):
        assert "given up" not in sentence, sentence


def test_hooks_ran_and_what_they_wrote_is_stored(cluster):
    before = len(stops(cluster))
    hooks = sum("hook of" in line for line in stored_lines(cluster))
    replace_all(cluster)
    stops_after(cluster, before, 2)
    assert sum("hook of" in line for line in stored_lines(cluster)) == hooks + 2


def test_a_machine_that_shuts_down_is_emptied_first(cluster):
    cluster.hive("service", "scale", "hive-server=3")
    busy = next(task["node"] for task in cluster.tasks() if "worker" in task["node"])
    ended = cluster.instances()[busy]["id"]
    with cluster.load(path="/slow?ms=700&id=shutdown", per_second=15) as load:
        time.sleep(1)
        cluster.hive("instance", "stop", ended)
        time.sleep(2)
    assert load.failures == []
    answered = load.answers[200]
    assert answered > 30
    assert eventually(lambda: cluster.nodes()[busy]["status"] == "down")
    # Every line that the node's containers wrote outlived it.
    assert eventually(
        lambda: sum(line.endswith(" id=shutdown") for line in stored_lines(cluster)) == answered,
        20)
    assert eventually(lambda: len([t for t in cluster.tasks() if t["state"] == "running"
                                   and t["node"] != busy]) == 3)
    cluster.hive("instance", "start", ended)
    assert eventually(lambda: (cluster.nodes()[busy]["status"],
                               cluster.nodes()[busy]["availability"]) == ("ready", "active"))
    assert eventually(lambda: busy in cluster.serving_edges())
