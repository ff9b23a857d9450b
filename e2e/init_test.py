"""hive-init under a real Docker Engine and a real Swarm: what the tests beside its code, which need
no engine, cannot show. `init_tool` is the agent's end of the protocol."""
import os
import shutil
import threading
import time

import pytest

from lib.engine import Engine
from lib.image import make_rootfs

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("HIVE_BUILD_DIR", os.path.join(REPOSITORY, "build", "release"))
HIVE_INIT = os.path.join(BUILD, "bin", "hive-init")
TOOL = os.path.join(BUILD, "src", "init", "init_tool")

# Serves until it is told to stop, and then takes a moment to end with a code of its own. What it
# hears is kept in a file.
APPLICATION = """
heard() { echo "$1" >> /heard/$NAME; }
trap 'heard TERM; sleep 0.2; heard end; exit 7' TERM
trap 'heard QUIT; exit 8' QUIT
trap 'heard USR1' USR1
trap 'heard HUP' HUP
heard start
while :; do sleep 0.05; done
"""


@pytest.fixture(scope="module")
def engine():
    with Engine(name="init", address="10.213.8.1", extra_args=["--init-path", HIVE_INIT]) as engine:
        prepare(engine)
        engine.swarm_init()
        yield engine


def prepare(engine):
    rootfs = os.path.join(engine.root, "rootfs.tar")
    make_rootfs(rootfs)
    engine.docker("import", rootfs, "app")
    os.makedirs(os.path.join(engine.root, "heard"), mode=0o777)
    os.chmod(os.path.join(engine.root, "heard"), 0o777)


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class Container:
    """A container of the application, by `docker run`."""

    def __init__(self, engine, name, *options, init=True, command=("sh", "-c", APPLICATION)):
        self.engine, self.name = engine, name
        os.makedirs(os.path.join(engine.root, "heard"), exist_ok=True)
        self.id = engine.docker(
            "run", "--detach", "--name", name, *(["--init"] if init else []), "--network", "none",
            "--volume", f"{engine.root}/heard:/heard", "--env", f"NAME={name}", *options, "app",
            *command).stdout.strip()

    def heard(self):
        return heard(self.engine, self.name)

    def started(self):
        wait_for(lambda: self.heard()[:1] == ["start"], "the application does not start")
        return self

    def inspect(self):
        return self.engine.get(f"/containers/{self.id}/json")

    def state(self):
        return self.inspect()["State"]

    def tool(self, verb, *arguments, check=True):
        return tool(self.engine, self.state()["Pid"], verb, *arguments, check=check)

    def await_state(self, state):
        wait_for(lambda: self.tool("state").stdout.strip() == state, f"{self.name} is not {state}")

    def arm(self, signal=15, timeout_ms=60_000):
        self.tool("arm", str(signal), str(timeout_ms))
        self.await_state("armed")
        return self

    def claim(self):
        self.await_state("held")
        self.tool("claim", "300000")
        self.await_state("claimed")

    def finish(self):
        """The rest of the way, from claimed on."""
        assert self.heard() == ["start"], "the application knows already"
        self.tool("stop")
        self.await_state("flushing")
        assert self.heard() == ["start", "TERM", "end"]
        self.tool("release", "1000")

    def remove(self):
        self.engine.docker("rm", "--force", "--volumes", self.name)


def heard(engine, name):
    try:
        with open(os.path.join(engine.root, "heard", name)) as f:
            return f.read().split()
    except FileNotFoundError:
        return []


def tool(engine, pid, verb, *arguments, check=True):
    return engine.inside(TOOL, verb, str(pid), *arguments, check=check)


@pytest.fixture
def run(engine, request):
    """run("name", *docker's options) -> a started Container, removed after the test."""
    made = []

    def make(*options, **how):
        name = f"{request.node.name[5:30]}{len(made)}".replace("[", "-").replace("]", "")
        made.append(Container(engine, name, *options, **how))
        return made[-1]
    yield make
    for container in made:
        container.remove()


class Background(threading.Thread):
    """A docker command that blocks, and how it ended."""

    def __init__(self, engine, *command):
        super().__init__(daemon=True)
        self.engine, self.command = engine, command
        self.start()

    def run(self):
        self.result = self.engine.docker(*self.command, check=False)

    def end(self):
        self.join(90)
        assert not self.is_alive(), self.command
        return self.result


