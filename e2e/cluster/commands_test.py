"""Commands beside docker's of the same name, on the same engines; output that scripts read."""
import json
import os
import re
import subprocess
import threading
import time

import pytest

from lib.cluster import HIVE, ROOT, RUN, eventually

DOCKER = "/usr/bin/docker"


@pytest.fixture(scope="module")
def manager(cluster):
    """The socket of the manager that hive talks to, so that both call the same node their own."""
    own = next(node["hostname"] for node in cluster.json("node", "ls") if node["self"])
    return f"unix://{RUN}/{cluster.name}/instances/{cluster.instances()[own]['id']}/run/docker.sock"


@pytest.fixture(scope="module")
def docker(manager, tmp_path_factory):
    config = tmp_path_factory.mktemp("docker")

    def run(*args, check=True):
        result = subprocess.run([DOCKER, "--config", config, "--host", manager, *args],
                                capture_output=True, text=True, timeout=60)
        assert not check or result.returncode == 0, result.stderr
        run.stderr = result.stderr
        return result.stdout
    return run


@pytest.fixture
def hive(cluster, manager):
    def run(*args, check=True):
        result = subprocess.run([HIVE, "--host", manager, *args], capture_output=True, text=True,
                                timeout=120)
        assert not check or result.returncode == 0, result.stderr
        run.stderr = result.stderr
        return result.stdout
    return run


def cells(text):
    """A table's cells, row by row, in the order of the rows' names."""
    return [(rows := in_order(text))[0], *sorted(rows[1:])]


def in_order(text):
    lines = text.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+( \S+)*", lines[0])]
    return [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])] for line in lines]


# --- tables
def test_node_ls(hive, docker):
    assert cells(hive("node", "ls")) == cells(docker("node", "ls"))
    assert sorted(hive("node", "ls", "-q").split()) == sorted(docker("node", "ls", "-q").split())
    for filters in (("role=manager",), ("name=cmdtest-worker-1",), ("role=worker", "name=cmdtest")):
        words = [word for one in filters for word in ("--filter", one)]
        assert cells(hive("node", "ls", *words)) == cells(docker("node", "ls", *words))


def test_service_ls(hive, docker):
    ours, theirs = cells(hive("service", "ls")), cells(docker("service", "ls"))
    # Ports are listeners of the edges, not of Swarm's mesh: docker knows of none.
    assert [row[:5] for row in ours] == [row[:5] for row in theirs]
    assert ours[1][5] == "*:8080->8080/tcp"
    assert hive("service", "ls", "-q").split() == docker("service", "ls", "-q").split()


def test_service_ps(hive, docker):
    ours = cells(hive("service", "ps", "cmdtest_hive-server"))
    theirs = cells(docker("service", "ps", "cmdtest_hive-server"))
    age = ours[0].index("CURRENT STATE")
    for row in ours[1:] + theirs[1:]:
        assert re.fullmatch(r"\w+ (less than a second|about a minute|about an hour|\d+ \w+) ago",
                            row[age]), row
        row[age] = row[age].split()[0]
    assert ours == theirs
    bare = [cells(run("service", "ps", "--no-resolve", "cmdtest_hive-server"))
            for run in (hive, docker)]
    assert [row[:5] for row in bare[0]] == [row[:5] for row in bare[1]]
    assert sorted(hive("service", "ps", "-q", "hive-server").split()) == sorted(
        docker("service", "ps", "-q", "cmdtest_hive-server").split())


def test_node_ps_and_stack_ps(hive, docker):
    nodes = [f"cmdtest-{name}" for name in ("manager-1", "manager-2", "manager-3", "worker-1",
                                            "worker-2")]
    for words in (*(("node", "ps", node) for node in nodes), ("stack", "ps", "cmdtest")):
        ours, theirs = in_order(hive(*words)), in_order(docker(*words))
        assert ours[0] == theirs[0]
        assert [row[:5] for row in ours] == [row[:5] for row in theirs], words
        for more in (("-q",), ("-q", "--no-trunc")):
            assert hive(*words, *more) == docker(*words, *more)
    # Of several nodes docker lists the tasks of the first ones again with each further one.
    every = [task for node in nodes for task in hive("node", "ps", "-q", node).split()]
    assert sorted(hive("node", "ps", "-q", *nodes).split()) == sorted(every)


def test_stack_ls_and_services(hive, docker):
    ours, theirs = cells(hive("stack", "ls")), cells(docker("stack", "ls"))
    assert ours == [row[:2] for row in theirs]  # docker names the orchestrator too
    assert [row[:5] for row in cells(hive("stack", "services", "cmdtest"))] == [
        row[:5] for row in cells(docker("stack", "services", "cmdtest"))]
    assert hive("stack", "services", "-q", "cmdtest") == docker("stack", "services", "-q", "cmdtest")


