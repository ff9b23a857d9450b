"""hive with cloud: aws, whole: a real Swarm on the emulated AWS's machines. They boot by hive's user
data and join by proving who they are; Tomcat comes from ECR and answers through the balancer; workers come
and go without losing a request or a log line; and nothing is left in the end. The tests build on
each other's end state."""
import base64
import collections
import datetime
import json
import pathlib
import subprocess
import time
import urllib.request

import pytest

from account import EMPTY, inventory
from harness.control import SECRET as KEY_OF_THE_OPERATOR
from harness.run import STATE
from shop import BY_REQUESTS, FEWEST, SECRET, SERVICE, Load, Shop, lost

BY_THE_BALANCER = ("min: 2, max: 4, target: {metrics: [{name: elb, cloudwatch: RequestCount, "
                   "per_replica: 8}]}")


@pytest.fixture(scope="module")
def shop(aws, tmp_path_factory):
    one = Shop(aws, tmp_path_factory.mktemp("shop"))
    one.said = one.hive("up")
    return one


def ask(shop, port=80, path="/"):
    with urllib.request.urlopen(f"http://{shop.address()}:{port}{path}", timeout=20) as answer:
        assert answer.status == 200
        return answer.read().decode()


def test_up_makes_a_swarm_that_serves(aws, shop):
    nodes = shop.nodes()
    managers = {name for name, (role, _) in nodes.items() if role == "manager"}
    assert managers == {"shop-manager-1", "shop-manager-2", "shop-manager-3"}
    assert len(nodes) == 5 and {state for _, state in nodes.values()} == {"Ready"}, nodes
    assert "stack shop is deployed" in shop.said
    assert set(shop.workers().values()) == {"InService"}
    answers = [ask(shop).split()[:3] for _ in range(20)]
    assert {version for _, _, version in answers} == {"1.0"}
    assert len({host for host, _, _ in answers}) == 2
    assert "<html" in ask(shop, 5000).lower()
    assert "made" not in shop.hive("up")


def test_replicas_are_spread_over_zones(aws, shop):
    """By the nodes' labels, which are the machines' zones as EC2 has them."""
    machines = aws.machines()
    zones = {}
    for instance, zone in shop.zones().items():
        told = subprocess.run(["docker", "--host", machines[instance]["docker"], "info", "--format",
                               "{{.Name}}"], capture_output=True, text=True, timeout=30, check=True)
        zones[told.stdout.strip()] = zone
    assert len(zones) == 5 and len(set(zones.values())) == 3
    aws.eventually(lambda: shop.zone_labels() == zones, 30)
    assert "node.labels.hive.zone" in shop.docker(
        "service", "inspect", "--format", "{{json .Spec.TaskTemplate.Placement}}", SERVICE)
    assert len({zones[node] for node in shop.running().values()}) == 2


def test_no_secret_is_where_anybody_can_read_it(aws, shop):
    """Tokens and keys that are in use, looked for in all that is no place for them."""
    tokens = [shop.docker("swarm", "join-token", "-q", role).strip() for role in ("worker", "manager")]
    assert all(token.startswith("SWMTKN-") for token in tokens)
    secrets = ["SWMTKN-", SECRET, KEY_OF_THE_OPERATOR, *aws.secrets()["secrets"]]
    assert len(secrets) > 5 and all(len(one) > 6 for one in secrets)
    places = {"hive up": shop.said, "hive config": shop.hive("config"),
              "processes": subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True,
                                          check=True).stdout,
              "tags": json.dumps(aws.client("ec2").describe_tags()["Tags"])}
    assert "hive controller" in places["processes"], "the machines' processes are seen from here"
    for name, machine in aws.machines().items():
        places[f"{name}'s console"] = machine["boot_log"] + machine["console"]
        data = aws.client("ec2").describe_instance_attribute(InstanceId=name, Attribute="userData")
        places[f"{name}'s user data"] = base64.b64decode(data["UserData"].get("Value", "")).decode()
        for folder in ("etc/hive", "var/log/hive"):
            for file in (pathlib.Path(machine["root"]) / folder).rglob("*"):
                if file.is_file():
                    places[f"{name}:{file}"] = file.read_text(errors="replace")
    found = [place for place, text in places.items() if any(one in text for one in secrets)]
    assert found == []


