"""Machines of a stock Debian 12 image: cloud-init fetches hive's package and installs it, and they are a
cluster that serves; the image that `hive image bake` makes of one boots workers that install nothing.
`./dev test stock_image` makes the image and the package first."""
import hashlib
import os
import pathlib
import re
import urllib.request

import pytest

from account import EMPTY, inventory
from harness.run import ROOT, Harness
from shop import Shop

STOCK = ROOT / "build/stock"


@pytest.fixture(scope="module")
def aws():
    with Harness("aws-stock", machines=True, stock=str(STOCK / "root")) as harness:
        yield harness


@pytest.fixture(scope="module")
def shop(aws, tmp_path_factory):
    package = STOCK / "hive.deb"
    checksum = hashlib.sha256(package.read_bytes()).hexdigest()
    aws.cut_downloads(times=2)
    one = Shop(aws, tmp_path_factory.mktemp("shop"), managers=1,
               more=f"package: {aws.offer(file=str(package))['url']}#sha256={checksum}")
    one.says("1.0", "min: 2, max: 4")
    one.said = one.hive("up")
    return one


def last_boot(machine):
    """What it said since; before it, of a baked image, is what the machine said that it was made of."""
    return machine["boot_log"].rpartition("running 'init-local'")[2]


def test_the_image_has_nothing_of_hive():
    programs = {"hive", "hive-init", "dockerd", "docker", "haproxy"}
    found = [path for path in (STOCK / "root").rglob("*")
             if path.name in programs and path.is_file() and os.access(path, os.X_OK)]
    assert found == []


def test_machines_install_the_package_and_become_a_cluster_that_serves(aws, shop):
    assert "stack shop is deployed" in shop.said
    nodes = shop.nodes()
    assert len(nodes) == 3 and {state for _, state in nodes.values()} == {"Ready"}, nodes
    assert set(shop.workers().values()) == {"InService"}
    with urllib.request.urlopen(f"http://{shop.address()}/", timeout=20) as answer:
        assert answer.read().decode().split()[2] == "1.0"
    machines = aws.machines()
    assert len(machines) == 3
    for name, machine in machines.items():
        assert "install ok installed" in aws.inside(name, "dpkg-query", "-W", "-f", "${Status}", "hive")
        assert machine["cloud_init"]["v1"]["errors"] == [], machine["cloud_init"]
        for program in ("hive", "hive-init"):
            own = pathlib.Path(machine["root"]) / "usr/local/bin" / program
            assert own.read_bytes() and aws.inside(name, "dpkg", "-S", f"/usr/local/bin/{program}")
    again = [one for one in machines.values() if "failed, and is tried again in 1 s: fetch" in last_boot(one)]
    assert again, "the two downloads that were cut"
    assert "made" not in shop.hive("up")


def test_workers_of_the_image_that_is_baked_install_nothing(aws, shop):
    before = set(shop.workers())
    image, = re.findall(r"^ami-\w+$", shop.hive("image", "bake"), re.MULTILINE)
    shop.more = f"image: {image}"
    shop.says("1.0", "min: 2, max: 4")
    assert image in shop.hive("up", "--dry-run")
    shop.hive("up")
    taken = sorted(before)[0]
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=taken, ShouldDecrementDesiredCapacity=False)
    aws.eventually(lambda: taken not in shop.workers() and shop.in_service(2), 240)
    new, = set(shop.workers()) - before
    said = last_boot(aws.machines()[new])
    assert "is a node of the Swarm" in said and "install" not in said, said
    aws.eventually(lambda: len(shop.running()) == 2, 120)
    with urllib.request.urlopen(f"http://{shop.address()}/", timeout=20) as answer:
        assert answer.read().decode().split()[2] == "1.0"


def test_down_leaves_nothing(aws, shop):
    assert "cluster shop is removed" in shop.hive("down", "--yes")
    aws.eventually(lambda: inventory(aws) == {**EMPTY, "repositories": ["shop/web"]})
    aws.eventually(lambda: aws.machines() == {})
