"""Replicas follow the load on a real cluster, and no request fails meanwhile; what a person sets is
theirs. One cluster; the tests build on each other's end state: two replicas, the policy active.
"""
import contextlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import HIVE, Cluster, eventually, example, network_of  # noqa: E402

NAME = "scalet"
PORTS = {8080: 18080, 5000: 18085}
MIN, MAX, A_REPLICA = 2, 5, 40
POLICY = f"autoscale: {{min: {MIN}, max: {MAX}, target: {{requests_per_replica: {A_REPLICA}}}}}"
# hive keeps for minutes what it may need again; a schedule takes it at once.
SCHEDULE = (f"schedules: [{{cron: '* * * * *', zone: Asia/Seoul, duration: 1h, max: {MIN}}}], "
            "target")


def text(policy=POLICY):
    out = example(NAME, PORTS).replace("  cloud: local", "  cloud: local\n  rebalance: false")
    out = out.replace("      health: {path: /health}", f"      {policy}\n      health: {{path: /health}}")
    return re.sub(r"replicas: \d+", f"replicas: {MIN}", out)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(NAME, PORTS, tmp_path_factory.mktemp(NAME), text()) as cluster:
        cluster.up()
        yield cluster


@contextlib.contextmanager
def slow_load(cluster, per_second, out):
    """Requests for the slow page (0.1 to 5 s) at that rate; the block gets a function that ends them
    and returns their summary."""
    process = subprocess.Popen(
        [str(pathlib.Path(HIVE).parent / "load_generator"), "--to", f"127.0.0.1:{PORTS[8080]}",
         "--rate", str(per_second), "--mix", "slow:1", "--out", str(out)],
        stdout=subprocess.PIPE, text=True)

    def finish():
        process.terminate()
        return json.loads(process.communicate(timeout=30)[0])
    try:
        yield finish
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def status(cluster):
    found = cluster.json("autoscale", "status", "hive-server")
    return found[0]


def serving(cluster):
    """0 also while no controller answers: one that was killed takes a moment to be back."""
    now = cluster.run("autoscale", "status", "hive-server", "--format", "json", check=False)
    return json.loads(now.stdout)[0]["ready"] if now.returncode == 0 else 0


def history(cluster):
    return cluster.json("autoscale", "history", "hive-server")


def settled(cluster, replicas, seconds=90):
    def there():
        now = cluster.run("autoscale", "status", "hive-server", "--format", "json", check=False)
        if now.returncode != 0:
            return False  # another manager is just taking the lead
        now = json.loads(now.stdout)[0]
        return now["ready"] == now["replicas"] == replicas and len(cluster.tasks()) == replicas
    assert eventually(there, seconds), cluster.hive("autoscale", "explain", "hive-server")


def test_signals_reach_the_controller_that_acts(cluster):
    with cluster.load(per_second=10):
        assert eventually(lambda: status(cluster)["signals"]["requests"]["value"], 20)
        time.sleep(2)
        now = status(cluster)
    signals = now["signals"]
    assert 4 <= signals["requests"]["value"] <= 16, signals
    assert signals["cpu"]["value"] > 0 and signals["cpu"]["fresh"], signals
    assert signals["memory"]["value"] is None, "the service has neither reservation nor limit"
    assert not signals["partial"] and now["state"] == "active" and now["replicas"] == MIN
    assert now["capacity"] == A_REPLICA and now["lead_measured"]
    told = cluster.hive("autoscale", "explain", "hive-server")
    assert "requests " in told and " s ago" in told and f"{MIN} to {MAX} replicas" in told
    table = cluster.hive("autoscale", "status").splitlines()
    assert table[0].split() == ["SERVICE", "REPLICAS", "MIN", "MAX", "WANTED", "STATE", "LOAD", "REASON"]
    assert table[1].split()[0].endswith("hive-server") and table[1].split()[1] == "2/2"


