"""A moto server as an AWS account, hive's commands against it, and what there is in it."""
import os
import socket
import subprocess
import sys
import time
import urllib.request

import boto3

HIVE = os.environ["HIVE_BIN"]
REGION = "eu-central-1"
FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: 3
  workers: {min: 2, max: 8}
  load_balancer:
    listeners:
      - "80:8080"
      - port: 443
        target: 8080
        certificate: %s
  aws:
    region: eu-central-1
    image: %s
    worker_types: [m5.large, m5a.large]
    spot: 50%%
    repositories: [shop/web]
services:
  web: {image: shop/web, ports: ["8080:8080"]}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Moto:
    """A moto server of its own: an account with nothing but the default VPC and an image. `url` is
    where hive and boto3 find it, `own_url` the server without what may stand before it."""

    def __init__(self):
        self._clients = {}  # to make one takes longer than to use it
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = self.own_url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.client("sts").get_caller_identity()
                break
            except Exception:  # not listening yet
                time.sleep(0.1)
        self.begin()
        # Every account has the same.
        self.image = self.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]

    def begin(self):
        """A new account: whatever was there is gone."""
        self.url = self.own_url
        request = urllib.request.Request(f"{self.own_url}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=60):
            pass
        self.certificate = self.client("acm").request_certificate(
            DomainName="shop.example.org")["CertificateArn"]

    def client(self, service):
        made = self._clients.get((service, self.url))
        if made is None:
            made = self._clients[service, self.url] = boto3.client(
                service, region_name=REGION, endpoint_url=self.url,
                aws_access_key_id="test", aws_secret_access_key="test")
        return made

    def close(self):
        self.process.kill()
        self.process.wait()


def run(moto, *arguments, code=0, **environment):
    out = subprocess.run(
        [HIVE, *arguments], capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": moto.url, "AWS_ACCESS_KEY_ID": "test",
             "AWS_SECRET_ACCESS_KEY": "very-secret-key", **environment})
    assert out.returncode == code, out.stdout + out.stderr
    assert "very-secret-key" not in out.stdout + out.stderr
    return out.stdout + out.stderr


def apply(moto, config, **more):
    return run(moto, "aws", "apply", "--yes", "-f", str(config), **more)


def remove(moto, config):
    return run(moto, "aws", "remove", "--yes", "-f", str(config))


def inventory(moto):
    """What there is in the account that hive could have made: {kind: names}."""
    ec2, scaling = moto.client("ec2"), moto.client("autoscaling")
    machines = [machine for page in ec2.describe_instances()["Reservations"]
                for machine in page["Instances"]]
    return {
        "machines": sorted(one["InstanceId"] for one in machines
                           if one["State"]["Name"] not in ("terminated", "shutting-down")),
        "groups": sorted(one["GroupName"] for one in
                         ec2.describe_security_groups()["SecurityGroups"]
                         if one["GroupName"] != "default"),
        "templates": [one["LaunchTemplateName"] for one in
                      ec2.describe_launch_templates()["LaunchTemplates"]],
        "scaling": [one["AutoScalingGroupName"] for one in
                    scaling.describe_auto_scaling_groups()["AutoScalingGroups"]],
        "balancers": [one["LoadBalancerName"] for one in
                      moto.client("elb").describe_load_balancers()["LoadBalancerDescriptions"]],
        "v2 balancers": [one["LoadBalancerName"] for one in
                         moto.client("elbv2").describe_load_balancers()["LoadBalancers"]],
        "target groups": sorted(one["TargetGroupName"] for one in
                                moto.client("elbv2").describe_target_groups()["TargetGroups"]),
        "roles": sorted(one["RoleName"] for one in moto.client("iam").list_roles()["Roles"]
                        if one["Path"] == "/"),
        "profiles": sorted(one["InstanceProfileName"] for one in
                           moto.client("iam").list_instance_profiles()["InstanceProfiles"]),
        "repositories": [one["repositoryName"] for one in
                         moto.client("ecr").describe_repositories()["repositories"]],
    }


EMPTY = {"machines": [], "groups": [], "templates": [], "scaling": [], "balancers": [],
         "v2 balancers": [], "target groups": [], "roles": [], "profiles": [], "repositories": []}