def test_ecrs_tokens_may_end(aws, shop):
    """Services get a fresh one without a restart of their tasks."""
    before = shop.running()
    assert len(before) == 2
    aws.end_tokens()

    def written():
        return shop.docker("service", "inspect", "--format", "{{.Version.Index}}", SERVICE)
    version = written()
    shop.kill_controllers()  # the next one renews at once, and not only at half of the life
    aws.eventually(lambda: written() not in (version, ""), 120)
    assert shop.running() == before


def until(aws, shop, condition, seconds):
    """As aws.eventually; a failure tells what hive says of it."""
    try:
        aws.eventually(condition, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{shop.nodes()}\n{shop.workers()}\n{shop.running()}\n"
                             + shop.on_a_manager("autoscale", "explain", SERVICE)
                             + shop.on_a_manager("events", "--since", "3m")[-4000:]) from error


def test_no_request_and_no_line_is_lost(aws, shop, tmp_path):
    """Through the load's rise and fall with machines for it, an update, a worker that somebody ends,
    and one that is a reclaimed Spot instance."""
    with Load(shop, 10, 1, tmp_path) as steady, Load(shop, 50, 2, tmp_path) as more:
        summaries = [through_events(aws, shop, more), steady.end()]
    figures, missing = lost([steady, more], STATE / aws.name / "logs")
    say = "\n".join([f"{figures}\n{summaries}", *missing[:50]])
    if missing:
        say += "\n" + shop.on_a_manager("events", "--since", "10m")[-12_000:]
    assert figures["requests"] > 2000, say
    assert missing == [], say


def through_events(aws, shop, more):
    """Ends the load that is more than steady, and gives its summary."""
    # The rise: five replicas want a third worker, which pulls the image with the token of now.
    until(aws, shop, lambda: shop.in_service(3) and len(shop.running()) == 5, 180)
    assert len(set(shop.running().values())) == 3
    # The fall, and the new version.
    summary = more.end()
    shop.says("1.1", FEWEST)
    shop.hive("up")
    until(aws, shop, lambda: shop.in_service(2) and len(shop.running()) == 2, 240)
    assert {ask(shop).split()[2] for _ in range(10)} == {"1.1"}
    # Somebody's hand, not hive's; the group replaces what it took.
    taken, stays = sorted(shop.workers())
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=taken, ShouldDecrementDesiredCapacity=False)
    until(aws, shop, lambda: taken not in shop.workers() and shop.in_service(2), 240)
    # Its tasks went to the other; the image came by the agent, with the managers' login to ECR.
    new, = set(shop.workers()) - {stays}
    there = subprocess.run(["docker", "--host", aws.machines()[new]["docker"], "image", "ls"],
                           capture_output=True, text=True, timeout=60, check=True).stdout
    assert "shop/web" in there, there
    # AWS's own.
    taken = sorted(shop.workers())[0]
    aws.interrupt_spot(instance=taken, seconds=60)
    until(aws, shop, lambda: taken not in shop.workers() and shop.in_service(2), 240)
    until(aws, shop, lambda: len(shop.running()) == 2, 60)
    # It was emptied once, and not called back while its machine was still there.
    events = shop.on_a_manager("events", "--since", "10m")
    assert events.count(f"node_drain_begun node shop-worker-{taken[-8:]}:") == 1, events[-4000:]
    return summary