def test_a_step_is_followed_out_and_in_without_a_failure(cluster, tmp_path):
    with cluster.load(per_second=10) as steady:
        with slow_load(cluster, 120, tmp_path / "step.csv") as finish:
            assert eventually(lambda: serving(cluster) >= 4, 60), cluster.hive(
                "autoscale", "explain", "hive-server")
            # The one that decided dies; the next one goes on.
            cluster.kill("controller", cluster.leader())
            time.sleep(8)
            summary = finish()
        out = [event for event in history(cluster) if event["kind"] == "autoscale_out"]
        assert out and "requests/s now" in out[-1]["reason"], out
        assert sorted(out[0]) == ["id", "kind", "reason", "subject", "unix_ms"]
        assert summary["failed"] == 0 and summary["requests"] > 500, summary
        # The same number by a deploy, and then fewer by the policy that came with it.
        cluster.file.write_text(text(POLICY.replace("target", SCHEDULE)))
        cluster.up()
        settled(cluster, MIN)
        assert len(steady.answers) > 0
    assert steady.failures == []
    gone = [event for event in history(cluster) if event["kind"] == "autoscale_in"]
    assert gone and f"-> {MIN}: a schedule asks for {MIN} to {MIN}" in gone[0]["reason"], gone


def test_a_persons_number_is_theirs_until_it_is_given_back(cluster):
    cluster.hive("service", "scale", "hive-server=3")
    now = status(cluster)
    assert now["state"] == "paused" and "scaled to 3 by root" in now["paused"], now
    cluster.up()  # deploys the same file
    time.sleep(3)
    assert status(cluster)["state"] == "paused" and len(cluster.tasks()) == 3
    assert "its autoscaling goes on" in cluster.hive("autoscale", "resume", "hive-server")
    assert eventually(lambda: status(cluster)["state"] == "active", 10)
    settled(cluster, MIN, 120)


def test_pause_and_what_is_not_autoscaled(cluster):
    cluster.hive("autoscale", "pause", "--reason", "tonight", "hive-server")
    assert eventually(lambda: "tonight" in status(cluster)["paused"], 10)
    cluster.hive("autoscale", "resume", "hive-server")
    assert any(event["kind"] == "autoscale_succeeded" for event in history(cluster))
    missing = cluster.run("autoscale", "explain", "nothing", check=False)
    assert missing.returncode == 4


class Prometheus:
    """A server that answers every query with `value`, or not at all while it is None."""

    def __init__(self):
        self.value = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if outer.value is None:
                    time.sleep(5)
                    return
                body = json.dumps({"status": "success", "data": {
                    "resultType": "vector", "result": [{"metric": {}, "value": [0, str(outer.value)]}]}})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


# Each task tells of seven jobs, at a port that only the nodes know.
FIGURE_PORT, JOBS = 9404, 7
TELL = ('while read line; do case "$line" in ?|"") break;; esac; done; printf '
        f"'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n# TYPE jobs gauge\\njobs {JOBS}\\n'")


def with_figures(server):
    """The file with a service that is scaled by what `server` says; its tasks' own figures are read
    too, and ask for little."""
    command = ["/bin/busybox", "nc", "-ll", "-p", str(FIGURE_PORT), "-e", "/bin/sh", "-c", TELL]
    own = f"{{name: own, metric: jobs, port: {FIGURE_PORT}, per_replica: 1000}}"
    asked = f"{{name: asked, per_replica: 10, server: '{server}', query: sum(jobs)}}"
    return text(POLICY.replace("target", SCHEDULE)) + f"""
  figures:
    image: registry.hive:5001/hive-tomcat:1.0
    command: {json.dumps(command).replace("$", "$$")}
    ports: ["{FIGURE_PORT}"]
    deploy: {{replicas: 1}}
    x-hive:
      autoscale: {{min: 1, max: 3, target: {{metrics: [{own}, {asked}]}}}}
"""


def figures(cluster):
    """What autoscaling says of that service, and the value of its tasks' own figure."""
    now = cluster.run("autoscale", "status", "figures", "--format", "json", check=False)
    if now.returncode != 0:
        return {"ready": 0, "replicas": 0}, None
    now = json.loads(now.stdout)[0]
    return now, now["signals"]["metrics"][0]["value"]


