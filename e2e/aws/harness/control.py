"""What a test has of the AWS that it runs against: where it is, clients, and orders to it."""
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import boto3

AWS = "/usr/bin/aws"  # Debian's awscli
KEY, SECRET = "AKIAEXAMPLEOFTESTS00", "a-secret-of-the-tests-only"


class Control:
    """An order of orders.py is a method here: aws.advance(seconds=30)."""

    def __init__(self, url, region):
        self.url, self.region = url, region

    def __getattr__(self, order):
        if order.startswith("_"):
            raise AttributeError(order)
        return lambda **words: self._order(order, words)

    def _order(self, name, words):
        request = urllib.request.Request(f"{self.url}/_harness/{name}", json.dumps(words).encode())
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{name}: {error.read().decode()}") from error

    # --- the API of AWS
    @property
    def environment(self):
        """Of a program that is to call this AWS."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region,
                "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent",
                "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "PATH": os.environ["PATH"]}

    @property
    def image(self):
        """An AMI of the account's own."""
        return self.client("ec2").describe_images(Owners=["self"])["Images"][0]["ImageId"]

    def client(self, service):
        """boto3's, without its own retries."""
        return boto3.client(service, region_name=self.region, endpoint_url=self.url,
                            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                            config=boto3.session.Config(retries={"total_max_attempts": 1}))

    def cli(self, *words, code=0):
        """The official command line; what it prints, as JSON where it is."""
        out = subprocess.run([AWS, "--endpoint-url", self.url, "--output", "json", *words],
                             capture_output=True, text=True, timeout=120,
                             env={**self.environment, "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": ""})
        assert out.returncode == code, f"aws {' '.join(words)}: {out.returncode}\n{out.stdout}{out.stderr}"
        if code:
            return out.stderr
        return json.loads(out.stdout) if out.stdout.strip() else {}

    # --- the machines
    def inside(self, instance, *words, check=True):
        """Runs a command in the machine, as a service of it would run; what it prints, or all of it."""
        pid = self.machines()[instance]["pid"]
        environment = pathlib.Path(f"/proc/{pid}/environ").read_text().strip("\0").split("\0")
        done = subprocess.run(["nsenter", "--target", str(pid), "--all", "--", *words], capture_output=True,
                              text=True, timeout=60, env=dict(one.split("=", 1) for one in environment))
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout if check else done

    # --- waiting
    def eventually(self, condition, seconds=60):
        """The condition's value as soon as it is true; fails with its last one."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
            time.sleep(0.1)

    def lifecycle_states(self, group):
        """{instance id: lifecycle state} of a group's members."""
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return {one["InstanceId"]: one["LifecycleState"]
                for every in found["AutoScalingGroups"] for one in every["Instances"]}

    def warm_states(self, group):
        """{instance id: lifecycle state} of the instances in a group's warm pool."""
        found = self.client("autoscaling").describe_warm_pool(AutoScalingGroupName=group)["Instances"]
        return {one["InstanceId"]: one["LifecycleState"] for one in found}

    def in_states(self, group, *states, seconds=60):
        """The members' ids, in the order of these states, as soon as the states are these."""
        def look():
            members = self.lifecycle_states(group)
            there = sorted(members.values()) == sorted(states)
            return [sorted(members, key=members.get)] if there else None
        try:
            return self.eventually(look, seconds)[0]
        except AssertionError as error:
            raise AssertionError(f"{self.lifecycle_states(group)}, not {states}") from error