def failures(load):
    """By the five seconds in which they were due, and by the error."""
    rows = load.answers()
    begin = min(int(row["due_unix_us"]) for row in rows)
    return begin // 1_000_000, collections.Counter(
        ((int(row["due_unix_us"]) - begin) // 5_000_000 * 5, row["error"]) for row in rows
        if row["status"] != "200")


def test_a_zone_is_lost_with_swarms_leader_and_the_application_answers_on(aws, shop, tmp_path):
    name, leader = shop.leader()  # the hardest: another one must lead first
    zone = shop.zones()[leader]
    victims = {one for one, its in shop.zones().items() if its == zone}
    wanted = {f"shop-manager-{number}": ("manager", "Ready") for number in (1, 2, 3)}

    def replaced():
        found = shop.nodes()
        balancer, = aws.client("elb").describe_load_balancers()["LoadBalancerDescriptions"]
        behind = {one["InstanceId"] for one in balancer["Instances"]}
        return (zone not in shop.zones().values() and set(shop.zones()) == behind
                and wanted.items() <= found.items() and len(found) == 5 and shop.in_service(2)
                and len(shop.running()) == 2)
    # The tasks of the workers that went before are one by one spread again, as nothing else goes on. A
    # third task runs meanwhile, which no edge has to know yet: it does not count.
    until(aws, shop, lambda: len(shop.running()) == len(set(shop.running().values())) == 2, 180)
    with Load(shop, 20, 4, tmp_path) as load:
        aws.lose_zone(zone=zone)
        until(aws, shop, replaced, 400)
        summary = load.end()
    # What went through that zone's edges, until the balancer and the other edges know, may be lost, and
    # nothing else.
    assert summary["failed"] * 20 < summary["requests"], (
        f"{victims}\n{summary}\n{failures(load)}\n{shop.on_a_manager('events', '--since', '10m')[-8000:]}")
    pages = aws.client("ec2").describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])
    ever = [one["InstanceId"] for page in pages["Reservations"] for one in page["Instances"]]
    assert len(ever) == 2, "one, and no second"
    aws.eventually(lambda: "manager_replace_succeeded" in shop.events(), 60)
    with Load(shop, 20, 5, tmp_path) as again:
        time.sleep(5)
        assert again.end()["failed"] == 0
    aws.regain_zone(zone=zone)


def test_what_cloudwatch_says_of_the_balancer_is_a_signal(aws, shop):
    shop.says("1.1", BY_THE_BALANCER)
    shop.hive("up")

    def figure():
        told = json.loads(shop.on_a_manager("autoscale", "explain", SERVICE, "--format", "json") or "{}")
        found = told.get("signals", {}).get("metrics", [])
        return found[0] if found else {}
    told = aws.eventually(lambda: "HealthyHostCount" in figure().get("trouble", "") and figure(), 60)
    assert told["value"] is None, told
    # Of minutes that passed and some to come: 30 requests a second.
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/ELB", MetricData=[
        {"MetricName": name, "Timestamp": now + ago * datetime.timedelta(minutes=1), "Value": value,
         "Dimensions": [{"Name": "LoadBalancerName", "Value": "hive-shop"}]}
        for ago in range(-6, 12) for name, value in (("HealthyHostCount", 4), ("RequestCount", 1800))])
    told = aws.eventually(lambda: figure().get("value") and figure(), 120)
    assert told["value"] == 30 and told["fresh"] and 0 <= told["age_s"] <= 300, told
    until(aws, shop, lambda: len(shop.running()) == 4, 180)


def test_down_leaves_nothing(aws, shop):
    assert "cluster shop is removed" in shop.hive("down", "--yes")
    # AWS ends a group in its own time; images are kept.
    aws.eventually(lambda: inventory(aws) == {**EMPTY, "repositories": ["shop/web"]})
    aws.eventually(lambda: aws.machines() == {})
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    listed = aws.cli("ec2", "describe-instances", "--filters",
                     "Name=instance-state-name,Values=pending,running,stopping,stopped")
    assert listed["Reservations"] == []