def test_figures_of_the_applications_own_are_targets(cluster):
    explained = lambda: cluster.hive("autoscale", "explain", "figures")  # noqa: E731
    with Prometheus() as prometheus:
        prometheus.value = 5
        cluster.file.write_text(
            with_figures(f"http://10.77.{network_of(NAME)}.1:{prometheus.server.server_port}"))
        cluster.up()
        assert eventually(lambda: figures(cluster)[1] == JOBS, 60), explained()
        prometheus.value = 28
        assert eventually(lambda: (figures(cluster)[0]["ready"], figures(cluster)[1]) == (3, 3 * JOBS),
                          90), explained()
        out = [event["reason"] for event in cluster.json("autoscale", "history", "figures")
               if event["kind"] == "autoscale_out"]
        assert out and "28 asked now" in out[0] and "at most 10 a replica" in out[0], out
        leader = cluster.instances()[cluster.leader()]["address"]
        with urllib.request.urlopen(f"http://{leader}:7070/metrics", timeout=5) as answer:
            told = answer.read().decode()
        assert re.search(r'^hive_autoscale_replicas_ordered\{service="\w*figures"\} 3$', told, re.M), told
        assert re.search(rf'^hive_autoscale_signal\{{.*"metric:own".*\}} {3 * JOBS}$', told, re.M), told
        # Its silence takes nothing away.
        prometheus.value = None
        assert eventually(lambda: "asked is not known" in figures(cluster)[0]["reason"], 30), explained()
        assert "too old to count" in explained() or "not known" in explained()
        assert figures(cluster)[0]["replicas"] == 3
        cluster.file.write_text(text(POLICY.replace("target", SCHEDULE)))
        cluster.hive("service", "rm", "figures")


# Each replica takes a worker: this machine's CPUs are those of each instance.
WHOLE = os.cpu_count()
FOLLOW = "workers: {min: 2, max: 4, scale_in_after: 15s, join_timeout: 60s}"
MANY = f"autoscale: {{min: {MIN}, max: 4, target: {{requests_per_replica: {A_REPLICA}}}}}"


def followed(policy):
    out = text(policy).replace("workers: {min: 2, max: 8}", FOLLOW)
    place = ("      placement: {constraints: [node.role==worker]}\n"
             f"      resources: {{reservations: {{cpus: '{WHOLE}'}}}}\n")
    return re.sub(r"(    deploy:\n)", r"\1" + place, out, count=1)


def workers(cluster):
    return [one for one in cluster.json("instance", "ls") if one["role"] == "worker"]


def history_of_workers(cluster):
    out = {"autoscale_instances_out": [], "autoscale_instances_in": []}
    for event in cluster.json("autoscale", "history"):
        out.setdefault(event["kind"], []).append(event["reason"])
    return out


def test_workers_come_with_the_load_and_leave_again(cluster, tmp_path):
    cluster.file.write_text(followed(MANY))
    cluster.up()
    settled(cluster, MIN)
    assert len(workers(cluster)) == 2
    with cluster.load(per_second=10) as steady:
        with slow_load(cluster, 100, tmp_path / "workers.csv") as finish:
            assert eventually(lambda: len(workers(cluster)) > 2, 60), cluster.hive("autoscale", "explain", "hive-server")
            line = cluster.hive("autoscale", "status").splitlines()[-1]
            assert line.startswith("Workers: ") and "(of 2 to 4)" in line, line
            # The one that asked for it dies; the next one goes on.
            cluster.kill("controller", cluster.leader())
            assert eventually(lambda: serving(cluster) >= 3, 240), cluster.hive("autoscale", "explain", "hive-server")
            where = {task["node"] for task in cluster.tasks()}
            assert any(one["hostname"] in where for one in workers(cluster)[2:]), where
            time.sleep(5)
            summary = finish()
        assert summary["failed"] == 0 and summary["requests"] > 500, summary
        cluster.file.write_text(followed(MANY.replace("target", SCHEDULE)))
        cluster.up()
        settled(cluster, MIN, 240)
        assert eventually(lambda: len(workers(cluster)) == 2, 240), cluster.hive("autoscale", "status")
        assert len(steady.answers) > 0
    assert steady.failures == []
    told = history_of_workers(cluster)
    assert any("no node with room" in reason for reason in told["autoscale_instances_out"]), told
    assert any("the cheapest to empty" in reason for reason in told["autoscale_instances_in"]), told
    assert sorted(node["hostname"] for node in cluster.json("node", "ls") if node["role"] == "worker") == \
        sorted(one["hostname"] for one in workers(cluster))
