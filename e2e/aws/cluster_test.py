"""hive up with cloud: aws against machines: they boot by hive's user data, join by proving who they are,
serve behind the balancer, are added and taken through the group's hooks, and down leaves nothing."""
import base64
import pathlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from account import EMPTY, HIVE, inventory
from lib.image import make_image, server_command

FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: 3
  workers: {min: 1, max: 3}
  load_balancer:
    listeners: ["8383:8080"]
  aws:
    region: eu-central-1
    image: %s
    worker_types: [m5.large]
services:
  web:
    image: e2e/server:1
    ports: ["8080:8080"]
    secrets: [key]
    deploy:
      replicas: 2
      placement: {constraints: [node.role==worker], max_replicas_per_node: 2}
secrets: {key: {file: ./key}}
"""
SECRET = "what-nobody-may-see-7391"


def hive(aws, *words, code=0, seconds=300):
    out = subprocess.run([HIVE, *words], capture_output=True, text=True, timeout=seconds,
                         env=aws.environment)
    print(out.stdout + out.stderr)
    assert out.returncode == code, out.stdout + out.stderr
    return out.stdout + out.stderr


def tagged(aws, role):
    """{instance id: machine} of a role's instances that are not going."""
    pages = aws.client("ec2").describe_instances(Filters=[
        {"Name": "tag:hive:role", "Values": [role]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
    machines = aws.machines()
    return {one["InstanceId"]: machines[one["InstanceId"]] for page in pages
            for one in page["Instances"]}


def docker(machine, *words):
    out = subprocess.run(["docker", "-H", machine["docker"], *words], capture_output=True, text=True,
                         timeout=60)
    assert out.returncode == 0, out.stderr
    return out.stdout


def nodes(aws):
    """{name: (role, state)} as the first manager that answers lists them."""
    for manager in tagged(aws, "manager").values():
        out = subprocess.run(["docker", "-H", manager["docker"], "node", "ls", "--format",
                              "{{.Hostname}}|{{.ManagerStatus}}|{{.Status}}"],
                             capture_output=True, text=True, timeout=30)
        if out.returncode == 0:
            found = [line.split("|") for line in out.stdout.splitlines()]
            return {name: ("manager" if status else "worker", state)
                    for name, status, state in found}
    return {}


class Images(threading.Thread):
    """Loads the image into each machine's engine: what a registry would be for."""

    def __init__(self, aws, archive):
        super().__init__(daemon=True)
        self.aws, self.archive, self.loaded, self.stopping = aws, archive, set(), False
        self.start()

    def run(self):
        while not self.stopping:
            for name, machine in self.aws.machines().items():
                if name in self.loaded or machine["status"] != "up":
                    continue
                out = subprocess.run(["docker", "-H", machine["docker"], "load", "-i", self.archive],
                                     capture_output=True, timeout=60)
                if out.returncode == 0:
                    self.loaded.add(name)
            time.sleep(0.5)


def get(aws):
    """The status of the application, asked through the balancer."""
    balancer, = aws.client("elb").describe_load_balancers()["LoadBalancerDescriptions"]
    try:
        with urllib.request.urlopen(f"http://{balancer['DNSName']}:8383/", timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


class Load(threading.Thread):
    """Asks again and again; keeps what was not answered well."""

    def __init__(self, aws):
        super().__init__(daemon=True)
        self.aws, self.answered, self.lost, self.stopping = aws, 0, [], False
        self.start()

    def run(self):
        while not self.stopping:
            try:
                status = get(self.aws)
            except OSError as error:
                status = repr(error)
            if status == 200:
                self.answered += 1
            else:
                self.lost.append(status)
            time.sleep(0.1)

    def stop(self):
        self.stopping = True
        self.join()
        return self.lost


@pytest.fixture(scope="module")
def images(aws, tmp_path_factory):
    one = Images(aws, make_image(tmp_path_factory.mktemp("image"), "e2e/server:1",
                                 server_command("200 OK")))
    yield one
    one.stopping = True
    one.join()


@pytest.fixture(scope="module")
def file(aws, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    (folder / "key").write_text(SECRET)
    path = folder / "hive.yml"
    path.write_text(FILE % aws.image)
    return path


@pytest.fixture(scope="module")
def cluster(aws, file, images):
    aws.said = hive(aws, "up", "-f", str(file), seconds=600)
    return aws


def test_up_makes_a_swarm(cluster):
    found = nodes(cluster)
    managers = {name for name, (role, _) in found.items() if role == "manager"}
    assert managers == {"shop-manager-1", "shop-manager-2", "shop-manager-3"}
    assert len(found) == 4 and all(state == "Ready" for _, state in found.values()), found
    assert "stack shop is deployed" in cluster.said


def test_the_application_answers_through_the_balancer(cluster):
    assert get(cluster) == 200


def test_no_secret_is_where_anybody_can_read_it(cluster):
    tokens = subprocess.run(
        ["docker", "-H", next(iter(tagged(cluster, "manager").values()))["docker"], "swarm",
         "join-token", "-q", "worker"], capture_output=True, text=True, check=True).stdout.strip()
    assert tokens.startswith("SWMTKN-")
    for name, machine in cluster.machines().items():
        root = pathlib.Path(machine["root"])
        texts = [machine["boot_log"], machine["console"]]
        texts += [file.read_text(errors="replace") for place in ("etc/hive", "var/log/hive")
                  for file in (root / place).rglob("*") if file.is_file()]
        data = cluster.client("ec2").describe_instance_attribute(
            InstanceId=name, Attribute="userData")["UserData"].get("Value", "")
        texts.append(base64.b64decode(data).decode())
        for text in texts:
            assert "SWMTKN-" not in text and SECRET not in text, text[-2000:]
    assert SECRET not in cluster.said and "SWMTKN-" not in cluster.said


def test_an_instance_comes_and_goes_through_the_hooks_and_no_request_is_lost(cluster):
    group = "hive-shop-workers"
    scaling = cluster.client("autoscaling")
    load = Load(cluster)
    scaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=2)
    both = cluster.in_states(group, "InService", "InService", seconds=120)
    found = cluster.eventually(lambda: len(nodes(cluster)) == 5 and nodes(cluster), 60)
    assert all(state == "Ready" for _, state in found.values()), found
    assert load.answered > 0
    # Somebody's hand, not hive's.
    scaling.terminate_instance_in_auto_scaling_group(InstanceId=both[0],
                                                     ShouldDecrementDesiredCapacity=True)
    cluster.eventually(lambda: both[0] not in cluster.lifecycle_states(group), 180)
    cluster.eventually(lambda: len(nodes(cluster)) == 4, 60)
    assert load.stop() == []


def running(aws):
    """Where the application's tasks run."""
    manager = next(iter(tagged(aws, "manager").values()))
    listed = docker(manager, "service", "ps", "shop_web", "--filter", "desired-state=running",
                    "--format", "{{.Node}}|{{.CurrentState}}").splitlines()
    return sorted(line.split("|")[0] for line in listed if "|Running" in line)


def workers_line(aws):
    """What hive says of the workers, for a failure's message."""
    manager = next(iter(tagged(aws, "manager").values()))
    out = subprocess.run([HIVE, "--host", manager["docker"], "autoscale", "status"],
                         capture_output=True, text=True, timeout=30)
    return out.stdout[-600:] + out.stderr[-600:]


def test_workers_follow_the_replicas(cluster, file):
    group = "hive-shop-workers"
    file.write_text(file.read_text().replace("max: 3}", "max: 3, scale_in_after: 10s}"))
    hive(cluster, "up", "-f", str(file))
    before = set(cluster.in_states(group, "InService", seconds=60))
    manager = next(iter(tagged(cluster, "manager").values()))
    load = Load(cluster)

    def scale(replicas):
        docker(manager, "service", "scale", "--detach", f"shop_web={replicas}")

    def size():
        found, = cluster.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[group])["AutoScalingGroups"]
        return found["DesiredCapacity"]
    try:
        scale(3)  # two fit on a worker
        cluster.eventually(lambda: size() == 2, 60)
        cluster.in_states(group, "InService", "InService", seconds=120)
        cluster.eventually(lambda: len(running(cluster)) == 3, 60)
        assert len(set(running(cluster))) == 2 and size() == 2
        scale(2)
        cluster.eventually(lambda: size() == 1, 120)
        cluster.eventually(lambda: set(cluster.lifecycle_states(group)) == before, 120)
        cluster.eventually(lambda: len(nodes(cluster)) == 4 and len(running(cluster)) == 2, 60)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{workers_line(cluster)}") from error
    finally:
        lost = load.stop()
    assert lost == [] and load.answered > 20


def test_down_leaves_nothing(cluster, file):
    hive(cluster, "down", "--yes", "-f", str(file))
    # The group goes when its machines have, as AWS does it.
    cluster.eventually(lambda: inventory(cluster) == EMPTY, 60)
    assert cluster.client("ssm").describe_parameters()["Parameters"] == []