# --- single containers
def test_the_engine_names_its_init(engine):
    info = engine.get("/info")
    assert info["InitBinary"] == HIVE_INIT
    assert info["InitCommit"]["ID"] == "hive-init-1"  # what agents recognise an engine by


def test_a_stop_is_held_and_ends_with_the_applications_code(engine, run):
    container = run().started().arm()
    stop = Background(engine, "stop", "--time", "60", container.name)
    container.claim()
    container.finish()
    stop.end()
    assert container.state()["ExitCode"] == 7


def test_unclaimed_a_stop_goes_on_by_itself(engine, run):
    container = run().started().arm(timeout_ms=200)
    engine.docker("stop", "--time", "60", container.name)
    assert container.heard() == ["start", "TERM", "end"]
    assert container.state()["ExitCode"] == 7


def test_unarmed_it_is_tini(engine, run):
    container = run().started()
    assert container.tool("state").stdout.strip() == "idle"
    engine.docker("stop", "--time", "60", container.name)
    assert container.heard() == ["start", "TERM", "end"]
    assert container.state()["ExitCode"] == 7


def test_the_end_of_the_grace_period_kills(engine, run):
    container = run().started().arm()
    stop = Background(engine, "stop", "--time", "2", container.name)
    container.claim()
    stop.end()
    assert container.heard() == ["start"]
    assert container.state()["ExitCode"] == 137


def test_the_images_stop_signal(engine, run):
    container = run("--stop-signal", "SIGQUIT").started().arm(signal=3)
    engine.docker("kill", "--signal", "TERM", container.name)
    wait_for(lambda: "TERM" in container.heard(), "TERM is not passed on")
    other = run("--stop-signal", "SIGQUIT").started().arm(signal=3)
    stop = Background(engine, "stop", "--time", "60", other.name)
    other.claim()
    assert other.heard() == ["start"]
    other.tool("stop")
    stop.end()
    assert other.heard() == ["start", "QUIT"]


def test_docker_kill_and_docker_exec_during_a_hold(engine, run):
    container = run().started().arm()
    engine.docker("kill", "--signal", "USR1", container.name)
    wait_for(lambda: container.heard() == ["start", "USR1"], "USR1 is not passed on")
    engine.docker("kill", "--signal", "TERM", container.name)  # as good a stop as any
    container.claim()
    engine.docker("kill", "--signal", "HUP", container.name)
    wait_for(lambda: container.heard() == ["start", "USR1", "HUP"], "HUP is not passed on")
    assert engine.docker("exec", container.name, "echo", "here").stdout == "here\n"
    container.tool("stop")
    container.await_state("flushing")
    assert engine.docker("exec", container.name, "cat", f"/heard/{container.name}").stdout.split() \
        == ["start", "USR1", "HUP", "TERM", "end"]
    # A command of docker exec that still runs is told to stop too, and does not hold the end up.
    engine.docker("exec", "--detach", container.name, "sleep", "1000")
    container.tool("release", "60000")
    wait_for(lambda: not container.state()["Running"], "it does not end", seconds=20)
    assert container.state()["ExitCode"] == 7


def test_a_user_without_rights_and_a_root_that_is_read_only(engine, run):
    container = run("--user", "65534:65534", "--read-only", "--cap-drop", "ALL",
                    "--security-opt", "no-new-privileges").started().arm()
    stop = Background(engine, "stop", "--time", "60", container.name)
    container.claim()
    container.finish()
    stop.end()
    assert container.state()["ExitCode"] == 7


