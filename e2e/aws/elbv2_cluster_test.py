"""hive up with an application balancer against machines: requests go through its target groups, an instance
comes and goes under load, and down leaves nothing. cluster_test.py is the same with a Classic one."""
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import cluster_test
from account import EMPTY, HIVE, inventory
from cluster_test import Images, Load, hive, tagged
from lib.image import make_image, server_command

FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: 3
  workers: {min: 1, max: 3}
  load_balancer:
    type: application
    listeners: ["8383:8080"]
  aws:
    region: eu-central-1
    image: %s
    worker_types: [m5.large]
    draining: 10s
services:
  web:
    image: e2e/server:1
    ports: ["8080:8080"]
    deploy: {replicas: 2}
"""
GROUP = "hive-shop-workers"


def get(aws):
    """The status of the application, asked through the balancer."""
    balancer, = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    try:
        with urllib.request.urlopen(f"http://{balancer['DNSName']}:8383/", timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def targets(aws):
    """{instance: state} of the application's target group."""
    elb = aws.client("elbv2")
    group, = [one for one in elb.describe_target_groups()["TargetGroups"] if one["Port"] == 8080]
    found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return {one["Target"]["Id"]: one["TargetHealth"]["State"]
            for one in found["TargetHealthDescriptions"]}


def lb_ls(aws):
    """What a manager says of the balancer."""
    manager = next(iter(tagged(aws, "manager").values()))
    out = subprocess.run([HIVE, "--host", manager["docker"], "lb", "ls", "--format", "json"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stdout + out.stderr
    return json.loads(out.stdout)


@pytest.fixture(scope="module")
def cluster(aws, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    images = Images(aws, make_image(folder, "e2e/server:1", server_command("200 OK")))
    aws.file = folder / "hive.yml"
    aws.file.write_text(FILE % aws.image)
    hive(aws, "up", "-f", str(aws.file), seconds=600)
    yield aws
    images.stopping = True
    images.join()


def test_the_application_answers_through_the_target_group(cluster):
    assert get(cluster) == 200
    everybody = set(tagged(cluster, "manager")) | set(tagged(cluster, "worker"))
    cluster.eventually(lambda: targets(cluster) == dict.fromkeys(everybody, "healthy"), 60)


def test_a_manager_shows_the_balancer(cluster):
    everybody = set(tagged(cluster, "manager")) | set(tagged(cluster, "worker"))

    def seen():
        return {one["instance"] for one in lb_ls(cluster)["targets"]
                if one["health"] == "in-service"} == everybody
    cluster.eventually(seen, 60)
    assert {(one["port"], one["instance_port"]) for one in lb_ls(cluster)["listeners"]} == {
        (8383, 8080), (5000, 5000)}


def test_an_instance_comes_and_goes_and_no_request_is_lost(cluster, monkeypatch):
    monkeypatch.setattr(cluster_test, "get", get)  # what Load asks
    scaling = cluster.client("autoscaling")
    load = Load(cluster)
    scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    both = cluster.in_states(GROUP, "InService", "InService", seconds=120)
    cluster.eventually(lambda: targets(cluster).get(both[1]) == "healthy", 60)

    def gone():
        state = targets(cluster).get(both[1])
        # Ended only once no target group has it any more.
        if both[1] not in tagged(cluster, "worker"):
            assert state is None
            return both[1] not in cluster.lifecycle_states(GROUP)
        return False
    manager = next(iter(tagged(cluster, "manager").values()))
    out = subprocess.run([HIVE, "--host", manager["docker"], "instance", "terminate", both[1]],
                         capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stdout + out.stderr
    cluster.eventually(gone, 180)
    assert load.stop() == [] and load.answered > 20


def test_down_leaves_nothing(cluster):
    hive(cluster, "down", "--yes", "-f", str(cluster.file))
    cluster.eventually(lambda: inventory(cluster) == EMPTY, 60)
