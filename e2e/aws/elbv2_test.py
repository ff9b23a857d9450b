"""hive aws apply and remove with an application and with a network balancer, against moto: what is made,
twice makes nothing, drift is mended, the type is not changed silently, faults and kills at any call, and
nothing is left. Looked at with boto3."""
import pytest

import account
from account import EMPTY, apply, inventory, remove, run
from faults_test import fail_each_changing_call, kill_at_any_moment

TYPES = ("application", "network")
# What each makes of the file's listeners "80:8080", 443 with a certificate, and the dashboard's.
SPOKEN = {"application": {80: "HTTP", 443: "HTTPS", 5000: "HTTP"},
          "network": {80: "TCP", 443: "TLS", 5000: "TCP"}}
GROUPS = {"application": ["hive-shop-http-5000", "hive-shop-http-8080"],
          "network": ["hive-shop-tcp-5000", "hive-shop-tcp-8080"]}


@pytest.fixture(params=TYPES)
def kind(request):
    return request.param


@pytest.fixture
def config(moto, proxy, tmp_path, kind):
    path = tmp_path / "hive.yml"
    path.write_text((account.FILE % (moto.certificate, moto.image)).replace(
        "  load_balancer:\n", f"  load_balancer:\n    type: {kind}\n"))
    return path


def attributes(found):
    return {one["Key"]: one["Value"] for one in found["Attributes"]}


def groups_of(moto):
    """{name: target group} of the account."""
    return {one["TargetGroupName"]: one for one in
            moto.client("elbv2").describe_target_groups()["TargetGroups"]}


def registered(moto, group):
    found = moto.client("elbv2").describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return {one["Target"]["Id"] for one in found["TargetHealthDescriptions"]}


def check_made(moto):
    there = inventory(moto)
    assert len(there["machines"]) == 5
    for what, count in {"groups": 2, "templates": 2, "scaling": 1, "balancers": 0, "v2 balancers": 1,
                        "target groups": 2, "roles": 2, "profiles": 2, "repositories": 1}.items():
        assert len(there[what]) == count, (what, there)
    elb = moto.client("elbv2")
    balancer, = elb.describe_load_balancers()["LoadBalancers"]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert sorted(one["Port"] for one in listeners) == [80, 443, 5000]


def test_all_of_it_once_twice_and_gone(moto, config, kind):
    plan = run(moto, "up", "--dry-run", "-f", str(config))
    assert "+ load balancer hive-shop" in plan and "Load Balancer, without" in plan
    assert inventory(moto) == EMPTY, "a dry run changed something"
    apply(moto, config)
    check_made(moto)
    made = inventory(moto)
    assert made["target groups"] == GROUPS[kind] and made["v2 balancers"] == ["hive-shop"]
    assert "nothing changed" in apply(moto, config)
    assert inventory(moto) == made
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))
    remove(moto, config)
    assert inventory(moto) == EMPTY
    assert "nothing of cluster shop is left" in remove(moto, config)