def test_an_entry_script_with_a_shipper_beside_the_application(engine, run):
    """stop_command ends the application; the entry script and the shipper live on, and go last."""
    script = """
shipper() { trap 'echo shipped >> /heard/$NAME; exit 0' TERM; while :; do sleep 0.05; done; }
shipper &
(echo start >> /heard/$NAME; while [ ! -e /tmp/stop ]; do sleep 0.05; done) &
echo $! > /tmp/application
trap 'exit 0' TERM
while :; do sleep 0.05; done
"""
    container = run("--tmpfs", "/tmp", command=("sh", "-c", script)).started().arm()
    stop = Background(engine, "stop", "--time", "60", container.name)
    container.claim()
    container.tool("stop-without-signal")
    container.await_state("stopping")
    engine.docker("exec", container.name, "sh", "-c",
                  "echo > /tmp/stop; while kill -0 $(cat /tmp/application); do sleep 0.05; done")
    assert container.state()["Running"]
    container.tool("release", "60000")
    stop.end()
    assert container.heard() == ["start", "shipped"]
    assert container.state()["ExitCode"] == 0


def test_a_container_outlives_an_upgrade_of_its_init(tmp_path):
    installed = tmp_path / "hive-init"
    shutil.copy(HIVE_INIT, installed)
    with Engine(name="upgrade", address="10.213.9.1",
                extra_args=["--init-path", str(installed)]) as engine:
        prepare(engine)
        old = Container(engine, "old").started()
        shutil.copy(HIVE_INIT, tmp_path / "fresh")
        os.rename(tmp_path / "fresh", installed)
        new = Container(engine, "new").started()
        for container in (old, new):
            container.arm()
            stop = Background(engine, "stop", "--time", "60", container.name)
            container.claim()
            container.finish()
            stop.end()
            assert container.state()["ExitCode"] == 7


# --- images that are process 1 themselves, and engines without hive-init
def test_an_image_that_insists_on_being_process_1(engine, run):
    """As s6-overlay does: it refuses under any init, and init: false is its way out."""
    insists = ("sh", "-c", '[ $$ = 1 ] || exit 100; exec sleep 1000')
    refused = run(command=insists)
    wait_for(lambda: not refused.state()["Running"], "it runs under an init")
    assert refused.state()["ExitCode"] == 100
    alone = run(init=False, command=insists)
    # After the exec the image's own program is process 1.
    wait_for(lambda: alone.tool("identify").stdout.strip() == "busybox", "it does not run")
    answer = alone.tool("state", check=False)
    assert answer.returncode == 1
    assert "busybox runs as PID 1" in answer.stderr and "not hive-init" in answer.stderr


def test_an_engine_that_was_not_told_of_hive_init():
    with Engine(name="tini", address="10.213.9.1") as engine:
        prepare(engine)
        container = Container(engine, "app").started()
        assert container.tool("identify").stdout.strip() == "tini"
        refused = container.tool("arm", "15", check=False)
        assert refused.returncode == 1 and "tini runs as PID 1" in refused.stderr
        # And the application was not harmed by the question.
        assert container.state()["Running"] and container.heard() == ["start"]


# --- a stopping engine: its stop signal, again 2 s later, SIGKILL at 10 s
def test_a_stopping_engine():
    with Engine(name="stopping", address="10.213.9.1",
                extra_args=["--init-path", HIVE_INIT]) as engine:
        prepare(engine)
        orderly = Container(engine, "orderly").started().arm()
        unclaimed = Container(engine, "unclaimed").started().arm(timeout_ms=500)
        cut_short = Container(engine, "cut-short").started().arm()
        pids = {one.name: one.state()["Pid"] for one in (orderly, unclaimed, cut_short)}

        def state(name):
            return tool(engine, pids[name], "state", check=False).stdout.strip()
        engine.stop_daemon()
        for name in ("orderly", "cut-short"):
            wait_for(lambda: state(name) == "held", f"{name} is not held")
            tool(engine, pids[name], "claim", "300000")
            wait_for(lambda: state(name) == "claimed", f"{name} is not claimed")
        time.sleep(3)  # past the second signal
        assert state("orderly") == "claimed" and orderly.heard() == ["start"]
        tool(engine, pids["orderly"], "stop")
        wait_for(lambda: state("orderly") == "flushing", "it does not flush")
        tool(engine, pids["orderly"], "release", "500")
        engine.wait_daemon()
        assert orderly.heard() == ["start", "TERM", "end"]
        assert unclaimed.heard() == ["start", "TERM", "end"]
        assert cut_short.heard() == ["start"]


