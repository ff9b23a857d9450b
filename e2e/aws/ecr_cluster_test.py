"""hive with cloud: aws, whole: a real Swarm on the emulated AWS's machines. The image comes from ECR, the
application answers through the Classic Load Balancer, the group grows and loses a member through the
lifecycle hooks without losing a request, and nothing is left in the end."""
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from account import EMPTY, inventory
from harness.run import HIVE, ROOT

GROUP = "hive-shop-workers"
FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: 3
  workers: {min: 2, max: 4}
  load_balancer: {listeners: ["80:8080", "5000:5000"]}
  aws: {region: eu-central-1, image: %s, repositories: [shop/web]}
services:
  web:
    image: %s:1.0
    ports: ["8080:8080"]
    deploy: {replicas: 2, update_config: {order: start-first}}
"""


class Cluster:
    def __init__(self, aws, file):
        self.aws, self.file = aws, file

    def hive(self, *words):
        done = subprocess.run([HIVE, *words, "-f", self.file], env=self.aws.environment, timeout=420,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr + self.boots()
        return done.stdout

    def boots(self):
        return "\n".join(f"{one}: {it['console'][-800:]}{it['boot_log'][-1500:]}"
                         for one, it in self.aws.machines().items())

    def address(self):
        found = self.aws.client("elb").describe_load_balancers(LoadBalancerNames=["hive-shop"])
        return found["LoadBalancerDescriptions"][0]["DNSName"]

    def docker(self, *words):
        """What the first manager's engine that answers says; "" where none does."""
        for one in self.aws.machines().values():
            done = subprocess.run(["docker", "--host", one["docker"], *words], capture_output=True,
                                  text=True, timeout=120)
            if done.returncode == 0:
                return done.stdout
        return ""

    def nodes(self):
        """{host name: status}"""
        listed = self.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}")
        return dict(line.split() for line in listed.splitlines())

    def running(self):
        """Ids of the tasks that run."""
        listed = self.docker("service", "ps", "--no-trunc", "--filter", "desired-state=running",
                             "--format", "{{.ID}} {{.CurrentState}}", "shop_web")
        return {line.split()[0] for line in listed.splitlines() if line.split()[1] == "Running"}

    def kill_controllers(self):
        for one in self.aws.machines().values():
            subprocess.run(["nsenter", "--target", str(one["pid"]), "--all", "--", "pkill", "-KILL", "-f",
                            "hive controller"], check=False)


class Load:
    """Requests one after another, each on a connection of its own."""

    def __init__(self, address):
        self.url, self.answers, self.failures = f"http://{address}/", 0, []
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=20) as answer:
                    self.answers += answer.status == 200
            except OSError as error:
                self.failures.append((time.strftime("%H:%M:%S"), repr(error)))


@pytest.fixture(scope="module")
def cluster(aws, tmp_path_factory):
    ecr = aws.client("ecr")
    uri = ecr.create_repository(repositoryName="shop/web")["repository"]["repositoryUri"]
    aws.push(archive=str(ROOT / "build/images/hive-tomcat-1.0.tar"), name="shop/web", tag="1.0")
    file = tmp_path_factory.mktemp("shop") / "hive.yml"
    file.write_text(FILE % (aws.image, uri))
    one = Cluster(aws, file)
    one.hive("up")
    return one


def test_up_makes_a_swarm_that_serves(aws, cluster):
    nodes = cluster.nodes()
    assert len(nodes) == 5 and set(nodes.values()) == {"Ready"}, nodes
    assert set(aws.lifecycle_states(GROUP).values()) == {"InService"}
    hosts = set()
    for _ in range(20):
        with urllib.request.urlopen(f"http://{cluster.address()}/", timeout=20) as answer:
            host, _, version = answer.read().decode().split()[:3]
            assert version == "1.0"
            hosts.add(host)
    assert len(hosts) == 2
    with urllib.request.urlopen(f"http://{cluster.address()}:5000/", timeout=20) as answer:
        assert answer.status == 200
    assert "made" not in cluster.hive("up")


def test_ecrs_tokens_may_end(aws, cluster):
    """Services get a fresh one without a restart, and nodes that have not got the image pull it."""
    before = cluster.running()
    assert len(before) == 2
    aws.end_tokens()

    def written():
        return cluster.docker("service", "inspect", "--format", "{{.Version.Index}}", "shop_web")
    version = written()
    cluster.kill_controllers()  # the next one renews at once, and not only at half of the life
    aws.eventually(lambda: written() not in (version, ""), 120)
    cluster.docker("service", "scale", "--detach", "shop_web=5")
    aws.eventually(lambda: len(cluster.running()) == 5, 120)
    assert before <= cluster.running()
    cluster.docker("service", "scale", "--detach", "shop_web=2")
    aws.eventually(lambda: len(cluster.running()) == 2)


def test_a_new_member_joins_before_it_is_in_service(aws, cluster):
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
    aws.in_states(GROUP, *["InService"] * 3, seconds=120)
    assert sorted(cluster.nodes().values()) == ["Ready"] * 6


def test_a_member_that_ends_loses_no_request(aws, cluster):
    victim = sorted(aws.lifecycle_states(GROUP))[0]
    with Load(cluster.address()) as load:
        time.sleep(1)
        aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=victim, ShouldDecrementDesiredCapacity=True)
        aws.eventually(lambda: victim not in aws.lifecycle_states(GROUP), 240)
        time.sleep(1)
    assert load.failures == [] and load.answers > 50
    assert victim not in aws.machines()


def test_down_leaves_nothing(aws, cluster):
    assert "cluster shop is removed" in cluster.hive("down", "--yes")
    # AWS ends a group in its own time; images are kept.
    aws.eventually(lambda: inventory(aws) == {**EMPTY, "repositories": ["shop/web"]})
    aws.eventually(lambda: aws.machines() == {})
    listed = aws.cli("ec2", "describe-instances", "--filters",
                     "Name=instance-state-name,Values=pending,running,stopping,stopped")
    assert listed["Reservations"] == []