def test_what_is_made_is_as_asked(moto, config, kind):
    apply(moto, config)
    elb = moto.client("elbv2")
    balancer, = elb.describe_load_balancers()["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    assert balancer["Type"] == kind and balancer["Scheme"] == "internet-facing"
    assert len(balancer["AvailabilityZones"]) == 3
    security = {one["GroupId"]: one["GroupName"] for one in
                moto.client("ec2").describe_security_groups()["SecurityGroups"]}
    assert [security[one] for one in balancer["SecurityGroups"]] == ["hive-shop-balancer"]
    found = attributes(elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
    if kind == "network":
        assert found["load_balancing.cross_zone.enabled"] == "true"
    else:
        assert found["idle_timeout.timeout_seconds"] == "60"

    groups = groups_of(moto)
    listeners = {one["Port"]: one for one in
                 elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    assert {port: one["Protocol"] for port, one in listeners.items()} == SPOKEN[kind]
    assert listeners[443]["Certificates"][0]["CertificateArn"] == moto.certificate
    for port, one in listeners.items():
        group = groups[GROUPS[kind][0 if port == 5000 else 1]]
        assert one["DefaultActions"][0]["TargetGroupArn"] == group["TargetGroupArn"]
    for group in groups.values():
        assert (group["HealthCheckProtocol"], group["HealthCheckPort"], group["HealthCheckPath"],
                group["HealthCheckIntervalSeconds"]) == ("HTTP", "7080", "/healthz", 5)
        assert group["TargetType"] == "instance"
        found = attributes(elb.describe_target_group_attributes(
            TargetGroupArn=group["TargetGroupArn"]))
        assert found["deregistration_delay.timeout_seconds"] == "300"
        assert found.get("preserve_client_ip.enabled") == ("true" if kind == "network" else None)
        assert registered(moto, group) == set(inventory(moto)["machines"]), "managers and workers"
    scaling, = moto.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert sorted(scaling["TargetGroupARNs"]) == sorted(one["TargetGroupArn"]
                                                        for one in groups.values())
    assert scaling["LoadBalancerNames"] == []
    arns = [arn, *scaling["TargetGroupARNs"], *[one["ListenerArn"] for one in listeners.values()]]
    for tagged in elb.describe_tags(ResourceArns=arns)["TagDescriptions"]:
        assert {"Key": "hive:cluster", "Value": "shop"} in tagged["Tags"], tagged


def test_drift_is_shown_and_mended(moto, config, kind):
    apply(moto, config)
    elb = moto.client("elbv2")
    balancer, = elb.describe_load_balancers()["LoadBalancers"]
    listeners = {one["Port"]: one["ListenerArn"] for one in elb.describe_listeners(
        LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]}
    groups = groups_of(moto)
    first, second = (groups[name]["TargetGroupArn"] for name in GROUPS[kind])
    elb.modify_target_group(TargetGroupArn=first, HealthCheckPath="/")
    elb.modify_target_group_attributes(TargetGroupArn=first, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}])
    elb.modify_listener(ListenerArn=listeners[80], DefaultActions=[
        {"Type": "forward", "TargetGroupArn": first}])
    elb.delete_listener(ListenerArn=listeners[443])
    ec2 = moto.client("ec2")
    manager, = [machine["InstanceId"] for page in ec2.describe_instances(
        Filters=[{"Name": "tag:Name", "Values": ["shop-manager-2"]}])["Reservations"]
        for machine in page["Instances"]]
    elb.deregister_targets(TargetGroupArn=second, Targets=[{"Id": manager}])
    moto.client("autoscaling").detach_load_balancer_target_groups(
        AutoScalingGroupName="hive-shop-workers", TargetGroupARNs=[second])

    plan = run(moto, "up", "--dry-run", "-f", str(config))
    for line in ("~ HTTP:7080/ every 5 s -> HTTP:7080/healthz every 5 s",
                 "~ deregistration_delay.timeout_seconds: 20 -> 300",
                 f"- {SPOKEN[kind][80]} 80 -> {GROUPS[kind][0]}",
                 f"+ {SPOKEN[kind][443]} 443 -> {GROUPS[kind][1]}",
                 f"+ {manager} in {GROUPS[kind][1]}", f"+ {GROUPS[kind][1]}"):
        assert line in plan, plan
    apply(moto, config)
    check_made(moto)
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))
    for group in groups_of(moto).values():
        assert registered(moto, group) == set(inventory(moto)["machines"])


def test_the_file_changes(moto, config, kind):
    apply(moto, config)
    config.write_text(config.read_text().replace('"80:8080"', '"80:9090"'))
    said = apply(moto, config)
    assert f"80 -> hive-shop-{'http' if kind == 'application' else 'tcp'}-9090" in said
    assert len(groups_of(moto)) == 3
    config.write_text(config.read_text().replace('"80:9090"', '"8000:8080"'))
    apply(moto, config)
    assert sorted(groups_of(moto)) == GROUPS[kind]
    scaling, = moto.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert len(scaling["TargetGroupARNs"]) == 2
    assert "nothing changed" in apply(moto, config)


def test_the_type_is_not_changed_silently(moto, config, kind):
    apply(moto, config)
    made = inventory(moto)
    for other in ("classic", *TYPES):
        if other == kind:
            continue
        text = config.read_text()
        config.write_text(text.replace(f"type: {kind}", f"type: {other}"))
        said = run(moto, "aws", "apply", "--yes", "-f", str(config), code=6)
        assert "so it is not replaced" in said and f"type: {kind} back" in said
        assert run(moto, "up", "--dry-run", "-f", str(config), code=6)
        config.write_text(text)
    assert inventory(moto) == made
    # Taken away by a file of any type.
    config.write_text(config.read_text().replace(f"type: {kind}", "type: classic"))
    remove(moto, config)
    assert inventory(moto) == EMPTY


def test_others_things_are_refused_and_left_alone(moto, config, kind):
    elb, ec2 = moto.client("elbv2"), moto.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    elb.create_target_group(Name=GROUPS[kind][1], Protocol="HTTP", Port=1, VpcId=vpc)
    elb.create_target_group(Name="hive-shopping-http-80", Protocol="HTTP", Port=1, VpcId=vpc)
    before = inventory(moto)
    said = run(moto, "aws", "apply", "--yes", "-f", str(config), code=6)
    assert f"a target group {GROUPS[kind][1]} is there without the cluster's tag" in said
    assert inventory(moto) == before
    assert "nothing of cluster shop is left" in remove(moto, config)
    assert inventory(moto) == before


@pytest.mark.parametrize("fault", ["throttled", "lost"])
def test_each_calls_first_attempt_fails(moto, proxy, config, fault):
    """One run is enough: each call is tried again."""
    proxy.fault = lambda name, before: fault if before == 0 else None
    apply(moto, config)
    check_made(moto)
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))
    proxy.calls.clear()
    remove(moto, config)
    assert inventory(moto) == EMPTY


def test_each_changing_call_fails_for_a_whole_run(moto, proxy, config):
    fail_each_changing_call(moto, proxy, config, "lost", check_made)


def test_killed_at_any_moment(moto, proxy, config):
    kill_at_any_moment(moto, proxy, config, check_made)
