"""hive image bake against machines: one boots from a stock image, installs, powers itself off, becomes an
image and ends, however often the command is killed meanwhile."""
import base64
import random
import signal
import subprocess
import time

import pytest

from account import HIVE
from harness import cloud_init

FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  workers: {min: 1, max: 2}
  load_balancer: {listeners: ["80:8080"]}
  aws:
    region: eu-central-1
    package: https://example.org/hive.deb#sha256=%s
services:
  web: {image: web, ports: ["8080:8080"]}
""" % ("ab" * 32)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "hive.yml"
    path.write_text(FILE)
    return path


def bake(aws, file, *words, code=0):
    out = subprocess.run([HIVE, "image", "bake", "-f", file, *words], capture_output=True, text=True,
                         timeout=300, env=aws.environment)
    assert out.returncode == code, out.stdout + out.stderr
    return out


def images(aws, name="*"):
    return aws.cli("ec2", "describe-images", "--owners", "self", "--filters",
                   f"Name=name,Values={name}", "Name=tag:hive:cluster,Values=shop")["Images"]


def machines(aws):
    pages = aws.client("ec2").describe_instances(Filters=[
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}])
    return [one for page in pages["Reservations"] for one in page["Instances"]]


def test_a_machine_becomes_an_image(aws, file):
    done = bake(aws, file)
    image, = images(aws)
    assert done.stdout == image["ImageId"] + "\n"
    assert image["Name"] == "hive-0.1.0-abababab-debian-12-amd64-20260105-2048"
    assert machines(aws) == []
    again = bake(aws, file)
    assert again.stdout == done.stdout and "launched" not in again.stderr


def test_what_is_one_machines_own_is_not_in_it(aws, file):
    image = bake(aws, file).stdout.strip()
    ec2 = aws.client("ec2")
    one = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    try:
        aws.eventually(lambda: aws.machines().get(one, {}).get("cloud_init"))
        assert aws.inside(one, "cat", "/etc/machine-id") == ""
        assert "init-path" in aws.inside(one, "cat", "/etc/docker/daemon.json")
        gone = "ls /etc/ssh/ssh_host_* /etc/hive/boot.env /usr/local/lib/hive/boot.sh /var/lib/apt/lists/*"
        assert aws.inside(one, "sh", "-c", f"{gone} 2>/dev/null; true") == ""
        logs = aws.inside(one, "find", "/var/log", "-type", "f", "-size", "+0").split()
        assert set(logs) <= {"/var/log/hive/boot.log"}, "of this machine's first start alone"
        assert "powers off" not in aws.inside(one, "sh", "-c", "cat /var/log/hive/boot.log || true")
    finally:
        ec2.terminate_instances(InstanceIds=[one])
        aws.eventually(lambda: machines(aws) == [])


def test_killed_at_any_moment_it_goes_on(aws, file):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(5):
        one = subprocess.Popen([HIVE, "image", "bake", "-f", file, "--name", "killed"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=aws.environment)
        time.sleep(rng.uniform(0.05, 4))  # the moment is the test's random part
        one.send_signal(signal.SIGKILL)
        one.wait()
    done = bake(aws, file, "--name", "killed")
    image, = images(aws, "killed")
    assert done.stdout == image["ImageId"] + "\n"
    aws.eventually(lambda: machines(aws) == [])


def test_a_machine_that_is_ended_meanwhile_is_said(aws, file):
    aws.settings(boot_seconds=300)  # so long it is pending, whatever goes on in it
    try:
        one = subprocess.Popen([HIVE, "image", "bake", "-f", file, "--name", "ended"],
                               stderr=subprocess.PIPE, text=True, env=aws.environment)
        assert any("waits for machine" in line for line in one.stderr)
        machine, = machines(aws)
        aws.client("ec2").terminate_instances(InstanceIds=[machine["InstanceId"]])
        said = one.communicate(timeout=120)[1]
    finally:
        aws.settings(boot_seconds=0)
    assert one.returncode == 1, said
    assert "ended before its image was made" in said
    assert images(aws, "ended") == []


def test_what_it_lacks_is_said_before_anything_is_made(aws, file):
    assert "AWS takes 3 to 128 letters" in bake(aws, file, "--name", "a*b", code=2).stderr
    assert "there is no image" in bake(aws, file, "--base", "centos-*", code=4).stderr
    file.write_text(file.read_text().replace("    package", "    # package"))
    assert "x-hive.aws.package is not set" in bake(aws, file, code=2).stderr
    assert machines(aws) == []


def test_its_user_data_passes_cloud_inits_check(aws, file):
    one = subprocess.Popen([HIVE, "image", "bake", "-f", file, "--name", "checked"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=aws.environment)
    machine = aws.eventually(lambda: machines(aws))[0]["InstanceId"]
    data = aws.client("ec2").describe_instance_attribute(
        InstanceId=machine, Attribute="userData")["UserData"]["Value"]
    assert cloud_init.fault_of(base64.b64decode(data).decode()) == ""
    assert one.wait(timeout=120) == 0
