"""An availability zone is lost, on the harness without machines: what hive up, the workers' group and a
manager's own launch make of it. A thread does what managers do on the notice board."""
import json
import os
import subprocess
import time

import pytest

import account
from account import apply, run
from harness.run import Harness
from up_test import Managers

GROUP = "hive-shop-workers"
SAMPLES = os.path.join(os.environ["HIVE_BUILD_DIR"], "bin/aws_samples")
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


@pytest.fixture(scope="module")
def emulated():
    with Harness("awszone") as harness:
        yield harness


@pytest.fixture
def aws(emulated):
    emulated.reset()
    return emulated


@pytest.fixture
def config(aws, tmp_path):
    path = tmp_path / "hive.yml"
    certificate = aws.client("acm").request_certificate(DomainName="shop.example.org")
    path.write_text(account.FILE % (certificate["CertificateArn"], aws.image))
    return path


@pytest.fixture
def managers(aws):
    one = Managers(aws)
    yield one
    one.stop()


def zones(aws, role):
    """{name, or id of a worker: zone} of the machines that are there."""
    pages = aws.client("ec2").describe_instances(Filters=[
        {"Name": "tag:hive:role", "Values": [role]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
    return {one["InstanceId"] if role == "worker" else
            {tag["Key"]: tag["Value"] for tag in one["Tags"]}["Name"]: one["Placement"]["AvailabilityZone"]
            for page in pages for one in page["Instances"]}


def launch_by_a_manager(aws, name):
    out = subprocess.run([SAMPLES, "launch", "shop", name], capture_output=True, text=True, timeout=60,
                         env=aws.environment)
    assert out.returncode == 0, out.stdout + out.stderr
    return json.loads(out.stdout)


def test_workers_and_managers_come_in_the_other_zones(aws, config, managers):
    run(aws, "up", "-f", str(config))
    before = zones(aws, "manager")
    assert before == {"shop-manager-1": ZONES[0], "shop-manager-2": ZONES[1], "shop-manager-3": ZONES[2]}
    lost = sorted(zones(aws, "worker").values())[0]
    gone, = (name for name, zone in before.items() if zone == lost)

    aws.lose_zone(zone=lost)
    assert zones(aws, "manager").keys() == before.keys() - {gone}, "still a quorum"
    # By the group itself, without a word of hive's.
    workers = aws.eventually(lambda: len(zones(aws, "worker")) == 2 and zones(aws, "worker"))
    assert lost not in workers.values()

    made = launch_by_a_manager(aws, gone)
    place = zones(aws, "manager")[gone]
    assert "InsufficientInstanceCapacity" in made["detour"] and lost in made["detour"]
    assert made["detour"].endswith(f"it comes in {place} instead")
    assert launch_by_a_manager(aws, gone)["id"] == made["id"], "no second one"

    said = run(aws, "up", "-f", str(config))
    assert "made manager" not in said
    assert "everything is as the file asks" in run(aws, "up", "--dry-run", "-f", str(config))

    # The next one, by hive up.
    another, = set(ZONES) - {lost, place}
    aws.lose_zone(zone=another)
    said = run(aws, "up", "-f", str(config))
    assert f"in {place}, the next zone with capacity" in said
    assert zones(aws, "manager") == dict.fromkeys(before, place)
    for zone in (lost, another):
        aws.regain_zone(zone=zone)
    plan = run(aws, "up", "--dry-run", "-f", str(config))
    assert "everything is as the file asks" in plan and "note:" not in plan


def test_with_two_zones_the_quorum_may_go_and_the_repair_is_said(aws, config, managers):
    subnets = [one["SubnetId"] for one in aws.client("ec2").describe_subnets()["Subnets"]
               if one["AvailabilityZone"] != ZONES[2]]
    config.write_text(config.read_text().replace("  aws:\n", f"  aws:\n    subnets: {json.dumps(subnets)}\n"))
    run(aws, "up", "-f", str(config))
    managers.stop()
    address, = (one["PrivateIpAddress"] for one in managers.machines("manager")
                if one["Placement"]["AvailabilityZone"] == ZONES[1])
    aws.lose_zone(zone=ZONES[0])
    assert zones(aws, "manager") == {"shop-manager-2": ZONES[1]}

    # Whoever spoke last did so just before, or long ago: it is of no worth.
    status = json.loads(managers.get("status"))
    for ago in (0, 600):
        managers.put("status", {**status, "unix_s": int(time.time()) - ago})
        said = run(aws, "up", "--timeout", "1s", "-f", str(config), code=3)
        assert "managers are ready" not in said and "2 of the Swarm's 3 managers are gone" in said
        assert f"run 'docker swarm init --force-new-cluster --advertise-addr {address}'" in said
    assert zones(aws, "manager").keys() == {"shop-manager-1", "shop-manager-2", "shop-manager-3"}
    assert "nothing changed" in apply(aws, config)
