"""A zone is lost with two of three managers in it: what runs is served on, `hive up` says the command that
makes a Swarm of the manager that is left, and after it everything is as the file asks."""
import json
import re
import subprocess
import time
import urllib.request

import pytest

from account import EMPTY, inventory
from shop import Load, Shop

LOST, KEPT = "eu-central-1a", "eu-central-1b"


@pytest.fixture(scope="module")
def shop(aws, tmp_path_factory):
    subnets = [one["SubnetId"] for one in aws.client("ec2").describe_subnets()["Subnets"]
               if one["AvailabilityZone"] in (LOST, KEPT)]
    one = Shop(aws, tmp_path_factory.mktemp("shop"),
               more=f"image: {aws.image}\n    subnets: {json.dumps(subnets)}")
    one.says("1.0", "min: 2, max: 4")
    one.hive("up")
    return one


def version(shop):
    with urllib.request.urlopen(f"http://{shop.address()}/", timeout=20) as answer:
        return answer.read().decode().split()[2]


def test_what_runs_is_served_on(aws, shop, tmp_path):
    zones = shop.zones()
    assert sorted(zones[one] for one in shop.managers()) == [LOST, LOST, KEPT]
    assert sorted(zones[one] for one in shop.workers()) == [LOST, KEPT]
    aws.lose_zone(zone=LOST)
    time.sleep(40)  # until the balancer sends it nothing: two checks that fail, and what waits on them
    with Load(shop, 20, 1, tmp_path) as load:
        time.sleep(10)
        summary = load.end()
    assert summary["failed"] == 0 and summary["requests"] > 150, summary
    assert shop.nodes() == {}, "no manager answers for the Swarm"


def test_hive_up_says_the_repair_and_after_it_ends_well(aws, shop):
    said = shop.hive("up", "--timeout", "90s", code=3)
    assert "2 of the Swarm's 3 managers are gone, and with them its quorum" in said, said
    instance, command = re.search(r"On \S+ \((i-\w+)\) run '(docker swarm init [^']+)'", said).groups()
    assert instance in shop.managers()
    words = command.split()
    done = subprocess.run([words[0], "--host", aws.machines()[instance]["docker"], *words[1:]],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = shop.hive("up")
    wanted = {f"shop-manager-{number}": ("manager", "Ready") for number in (1, 2, 3)}
    aws.eventually(lambda: wanted.items() <= shop.nodes().items() and len(shop.nodes()) == 5, 240)
    aws.eventually(lambda: shop.in_service(2) and len(shop.running()) == 2, 240)
    assert version(shop) == "1.0"
    assert "made" not in shop.hive("up")
    shop.says("1.1", "min: 2, max: 4")
    shop.hive("up")
    aws.eventually(lambda: {version(shop) for _ in range(8)} == {"1.1"}, 120)


def test_down_leaves_nothing(aws, shop):
    assert "cluster shop is removed" in shop.hive("down", "--yes")
    aws.eventually(lambda: inventory(aws) == {**EMPTY, "repositories": ["shop/web"]})
    aws.eventually(lambda: aws.machines() == {})
