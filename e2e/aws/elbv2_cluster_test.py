"""hive up with an application balancer against machines: requests go through its target groups, an instance
comes and goes under load, and down leaves nothing. cluster_test.py is the same with a Classic one."""
import json
import urllib.request

import pytest

from account import EMPTY, inventory
from shop import GROUP, Load, Shop


@pytest.fixture(scope="module")
def shop(aws, tmp_path_factory):
    one = Shop(aws, tmp_path_factory.mktemp("shop"), "application", managers=1,
               scale_in_after="10m")
    one.hive("up")
    return one


def targets(aws):
    """{instance: state} of the application's target group."""
    elb = aws.client("elbv2")
    group, = [one for one in elb.describe_target_groups()["TargetGroups"] if one["Port"] == 8080]
    found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return {one["Target"]["Id"]: one["TargetHealth"]["State"]
            for one in found["TargetHealthDescriptions"]}


def test_the_application_answers_through_the_target_group(aws, shop):
    with urllib.request.urlopen(f"http://{shop.address()}/", timeout=20) as answer:
        assert answer.read().decode().split()[2] == "1.0"
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


def test_an_instance_comes_and_goes_and_no_request_is_lost(aws, shop, tmp_path):
    with Load(shop, 20, 1, tmp_path) as load:
        before = set(shop.workers())
        aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
        came, = aws.eventually(lambda: set(shop.workers()) - before, 60)
        aws.eventually(lambda: targets(aws).get(came) == "healthy", 180)
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
