"""hive aws apply and remove when AWS misbehaves, and when they are killed: what comes out in the end is
the same, nothing is made twice, and nothing is left behind."""
import os
import random
import signal
import subprocess

import pytest

from account import EMPTY, HIVE, inventory, run
from proxy import LOOKS


def until_it_succeeds(moto, config, verb, runs):
    """Its output joined; fails when it needs more than `runs`."""
    said = ""
    for _ in range(runs):
        out = subprocess.run(
            [HIVE, "aws", verb, "--yes", "-f", str(config)], capture_output=True, text=True,
            timeout=300, env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": moto.url,
                              "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "very-secret"})
        said += out.stdout + out.stderr
        assert "very-secret" not in said
        if out.returncode == 0:
            return said
    raise AssertionError(said)


def check_made(moto):
    there = inventory(moto)
    assert len(there["machines"]) == 5
    for kind, count in {"groups": 2, "templates": 2, "scaling": 1, "balancers": 1, "roles": 2,
                        "profiles": 2, "repositories": 1}.items():
        assert len(there[kind]) == count, (kind, there)


@pytest.mark.parametrize("kind", ["throttled", "broken", "lost"])
def test_each_calls_first_attempt_fails(moto, proxy, config, kind):
    """One run is enough: each call is tried again."""
    proxy.fault = lambda name, before: kind if before == 0 else None
    until_it_succeeds(moto, config, "apply", runs=1)
    check_made(moto)
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))
    proxy.calls.clear()
    until_it_succeeds(moto, config, "remove", runs=1)
    assert inventory(moto) == EMPTY


@pytest.mark.parametrize("kind", ["broken", "garbage", "lost"])
def test_each_changing_call_fails_for_a_whole_run(moto, proxy, config, kind):
    fail_each_changing_call(moto, proxy, config, kind, check_made)


def fail_each_changing_call(moto, proxy, config, kind, check):
    """The next run goes on; a call that fails so once is let through from then on."""
    failed, failing = set(), []

    def fault(name, before):
        if name.startswith(LOOKS) or name in failed:
            return None
        if not failing:
            failing.append(name)
        return kind if failing == [name] else None
    proxy.fault = fault
    for verb in ("apply", "remove"):
        for _ in range(30):
            failing.clear()
            out = subprocess.run(
                [HIVE, "aws", verb, "--yes", "-f", str(config)], capture_output=True, text=True,
                timeout=300, env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": proxy.url,
                                  "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "s",
                                  "AWS_MAX_ATTEMPTS": "2"})
            if out.returncode == 0:
                break
            assert failing, out.stdout + out.stderr
            failed.update(failing)
        assert out.returncode == 0, out.stdout + out.stderr
        if verb == "apply":
            check(moto)
    assert inventory(moto) == EMPTY
    assert len(failed) >= 20, failed


def test_killed_at_any_moment(moto, proxy, config):
    kill_at_any_moment(moto, proxy, config, check_made)


def kill_at_any_moment(moto, proxy, config, check):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    for verb in ("apply", "remove"):
        for _ in range(6):
            victim = []
            last = rng.randrange(5, 60)  # killed at that call's answer
            proxy.calls.clear()

            def fault(name, before):
                if len(proxy.calls) == last and victim:
                    os.kill(victim[0].pid, signal.SIGKILL)
                return None
            proxy.fault = fault
            victim.append(subprocess.Popen(
                [HIVE, "aws", verb, "--yes", "-f", str(config)], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": proxy.url,
                     "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "s"}))
            victim[0].wait(timeout=300)
        proxy.fault = lambda name, before: None
        until_it_succeeds(moto, config, verb, runs=1)
        if verb == "apply":
            check(moto)
            assert "nothing changed" in until_it_succeeds(moto, config, "apply", runs=1)
    assert inventory(moto) == EMPTY


def test_a_zone_without_capacity_does_not_stall_the_rest(moto, proxy, config):
    subnets = {one["AvailabilityZone"]: one["SubnetId"]
               for one in moto.client("ec2").describe_subnets()["Subnets"]}
    proxy.full_subnets = {subnets["eu-central-1b"]}
    said = until_it_succeeds(moto, config, "apply", runs=1)
    assert "in eu-central-1c, the next zone with capacity" in said
    check_made(moto)
    assert "nothing changed" in until_it_succeeds(moto, config, "apply", runs=1)


def test_no_capacity_anywhere_is_said_and_what_else_is_there_stays(moto, proxy, config):
    proxy.full_subnets = {one["SubnetId"]
                          for one in moto.client("ec2").describe_subnets()["Subnets"]}
    said = run(moto, "aws", "apply", "--yes", "-f", str(config), code=1)
    assert "AWS has no capacity for this just now" in said
    proxy.full_subnets = set()
    until_it_succeeds(moto, config, "apply", runs=1)
    check_made(moto)