def test_inspect(hive, docker):
    for kind, name, theirs in [("service", "hive-server", "cmdtest_hive-server"),
                               ("node", "cmdtest-worker-1", "cmdtest-worker-1"),
                               ("node", "self", "self")]:
        assert json.loads(hive(kind, "inspect", name)) == json.loads(
            docker(kind, "inspect", theirs))


def test_logs(hive, docker):
    def lines(run, *args):
        """Of both streams: (those of standard output, those of standard error)."""
        return tuple(sorted(re.sub(r"\s+\|", " |", line) for line in text.splitlines())
                     for text in (run(*args), run.stderr))
    ours = lines(hive, "service", "logs", "--tail", "5", "hive-server")
    assert sum(map(len, ours)) == 15
    assert ours == lines(docker, "service", "logs", "--tail", "5", "cmdtest_hive-server")
    for more in ("--no-resolve", "--details", "--no-trunc", "--no-task-ids"):
        assert lines(hive, "logs", more, "--tail", "5", "hive-server") == lines(
            docker, "service", "logs", more, "--tail", "5", "cmdtest_hive-server"), more
    raw = lines(hive, "logs", "--raw", "--tail", "5", "hive-server")
    assert raw == lines(docker, "service", "logs", "--raw", "--tail", "5", "cmdtest_hive-server")
    assert lines(hive, "logs", "--since", "1s", "--raw", "hive-server") == ([], [])
    assert lines(hive, "logs", "--until", "2020-01-01T00:00:00Z", "hive-server") == ([], [])
    assert sum(map(len, lines(hive, "logs", "--since", "1h", "--raw", "hive-server"))) > 15
    task = docker("service", "ps", "-q", "--no-trunc", "cmdtest_hive-server").split()[0]
    assert lines(hive, "logs", "--tail", "3", task) == lines(
        docker, "service", "logs", "--tail", "3", task)


