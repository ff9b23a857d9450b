"""The commands on a Swarm where no controller of hive's runs: each says what is lost by it, and does what
Swarm alone can do, or refuses.
"""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import command, eventually  # noqa: E402
from lib.engine import Engine  # noqa: E402
from lib.image import make_rootfs  # noqa: E402

NOBODY = "no controller"


@pytest.fixture(scope="module")
def engine():
    with Engine(name="plain", address="10.213.11.1") as engine:
        rootfs = pathlib.Path(engine.root) / "rootfs.tar"
        make_rootfs(rootfs)
        engine.docker("import", str(rootfs), "app")
        engine.swarm_init()
        hive(engine, "service", "create", "--no-resolve-image", "--name", "web", "--stop-grace-period",
             "1s", "app", "sleep", "3600")
        yield engine


def hive(engine, *args, check=True):
    return command("--host", engine.host, *args, check=check, timeout=120)


def running(engine):
    return [task["id"] for task in json.loads(hive(
        engine, "service", "ps", "--format", "json", "web").stdout)
        if task["state"] == "running" and task["desired_state"] == "running"]


def node(engine):
    return json.loads(hive(engine, "node", "ls", "--format", "json").stdout)[0]


def test_a_scale_is_swarms_own_and_says_what_is_lost(engine):
    done = hive(engine, "service", "scale", "web=2")
    assert NOBODY in done.stderr and "cut off" in done.stderr
    assert len(running(engine)) == 2
    hive(engine, "service", "scale", "web=1")
    assert eventually(lambda: len(running(engine)) == 1)


def test_an_update_is_watched_by_swarm_alone(engine):
    before = running(engine)
    done = hive(engine, "service", "update", "--no-resolve-image", "--env-add", "A=1", "web")
    assert "answers" in done.stderr, done.stderr
    assert eventually(lambda: len(running(engine)) == 1 and running(engine) != before)
    refused = hive(engine, "service", "update", "--canary", "5s", "--env-add", "A=2", "web",
                   check=False)
    assert refused.returncode != 0 and "canary" in refused.stderr


def test_a_task_is_not_stopped(engine):
    before = running(engine)
    refused = hive(engine, "task", "stop", before[0], check=False)
    assert refused.returncode == 5 and NOBODY in refused.stderr
    assert running(engine) == before


def test_a_drain_is_swarms_own_and_says_so(engine):
    done = hive(engine, "node", "drain", node(engine)["hostname"])
    assert NOBODY in done.stderr and "all tasks of the node together" in done.stderr
    assert node(engine)["availability"] == "drain"
    assert eventually(lambda: running(engine) == [])
    done = hive(engine, "node", "activate", node(engine)["hostname"])
    assert NOBODY in done.stderr
    assert eventually(lambda: len(running(engine)) == 1)


def test_a_node_that_is_needed_is_not_removed(engine):
    refused = hive(engine, "node", "rm", node(engine)["hostname"], check=False)
    assert refused.returncode != 0 and NOBODY in refused.stderr
    assert node(engine)["status"] == "ready"


def test_events_and_doctor_name_what_is_missing(engine):
    events = hive(engine, "events", check=False)
    assert events.returncode == 5 and NOBODY in events.stderr
    doctor = hive(engine, "doctor", check=False)
    assert doctor.returncode == 1 and "does not answer" in doctor.stdout
