"""User data as cloud-init sees it: hive's passes the schema check of Debian's cloud-init, and uses only
what the harness's machines know."""
import base64
import json
import subprocess

import pytest
import yaml

from harness import cloud_init
from harness.guest.cloud_init import KNOWN, shellify
from harness.run import HIVE, Harness

FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: 1
  workers: {min: 1, max: 2}
  load_balancer: {listeners: ["80:8080"]}
  aws: {region: eu-central-1, image: %s}
services:
  web: {image: web, ports: ["8080:8080"]}
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """{role: the user data of a machine that hive launched}"""
    with Harness("awsuserdata") as aws:
        file = tmp_path_factory.mktemp("shop") / "hive.yml"
        file.write_text(FILE % aws.image)
        subprocess.run([HIVE, "aws", "apply", "--yes", "-f", file], env=aws.environment, check=True,
                       capture_output=True)
        aws.in_states("hive-shop-workers", "Pending:Wait")
        ec2, found = aws.client("ec2"), {}
        for page in ec2.describe_instances()["Reservations"]:
            for machine in page["Instances"]:
                tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
                data = ec2.describe_instance_attribute(InstanceId=machine["InstanceId"],
                                                       Attribute="userData")["UserData"]["Value"]
                found[tags["hive:role"]] = base64.b64decode(data).decode()
        return found


@pytest.mark.parametrize("role", ["manager", "worker"])
def test_hives_passes_cloud_inits_check(given, role):
    assert cloud_init.fault_of(given[role]) == ""
    assert yaml.safe_load(given[role]).keys() <= KNOWN


@pytest.mark.parametrize("wrong", ["runcmd: 3", "write_files: [{content: a}]", "packages: {a: b}"])
def test_the_check_refuses_what_is_wrong(wrong):
    assert cloud_init.fault_of(f"#cloud-config\n{wrong}\n")


def test_commands_become_the_script_that_cloud_init_makes():
    """Debian's cloud-init makes it of the same commands."""
    commands = [["printf", "%s\n", "it's", 3], "echo one | cat", "cd /tmp; pwd"]
    theirs = subprocess.run(
        ["/usr/bin/python3", "-c", "import json, sys; from cloudinit import util;"
         "sys.stdout.write(util.shellify(json.load(sys.stdin)))"],
        input=json.dumps(commands), text=True, capture_output=True, check=True,
        env={"PYTHONPATH": str(cloud_init.MODULES)}).stdout
    for script in (theirs, shellify(commands)):
        out = subprocess.run(["sh"], input=script, text=True, capture_output=True, check=True).stdout
        assert out == "it's\n3\none\n/tmp\n"