# --- what changes something
def test_life_of_a_service(cluster, docker):
    image = "registry.hive:5001/hive-tomcat:1.0"
    made = cluster.run("service", "create", "--name", "extra", "--replicas", "2", "--env", "A=1",
                       "--publish", "8081:8080", "--health-cmd", "true", "--health-interval",
                       "1s", "-q", image)
    identity = made.stdout.split()[0]
    try:
        spec = json.loads(docker("service", "inspect", "extra"))[0]
        assert spec["ID"] == identity
        assert spec["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=1"]
        assert "@sha256:" in spec["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
        row = next(one for one in cluster.json("service", "ls") if one["name"] == "extra")
        assert (row["running"], row["desired"], row["ports"]) == (2, 2, "*:8081->8080/tcp")
        assert cluster.hive("service", "scale", "-q", "extra=3").startswith("extra scaled to 3")
        assert len(cluster.tasks("extra")) == 3
        cluster.hive("service", "update", "-q", "--env-add", "B=2", "--env-rm", "A", "extra")
        env = json.loads(docker("service", "inspect", "extra"))[0]["Spec"]["TaskTemplate"]
        assert env["ContainerSpec"]["Env"] == ["B=2"]
        cluster.hive("service", "rollback", "-q", "extra")
        env = json.loads(docker("service", "inspect", "extra"))[0]["Spec"]["TaskTemplate"]
        assert env["ContainerSpec"]["Env"] == ["A=1"]
        assert cluster.run("service", "create", "--name", "extra", image, check=False).returncode == 1
    finally:
        assert cluster.hive("service", "rm", "extra").split() == ["extra"]
    assert eventually(lambda: "extra" not in docker("service", "ls"))


def test_a_service_that_never_runs(cluster):
    """The command says why, in the time given, and what it wrote is there to be corrected."""
    gone = cluster.run("service", "create", "--name", "never", "--timeout", "8s", "--no-resolve-image",
                       "registry.hive:5001/no-such-image:1", check=False)
    try:
        assert gone.returncode == 3
        assert "never runs 0 of 1" in gone.stderr and "no-such-image" in gone.stderr
    finally:
        cluster.hive("service", "rm", "never")


def test_availability_of_a_node(cluster, docker):
    def availability():
        return json.loads(docker("node", "inspect", "cmdtest-worker-2"))[0]["Spec"]["Availability"]
    cluster.hive("node", "pause", "cmdtest-worker-2")
    assert availability() == "pause"
    cluster.hive("node", "activate", "cmdtest-worker-2")
    assert availability() == "active"
    cluster.hive("node", "update", "--label-add", "disk=ssd", "cmdtest-worker-2")
    assert json.loads(docker("node", "inspect", "cmdtest-worker-2"))[0]["Spec"]["Labels"] == {
        "disk": "ssd"}
    cluster.hive("node", "update", "--label-rm", "disk", "cmdtest-worker-2")


def test_volumes(hive, docker):
    assert hive("volume", "create", "--label", "a=b", "-o", "type=tmpfs", "-o", "device=tmpfs",
                "data").strip() == "data"
    try:
        assert cells(hive("volume", "ls")) == cells(docker("volume", "ls"))
        assert json.loads(hive("volume", "inspect", "data")) == json.loads(
            docker("volume", "inspect", "data"))
        found = next(one for one in json.loads(hive("volume", "ls", "--format", "json"))
                     if one["name"] == "data")
        assert found["labels"] == {"a": "b"} and found["options"]["type"] == "tmpfs"
    finally:
        assert hive("volume", "rm", "data").strip() == "data"
    assert "data" not in docker("volume", "ls", "-q").split()


# --- exit codes and messages
@pytest.mark.parametrize("words,code,said", [
    (("node", "inspect", "cmdtest-worker-9"), 4, "did you mean 'cmdtest-worker-"),
    (("service", "ps", "hive-sever"), 4, "did you mean"),
    (("service", "scale", "nothing=3"), 4, "there is no service 'nothing'"),
    (("service", "scale", "hive-server=many"), 2, "whole number"),
    (("service", "scale", "hive-server=-1"), 2, "whole number"),
    (("service", "update", "--replicas", "x", "hive-server"), 2, "replicas"),
    (("service", "rm", "nothing"), 4, "nothing"),
    (("volume", "inspect", "nothing"), 4, "nothing"),
    (("logs", "nothing"), 4, "nothing"),
    (("logs", "--since", "yesterday", "hive-server"), 2, "is no time"),
    (("events", "--since", "yesterday"), 2, "is no time"),
    (("node", "ls", "--filter", "colour=red"), 2, "colour"),
    (("node", "ls", "--format", "xml"), 2, "xml"),
    (("instance", "stop", "i-nothing"), 4, "i-nothing"),
    (("completion", "tcsh"), 2, "tcsh"),
    (("frobnicate",), 2, "frobnicate"),
])
def test_exit_codes(cluster, words, code, said):
    done = cluster.run(*words, check=False)
    assert (done.returncode, said in done.stderr) == (code, True), done.stdout + done.stderr


def test_a_part_that_fails_does_not_stop_the_others(cluster):
    done = cluster.run("node", "inspect", "cmdtest-worker-1", "nobody", check=False)
    assert done.returncode == 4 and "nobody" in done.stderr
    assert len(json.loads(done.stdout)) == 1


# --- JSON
def documented():
    """{command: fields} of the table in docs/commands.md."""
    text = (ROOT / "docs/commands.md").read_text()
    found = {}
    for row in re.findall(r"^\| (`[^|]*`) \| (`[^|]*) \|$", text, re.M):
        for command in re.findall(r"`([^`]+)`", row[0]):
            plain = re.sub(r" \([^)]*\)", "", row[1])
            found[command] = re.findall(r"`(\w+)`", plain)
    return found


# hive simulate needs no cluster; a service has a history once it has changed, the autoscaler once it
# has acted: not here.
@pytest.mark.parametrize("command", sorted(
    documented().keys() - {"simulate", "service history", "autoscale history"}))
def test_json_has_the_documented_fields(cluster, command):
    more = {"service ps": ["hive-server"], "stack ps": ["cmdtest"], "stack services": ["cmdtest"],
            "node ps": ["cmdtest-manager-1", "cmdtest-manager-2", "cmdtest-manager-3",
                        "cmdtest-worker-1", "cmdtest-worker-2"]}.get(command, [])
    if command == "volume ls":
        cluster.hive("volume", "create", "fields")
    text = cluster.hive(*command.split(), *more, "--format", "json")
    if command == "events":
        value = [json.loads(line) for line in text.splitlines()]
    else:
        value = json.loads(text)
    one = value[0] if isinstance(value, list) else value
    assert sorted(one) == sorted(documented()[command])


# --- the rest
def test_version(cluster):
    version = cluster.json("version")
    assert version["engine_version"].startswith("20.") or version["engine_api_version"]
    assert cluster.hive("version", "--short").strip() == version["version"]


def test_doctor_finds_nothing(cluster):
    said = cluster.run("doctor", "-f", str(cluster.file))
    assert "no fault found" in said.stdout


def test_status(cluster):
    status = cluster.json("status")
    assert (status["managers_ready"], status["workers_ready"]) == (3, 2)
    assert status["balancer"]["in_service"] == 5
    assert "3 of 3 ready" in cluster.hive("status")


def test_events_since_and_followed(cluster):
    cluster.hive("node", "pause", "cmdtest-worker-2")
    cluster.hive("node", "activate", "cmdtest-worker-2")
    assert eventually(lambda: "node_availability cmdtest-worker-2"
                      in cluster.hive("events", "--since", "1h"))
    lines = []
    follower = subprocess.Popen([HIVE, "--cluster", cluster.name, "events", "-f", "--since", "0s",
                                 "--format", "json"], stdout=subprocess.PIPE, text=True)
    reader = threading.Thread(target=lambda: lines.extend(follower.stdout), daemon=True)
    reader.start()
    try:
        time.sleep(1)
        cluster.hive("node", "pause", "cmdtest-worker-1")
        cluster.hive("node", "activate", "cmdtest-worker-1")

        def told():
            return [event["reason"] for event in map(json.loads, list(lines))
                    if event["kind"] == "node_availability"]
        assert eventually(lambda: len(told()) == 2, 20), lines
        assert "pause" in told()[0] and "active" in told()[1]
    finally:
        follower.send_signal(2)
        assert follower.wait(20) == 130
    reader.join()


def test_followed_logs(cluster):
    lines = []
    follower = subprocess.Popen([HIVE, "--cluster", cluster.name, "logs", "-f", "--raw", "--tail", "0",
                                 "hive-server"], stdout=subprocess.PIPE, text=True)
    reader = threading.Thread(target=lambda: lines.extend(follower.stdout), daemon=True)
    reader.start()
    try:
        time.sleep(1)
        cluster.hive("service", "update", "--force", "-q", "--detach", "hive-server")
        assert eventually(lambda: lines, 60)  # Tomcat prints as it starts
    finally:
        follower.send_signal(2)
        assert follower.wait(20) == 130
    reader.join()
    cluster.up()


def test_as_dockers_plugin(cluster, tmp_path):
    config = tmp_path / "docker"
    cluster.hive("plugin", "install", "--dir", str(config / "cli-plugins"))

    def docker_hive(*args):
        return subprocess.run([DOCKER, "--config", config, "hive", *args], capture_output=True,
                              text=True, timeout=60, env={**os.environ, "HIVE_CLUSTER": cluster.name})
    assert docker_hive("node", "ls").stdout == cluster.hive("node", "ls")
    missing = docker_hive("service", "inspect", "nothing")
    assert missing.returncode == 4 and "nothing" in missing.stderr
    listed = subprocess.run([DOCKER, "--config", config, "info"], capture_output=True, text=True,
                            timeout=60, env={**os.environ, "DOCKER_HOST": "unix:///none"})
    assert "hive: Autopilot for web services on Docker Swarm" in listed.stdout
    assert "Usage" in docker_hive("--help").stdout or "hive" in docker_hive("--help").stdout


def complete_bash(cluster, tmp_path, line):
    """What bash would offer at the end of a line."""
    script = tmp_path / "complete.sh"
    script.write_text(
        "source \"$1\"; shift\n"
        "COMP_LINE=\"$1\"; read -ra COMP_WORDS <<< \"$1\"; [[ $1 == *' ' ]] && COMP_WORDS+=('')\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_POINT=${#COMP_LINE}\n"
        "spec=$(complete -p hive); function=${spec##*-F }; function=${function%% *}\n"
        "$function hive \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    completion = tmp_path / "hive.bash"
    completion.write_text(cluster.hive("completion", "bash"))
    path = tmp_path / "bin"
    path.mkdir(exist_ok=True)
    if not (path / "hive").exists():
        (path / "hive").symlink_to(HIVE)
    done = subprocess.run(["bash", script, completion, line], capture_output=True, text=True,
                          timeout=60, env={**os.environ, "HIVE_CLUSTER": cluster.name,
                                           "PATH": f"{path}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    return {word.strip() for word in done.stdout.split("\n")} - {""}


@pytest.mark.parametrize("line,offered", [
    ("hive no", {"node"}),
    ("hive node dr", {"drain"}),
    ("hive service ", {"ls", "ps", "scale", "rollback"}),
    ("hive node drain cmdtest-w", {"cmdtest-worker-1", "cmdtest-worker-2"}),
    ("hive service ps cmd", {"cmdtest_hive-server"}),
    ("hive node ls --for", {"--format"}),
    ("hive node ls --format ", {"table", "json"}),
    ("hive completion ", {"bash", "zsh", "fish"}),
])
def test_completion_in_bash(cluster, tmp_path, line, offered):
    assert complete_bash(cluster, tmp_path, line) >= offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_of_other_shells(cluster, shell):
    script = cluster.hive("completion", shell)
    assert "hive" in script and len(script.splitlines()) > 3
    program = f"/usr/bin/{shell}"
    if os.path.exists(program):  # what the shell itself says of it
        done = subprocess.run([program, "-n"], input=script, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
