"""hive up with an application balancer and a warm pool against machines: requests go through its target
groups, an instance of the pool comes and goes under load, and down leaves nothing. cluster_test.py is the
same with a Classic one, and launches.

HIVE_AWS_BALANCER=network and HIVE_AWS_POOL=running are the same with those (docs/testing.md)."""
import json
import os
import pathlib
import urllib.request

import pytest

from account import EMPTY, inventory
from shop import FEWEST, GROUP, Load, Shop

BALANCER = os.environ.get("HIVE_AWS_BALANCER", "application")
POOL = os.environ.get("HIVE_AWS_POOL", "stopped")


@pytest.fixture(scope="module")
def shop(aws, tmp_path_factory):
    one = Shop(aws, tmp_path_factory.mktemp("shop"), BALANCER, managers=1,
               scale_in_after="10m", warm=f"size: 1, state: {POOL}")
    one.hive("up")
    return one


def targets(aws):
    """{instance: state} of the application's target group."""
    elb = aws.client("elbv2")
    group, = [one for one in elb.describe_target_groups()["TargetGroups"] if one["Port"] == 8080]
    found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return {one["Target"]["Id"]: one["TargetHealth"]["State"]
            for one in found["TargetHealthDescriptions"]}


def version(address):
    with urllib.request.urlopen(f"http://{address}/", timeout=20) as answer:
        return answer.read().decode().split()[2]


def rests(aws):
    """The instance that waits in the pool, as soon as it does."""
    def look():
        found = aws.warm_states(GROUP)
        return list(found) if list(found.values()) == [f"Warmed:{POOL.capitalize()}"] else None
    return aws.eventually(look, 180)[0]


def log(aws, instance, name):
    path = pathlib.Path(aws.machines()[instance]["root"]) / "var/log/hive" / name
    return path.read_text() if path.exists() else ""


def test_the_application_answers_through_the_target_group(aws, shop):
    assert version(shop.address()) == "1.0"
    everybody = {*shop.managers(), *shop.workers()}
    aws.eventually(lambda: targets(aws) == dict.fromkeys(everybody, "healthy"), 60)


def test_a_manager_shows_the_balancer(aws, shop):
    everybody = {*shop.managers(), *shop.workers()}

    def told():
        return json.loads(shop.on_a_manager("lb", "ls", "--format", "json") or "null")
    aws.eventually(lambda: told() and {one["instance"] for one in told()["targets"]
                                       if one["health"] == "in-service"} == everybody, 60)
    assert {(one["port"], one["instance_port"]) for one in told()["listeners"]} == {
        (80, 8080), (5000, 5000)}


def test_a_prepared_worker_rests_in_the_warm_pool(aws, shop):
    """It was let into it by a manager, and is no part of the cluster."""
    one = rests(aws)
    assert "instance_warmed" in shop.events()
    assert "waits for its group to take it out of the warm pool" in log(aws, one, "boot.log")
    assert aws.machines()[one]["status"] == ("off" if POOL == "stopped" else "up")
    assert shop.in_service(2) and len(shop.nodes()) == 3, shop.nodes()
    assert one not in targets(aws)


def test_an_instance_comes_and_goes_and_no_request_is_lost(aws, shop, tmp_path):
    prepared, before = rests(aws), set(shop.workers())
    first_boot = log(aws, prepared, "boot.log")
    with Load(shop, 20, 1, tmp_path) as load:
        shop.says("1.0", "min: 5, max: 5")  # two workers have room for four
        shop.hive("up")
        came, = aws.eventually(lambda: set(shop.workers()) - before, 60)
        assert came == prepared, "it is taken out of the pool"
        aws.eventually(lambda: targets(aws).get(came) == "healthy", 180)
        aws.eventually(lambda: shop.in_service(3), 60)
        later = log(aws, came, "boot.log").removeprefix(first_boot)
        if POOL == "stopped":
            assert "joined the Swarm" in log(aws, came, "node-boot.log")
            assert "hive" not in later, "user data is run once"
        else:
            assert "joined the Swarm" in later, "it is the boot that waited"
        assert version(f"{aws.machines()[came]['address']}:8080") == "1.0"
        assert rests(aws) != came, "the pool is filled again"
        shop.says("1.0", FEWEST)
        shop.hive("up")
        shop.on_a_manager("instance", "terminate", "--detach", came)

        def gone():
            if aws.machines().get(came, {}).get("status") == "up":
                return False
            assert came not in targets(aws), "ended only once no target group has it any more"
            return came not in shop.workers()
        aws.eventually(gone, 240)
        summary = load.end()
    assert summary["failed"] == 0 and summary["requests"] > 500, summary


def test_down_leaves_nothing(aws, shop):
    shop.hive("down", "--yes")
    aws.eventually(lambda: inventory(aws) == {**EMPTY, "repositories": ["shop/web"]}, 60)