# --- Swarm
def service(engine, name, replicas, **container):
    spec = {
        "Name": name, "Mode": {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": {"Parallelism": 1, "Order": "stop-first"},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "app", "Init": True, "Args": ["sh", "-c", APPLICATION],
                              "Env": ["NAME={{.Task.Name}}"], "StopGracePeriod": 60_000_000_000,
                              "Mounts": [{"Type": "bind", "Source": engine.root + "/heard",
                                          "Target": "/heard"}], **container},
            "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000}}}
    return engine.request("POST", "/services/create", spec)["ID"]


def tasks(engine, service_id):
    return engine.get("/tasks", {"service": [service_id]})


def running(engine, service_id):
    return [one for one in tasks(engine, service_id) if one["Status"]["State"] == "running"]


def pid_of(task):
    return task["Status"]["ContainerStatus"]["PID"]


def await_tool_state(engine, task, state):
    wait_for(lambda: tool(engine, pid_of(task), "state", check=False).stdout.strip() == state,
             f"{task['ID']} is not {state}")


def task_name(task, name):
    return f"{name}.{task['Slot']}.{task['ID']}"


def change(engine, service_id, edit):
    now = engine.get(f"/services/{service_id}")
    edit(now["Spec"])
    engine.request("POST", f"/services/{service_id}/update?version={now['Version']['Index']}",
                   now["Spec"])


def arm_all(engine, service_id, name, replicas):
    wait_for(lambda: len(running(engine, service_id)) == replicas, f"{name} does not run")
    found = running(engine, service_id)
    for task in found:
        wait_for(lambda: heard(engine, task_name(task, name)) == ["start"], "it does not start")
        tool(engine, pid_of(task), "arm", "15", "60000")
        await_tool_state(engine, task, "armed")
    return found


def test_a_scale_in_of_swarm_is_held(engine):
    service_id = service(engine, "scaled", 2)
    try:
        found = arm_all(engine, service_id, "scaled", 2)

        def one(spec):
            spec["Mode"]["Replicated"]["Replicas"] = 1
        change(engine, service_id, one)
        states = {}

        def held():
            for task in found:
                states[task["ID"]] = tool(engine, pid_of(task), "state").stdout.strip()
            return "held" in states.values()
        wait_for(held, "no task is held")
        leaving = [task for task in found if states[task["ID"]] == "held"]
        assert len(leaving) == 1
        task, name = leaving[0], task_name(leaving[0], "scaled")
        tool(engine, pid_of(task), "claim", "300000")
        await_tool_state(engine, task, "claimed")
        assert heard(engine, name) == ["start"]
        tool(engine, pid_of(task), "stop")
        await_tool_state(engine, task, "flushing")
        # Told and ended, and still the container and its files are there.
        container = task["Status"]["ContainerStatus"]["ContainerID"]
        assert engine.get(f"/containers/{container}/json")["State"]["Running"]
        tool(engine, pid_of(task), "release", "1000")
        wait_for(lambda: len(tasks(engine, service_id)) == 1, "the task does not go")
        assert heard(engine, name) == ["start", "TERM", "end"]
    finally:
        engine.request("DELETE", f"/services/{service_id}")


def test_swarm_sees_the_applications_exit_code(engine):
    service_id = service(engine, "updated", 1)
    try:
        task, = arm_all(engine, service_id, "updated", 1)

        def again(spec):
            spec["TaskTemplate"]["ForceUpdate"] = 1
        change(engine, service_id, again)
        await_tool_state(engine, task, "held")
        tool(engine, pid_of(task), "claim", "300000")
        tool(engine, pid_of(task), "stop")
        await_tool_state(engine, task, "flushing")
        # Stop-first: nothing new runs while the old container is kept.
        assert [one["ID"] for one in running(engine, service_id)] == [task["ID"]]
        tool(engine, pid_of(task), "release", "1000")

        def ended():
            return engine.get(f"/tasks/{task['ID']}")["Status"]
        wait_for(lambda: ended()["State"] != "running", "the old task does not end")
        assert ended()["ContainerStatus"]["ExitCode"] == 7
        wait_for(lambda: len(running(engine, service_id)) == 1, "no new task runs")
    finally:
        engine.request("DELETE", f"/services/{service_id}")
