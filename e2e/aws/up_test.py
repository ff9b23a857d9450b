"""hive up and down with cloud: aws against moto, where no machine runs: a thread here does what managers
do on the notice board. What is made, waited for, handed over and taken away is looked at with boto3."""
import base64
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from account import EMPTY, HIVE, inventory, run

PREFIX = "/hive/shop/"


class Managers(threading.Thread):
    """What the managers of a cluster would say: so many are ready as machines of theirs are there."""

    def __init__(self, moto, failure=""):
        super().__init__(daemon=True)
        self.ssm, self.ec2, self.scaling = (moto.client(one) for one in ("ssm", "ec2", "autoscaling"))
        self.failure, self.stopping, self.began, self.stacks = failure, False, False, []
        self.start()

    def get(self, name):
        try:
            return self.ssm.get_parameter(Name=PREFIX + name,
                                          WithDecryption=True)["Parameter"]["Value"]
        except self.ssm.exceptions.ParameterNotFound:
            return None

    def put(self, name, value):
        self.ssm.put_parameter(Name=PREFIX + name, Value=json.dumps(value), Type="SecureString",
                               Overwrite=True)

    def machines(self, role):
        pages = self.ec2.describe_instances(Filters=[
            {"Name": "tag:hive:role", "Values": [role]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
        return [machine for page in pages for machine in page["Instances"]]

    def put_into_service(self):
        """What comes to the group: where nothing holds it, it is in service by itself."""
        groups = self.scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        for worker in (one for group in groups for one in group["Instances"]):
            if worker["LifecycleState"] == "Pending:Wait":
                self.scaling.complete_lifecycle_action(
                    AutoScalingGroupName=groups[0]["AutoScalingGroupName"], LifecycleHookName="hive-launch",
                    InstanceId=worker["InstanceId"], LifecycleActionResult="CONTINUE")

    def stack(self):
        head = json.loads(self.get("stack") or "null")
        if not head:
            return None, {}
        whole = "".join(self.get(f"stack/{n}") for n in range(head["pieces"]))
        return head["revision"], {name: base64.b64decode(content)
                                  for name, content in json.loads(whole).items()}

    def look(self):
        founder, managers = self.get("founder"), self.machines("manager")
        if not self.began and founder not in [one["InstanceId"] for one in managers]:
            return
        self.began = True
        self.put("swarm", {"id": "swarm-1", "ca": "PEM", "managers": [
            one["PrivateIpAddress"] for one in managers]})
        revision, files = self.stack()
        if revision and revision not in [one for one, _ in self.stacks]:
            self.stacks.append((revision, files))
        self.put("status", {
            "swarm": "swarm-1", "managers_ready": len(managers),
            "workers_ready": len(self.machines("worker")), "waiting": [],
            "revision": revision or "",
            "stack": ("failed" if self.failure else "deployed") if revision else "",
            "message": self.failure, "unix_s": int(time.time())})
        self.put_into_service()

    def run(self):
        while not self.stopping:
            try:
                self.look()
            except Exception as error:  # half written: looked at again
                print("managers:", error)
            time.sleep(0.2)

    def stop(self):
        self.stopping = True
        self.join()


@pytest.fixture
def managers(moto):
    one = Managers(moto)
    yield one
    one.stop()


@pytest.fixture
def stack(config, tmp_path):
    """The configuration, with a secret of several kilobytes."""
    (tmp_path / "key").write_bytes(bytes(range(256)) * 40)
    config.write_text(config.read_text().replace(
        'web: {image: shop/web, ports: ["8080:8080"]}',
        'web: {image: shop/web, ports: ["8080:8080"], secrets: [key]}') +
        "secrets: {key: {file: ./key}}\n")
    return config


def parameters(moto):
    return [one["Name"] for page in moto.client("ssm").get_paginator(
        "describe_parameters").paginate() for one in page["Parameters"]]


def test_up_twice_and_down(moto, stack, managers, tmp_path):
    said = run(moto, "up", "-f", str(stack))
    for line in ("named i-", "3 managers are ready", "2 workers are ready", "stack shop is deployed",
                 "cluster shop is up", "  application  http://hive-shop",
                 "  application  https://hive-shop", "  dashboard    http://hive-shop"):
        assert line in said, said
    assert said.index("3 managers are ready") < said.index("worker group hive-shop-workers")
    made = inventory(moto)
    assert len(made["machines"]) == 5
    founder = managers.get("founder")
    names = {one["InstanceId"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]}["Name"]
             for one in managers.machines("manager")}
    assert names[founder] == "shop-manager-1"
    _, files = managers.stacks[0]
    assert files["files/0"] == bytes(range(256)) * 40
    assert str(tmp_path) not in files["compose.yml"].decode()

    again = run(moto, "up", "-f", str(stack))
    assert "made" not in again and "named" not in again, again
    assert "stack shop is deployed" in again
    assert len(managers.stacks) == 2, "each up asks for the stack anew"
    assert inventory(moto) == made

    managers.stop()
    said = run(moto, "down", "--yes", "-f", str(stack))
    assert "cluster shop is removed" in said
    assert inventory(moto) == EMPTY and parameters(moto) == []
    assert "nothing of cluster shop is left" in run(moto, "down", "--yes", "-f", str(stack))


def test_a_manager_that_is_gone_is_replaced_and_no_second_swarm_begun(moto, stack, managers):
    run(moto, "up", "-f", str(stack))
    founder = managers.get("founder")
    moto.client("ec2").terminate_instances(InstanceIds=[founder])
    said = run(moto, "up", "-f", str(stack))
    assert "made manager shop-manager-1" in said and "named" not in said
    assert managers.get("founder") == founder


def test_a_founder_that_ended_before_it_began_is_replaced(moto, stack):
    out = subprocess.Popen([HIVE, "up", "-f", str(stack)], stdout=subprocess.PIPE, text=True,
                           env=environment(moto))
    for line in out.stdout:
        if "named i-" in line:
            break
    out.send_signal(signal.SIGKILL)
    out.wait()
    ssm = moto.client("ssm")
    founder = ssm.get_parameter(Name=PREFIX + "founder", WithDecryption=True)["Parameter"]["Value"]
    moto.client("ec2").terminate_instances(InstanceIds=[founder])
    managers = Managers(moto)
    try:
        said = run(moto, "up", "-f", str(stack))
        assert "named i-" in said and "named " + founder not in said
    finally:
        managers.stop()


def test_a_stack_that_cannot_be_deployed_is_told(moto, stack):
    managers = Managers(moto, failure="no node has the directory /data")
    try:
        assert "no node has the directory /data" in run(moto, "up", "-f", str(stack), code=1)
    finally:
        managers.stop()


def test_silent_managers_are_given_up_and_nothing_is_lost(moto, stack):
    said = run(moto, "up", "--timeout", "1s", "-f", str(stack), code=3)
    assert "a first manager to begin the Swarm" in said and "run 'hive up' again" in said
    assert len(inventory(moto)["machines"]) == 3, "workers come once there is a quorum"
    said = run(moto, "down", "-f", str(stack), code=1)  # nobody says yes
    assert "left as it is" in said
    assert len(inventory(moto)["machines"]) == 3


def test_a_missing_secret_is_found_before_anything_is_made(moto, stack, tmp_path):
    (tmp_path / "key").unlink()
    assert "key" in run(moto, "up", "-f", str(stack), code=4)
    assert inventory(moto) == EMPTY


def environment(moto):
    return {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": moto.url, "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "very-secret-key"}


def test_killed_at_any_moment(moto, stack, managers):
    for seconds in (0.3, 0.6, 1.0, 1.5, 2.2, 3.0, 4.0):
        out = subprocess.Popen([HIVE, "up", "-f", str(stack)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment(moto))
        try:
            out.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            out.kill()
            out.wait()
    run(moto, "up", "-f", str(stack))
    made = inventory(moto)
    assert len(made["machines"]) == 5 and len(made["scaling"]) == 1
    managers.stop()
    for seconds in (0.2, 0.5, 1.0):
        out = subprocess.Popen([HIVE, "down", "--yes", "-f", str(stack)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment(moto))
        try:
            out.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            out.kill()
            out.wait()
    run(moto, "down", "--yes", "-f", str(stack))
    assert inventory(moto) == EMPTY and parameters(moto) == []
