"""The example's Tomcat as a cluster on the emulated AWS's machines: its file, its nodes and tasks, and
the requests of `./dev bench no-loss` against its balancer."""
import json
import pathlib
import subprocess
import sys

from harness.run import HIVE, ROOT

sys.path.insert(0, str(ROOT / "bench"))
from lib.no_loss import account  # noqa: E402

GROUP = "hive-shop-workers"
SERVICE = "shop_web"
SECRET = "what-nobody-may-see-7391"
BY_REQUESTS = "min: 2, max: 5, target: {requests_per_replica: 12}"
# hive keeps for minutes what it may need again; a schedule takes it at once.
FEWEST = BY_REQUESTS + ", schedules: [{cron: '* * * * *', zone: Asia/Seoul, duration: 1h, max: 2}]"
FILE = """
version: "3.8"
x-hive:
  name: shop
  cloud: aws
  managers: %(managers)s
  workers: {min: 2, max: 4, scale_in_after: %(scale_in_after)s}
  load_balancer: {type: %(balancer)s, listeners: ["80:8080", "5000:5000"]}
  aws:
    region: eu-central-1
    %(more)s
    worker_types: [m5.large]
    repositories: [shop/web]
    draining: 10s
    %(warm_pool)s
services:
  web:
    image: %(repository)s:%(version)s
    ports: ["8080:8080"]
    secrets: [key]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/health"]
      interval: 2s
      start_period: 20s
    deploy:
      replicas: 2
      update_config: {order: start-first}
      placement: {constraints: [node.role==worker], max_replicas_per_node: 2}
    x-hive:
      health: {path: /health}
      logs: {paths: ["/usr/local/tomcat/logs/*.log"]}
      autoscale: {%(autoscale)s}
secrets: {key: {file: ./key}}
"""


class Shop:
    """Of the file: x-hive.load_balancer.type, managers, workers.scale_in_after, aws.warm_pool, and what
    machines boot from, where and so on: other keys of aws."""

    def __init__(self, aws, folder, balancer="classic", managers=3, scale_in_after="10s", warm="",
                 more=None):
        self.aws, self._balancer = aws, balancer
        self.more = more or f"image: {aws.image}"
        self._managers, self._scale_in_after, self._warm = managers, scale_in_after, warm
        self._file = folder / "hive.yml"
        (folder / "key").write_text(SECRET)
        ecr = aws.client("ecr")
        self._repository = ecr.create_repository(repositoryName="shop/web")["repository"]["repositoryUri"]
        for version in ("1.0", "1.1"):
            aws.push(archive=str(ROOT / f"build/images/hive-tomcat-{version}.tar"), name="shop/web",
                     tag=version)
        self.says("1.0")

    def says(self, version, autoscale=BY_REQUESTS):
        """What the file asks for from now on."""
        self._file.write_text(FILE % {
            "more": self.more, "repository": self._repository, "balancer": self._balancer,
            "managers": self._managers, "scale_in_after": self._scale_in_after,
            "warm_pool": f"warm_pool: {{{self._warm}}}" if self._warm else "",
            "version": version, "autoscale": autoscale})

    # --- commands
    def hive(self, *words, code=0):
        """As the operator, on the file."""
        done = subprocess.run([HIVE, *words, "-f", self._file], env=self.aws.environment, timeout=600,
                              capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr + self._boots()
        return done.stdout + done.stderr

    def on_a_manager(self, *words):
        """`hive` by the first manager's engine that answers; "" where none does."""
        return self._first(lambda engine: [HIVE, "--host", engine, *words])

    def docker(self, *words):
        return self._first(lambda engine: ["docker", "--host", engine, *words])

    def _first(self, command):
        for one in self.aws.machines().values():
            if one["status"] != "up":
                continue
            try:
                done = subprocess.run(command(one["docker"]), capture_output=True, text=True, timeout=60)
            except subprocess.TimeoutExpired:
                continue  # a manager without its quorum, or one that is just going
            if done.returncode == 0:
                return done.stdout
        return ""

    def _boots(self):
        return "\n".join(f"{one}: {it['console'][-800:]}{it['boot_log'][-1500:]}"
                         for one, it in self.aws.machines().items())

    # --- what there is
    def address(self):
        if self._balancer == "classic":
            found = self.aws.client("elb").describe_load_balancers()["LoadBalancerDescriptions"]
        else:
            found = self.aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return found[0]["DNSName"]

    def nodes(self):
        """{host name: (role, status)}"""
        listed = self.docker("node", "ls", "--format", "{{.Hostname}}|{{.ManagerStatus}}|{{.Status}}")
        found = [line.split("|") for line in listed.splitlines()]
        return {name: ("manager" if manager else "worker", status) for name, manager, status in found}

    def running(self):
        """{id of a task that runs: its node}"""
        listed = self.docker("service", "ps", "--no-trunc", "--filter", "desired-state=running",
                             "--format", "{{.ID}}|{{.Node}}|{{.CurrentState}}", SERVICE)
        found = [line.split("|") for line in listed.splitlines()]
        return {task: node for task, node, state in found if state.startswith("Running")}

    def workers(self):
        """{instance id: lifecycle state}"""
        return self.aws.lifecycle_states(GROUP)

    def in_service(self, count):
        """As many workers as that, none of them coming or going, each a ready node."""
        ready = [state for role, state in self.nodes().values() if role == "worker"]
        return list(self.workers().values()) == ["InService"] * count and ready == ["Ready"] * count

    def zones(self):
        """{instance id: availability zone} of all that are not going."""
        pages = self.aws.client("ec2").describe_instances(Filters=[
            {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
        return {one["InstanceId"]: one["Placement"]["AvailabilityZone"]
                for page in pages for one in page["Instances"]}

    def zone_labels(self):
        """{host name: the node's label `hive.zone`}"""
        names = self.docker("node", "ls", "-q").split()
        lines = self.docker("node", "inspect", "--format", '{{.Description.Hostname}}|'
                            '{{index .Spec.Labels "hive.zone"}}', *names).splitlines()
        return dict(line.split("|") for line in lines)

    def managers(self):
        """{instance id: machine} of those that are not going, and have a machine already."""
        pages = self.aws.client("ec2").describe_instances(Filters=[
            {"Name": "tag:hive:role", "Values": ["manager"]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
        machines = self.aws.machines()
        return {one["InstanceId"]: machines[one["InstanceId"]] for page in pages
                for one in page["Instances"] if one["InstanceId"] in machines}

    def leader(self):
        """(host name, instance id) of Swarm's."""
        listed = self.docker("node", "ls", "--filter", "role=manager", "--format",
                             "{{.Hostname}}|{{.ManagerStatus}}")
        name, = [line.split("|")[0] for line in listed.splitlines() if line.endswith("|Leader")]
        for instance, machine in self.managers().items():
            told = subprocess.run(["docker", "--host", machine["docker"], "info", "--format", "{{.Name}}"],
                                  capture_output=True, text=True, timeout=30)
            if told.stdout.strip() == name:
                return name, instance
        raise AssertionError(f"{name} is no instance")

    def events(self):
        """What the controllers that answer have in their histories."""
        return "".join(subprocess.run([HIVE, "--host", machine["docker"], "events"], capture_output=True,
                                      text=True, timeout=30).stdout
                       for machine in self.managers().values() if machine["status"] == "up")

    def kill_controllers(self):
        for one in self.aws.machines().values():
            subprocess.run(["nsenter", "--target", str(one["pid"]), "--all", "--", "pkill", "-KILL", "-f",
                            "hive controller"], check=False)


class Load:
    """Open-loop requests of every kind against the balancer, until they are ended: `with` does it for a test
    that fails."""

    def __init__(self, shop, per_second, seed, out):
        self._out = out / f"{seed}.csv"
        self._process = subprocess.Popen(
            [str(pathlib.Path(HIVE).parent / "load_generator"), "--to", f"{shop.address()}:80", "--rate",
             str(per_second), "--seed", str(seed), "--id-prefix", f"s{seed}", "--mix",
             "get:45,keepalive:30,post:15,slow:7,download:3", "--out", str(self._out)],
            stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def end(self):
        """Lets what is in flight end; the summary."""
        self._process.terminate()
        return json.loads(self._process.communicate(timeout=90)[0])

    def answers(self):
        return account.answers(self._out)


def lost(loads, logs):
    """(figures, what was not answered, or not stored in the folder `logs`, each as one line)"""
    rows = [row for load in loads for row in load.answers()]
    figures, missing = account.account(rows, account.ids_below(logs), [])
    return figures, [f"{one['what']} {one['id']} ({one['kind']}) due {int(one['due_unix_us']) / 1e6:.1f} "
                     f"{one['error']}" for one in missing]
