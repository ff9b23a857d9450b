"""hive aws apply and remove against moto: what is made, that twice makes nothing, that drift is mended,
that a run that was cut short is gone on with, and that nothing is left. Looked at with boto3. And what
moto's CloudWatch says of a balancer."""
import datetime
import json
import os
import subprocess

from account import EMPTY, REGION, apply, inventory, remove, run


def test_all_of_it_once_twice_and_gone(moto, config):
    assert inventory(moto) == EMPTY
    plan = run(moto, "up", "--dry-run", "-f", str(config))
    assert "+ manager shop-manager-1" in plan and "estimate, US dollars a month" in plan
    assert inventory(moto) == EMPTY, "a dry run changed something"

    apply(moto, config)
    made = inventory(moto)
    assert len(made["machines"]) == 5
    assert made["groups"] == ["hive-shop-balancer", "hive-shop-nodes"]
    assert made["balancers"] == ["hive-shop"]
    assert made["scaling"] == ["hive-shop-workers"]
    assert made["roles"] == made["profiles"] == ["hive-shop-manager", "hive-shop-worker"]
    assert made["repositories"] == ["shop/web"]

    assert "nothing changed" in apply(moto, config)
    assert inventory(moto) == made
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))

    remove(moto, config)
    assert inventory(moto) == EMPTY
    assert "nothing of cluster shop is left" in remove(moto, config)


def test_questions_to_cloudwatch_are_in_the_estimate(moto, config):
    assert "CloudWatch" not in run(moto, "up", "--dry-run", "-f", str(config))
    config.write_text(config.read_text().replace('ports: ["8080:8080"]}', """ports: ["8080:8080"],
    x-hive: {autoscale: {max: 9, target: {metrics: [
      {name: elb, cloudwatch: RequestCount, per_replica: 50}]}}}}"""))
    plan = run(moto, "up", "--dry-run", "-f", str(config))
    assert "CloudWatch, asked each minute for 2 metrics" in plan and " 0.88 to " in plan


def test_the_warm_pool_is_made_mended_and_taken_away(moto, config):
    scaling = moto.client("autoscaling")

    def pool():
        group, = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return group.get("WarmPoolConfiguration")
    without = config.read_text().replace("    spot: 50%\n", "")
    config.write_text(without.replace("    repositories:", "    warm_pool: {size: 2}\n    repositories:"))
    plan = run(moto, "up", "--dry-run", "-f", str(config))
    assert "+ warm pool of worker group hive-shop-workers\n    + 2 more, Stopped" in plan
    apply(moto, config)
    asked = {"MaxGroupPreparedCapacity": 2, "MinSize": 2, "PoolState": "Stopped",
             "InstanceReusePolicy": {"ReuseOnScaleIn": False}}
    assert pool() == asked
    assert "nothing changed" in apply(moto, config)

    scaling.put_warm_pool(AutoScalingGroupName="hive-shop-workers", MinSize=1, PoolState="Running")
    assert "~ state: Running -> Stopped" in run(moto, "up", "--dry-run", "-f", str(config))
    assert "changed warm pool of worker group" in apply(moto, config)
    assert pool() == asked

    with_pool = config.read_text()
    config.write_text(without)
    assert "removed warm pool of worker group" in apply(moto, config)
    assert pool() is None
    config.write_text(with_pool)
    apply(moto, config)
    remove(moto, config)
    assert inventory(moto) == EMPTY


def test_what_is_made_is_as_asked(moto, config):
    apply(moto, config)
    balancer = moto.client("elb").describe_load_balancers()["LoadBalancerDescriptions"][0]
    listeners = {one["Listener"]["LoadBalancerPort"]: one["Listener"]
                 for one in balancer["ListenerDescriptions"]}
    assert {port: (one["Protocol"], one["InstancePort"]) for port, one in listeners.items()} == {
        80: ("HTTP", 8080), 443: ("HTTPS", 8080), 5000: ("HTTP", 5000)}
    assert listeners[443]["SSLCertificateId"] == moto.certificate
    assert balancer["HealthCheck"]["Target"] == "HTTP:7080/healthz"
    attributes = moto.client("elb").describe_load_balancer_attributes(
        LoadBalancerName="hive-shop")["LoadBalancerAttributes"]
    assert attributes["ConnectionDraining"] == {"Enabled": True, "Timeout": 300}

    groups = {one["GroupName"]: one for one in moto.client("ec2").describe_security_groups()[
        "SecurityGroups"]}
    open_to_all = {(rule["FromPort"], rule["ToPort"])
                   for name, group in groups.items() if name.startswith("hive-")
                   for rule in group["IpPermissions"] if rule["IpRanges"]}
    assert open_to_all == {(80, 80), (443, 443), (5000, 5000)}
    among_nodes = {(rule["IpProtocol"], rule.get("FromPort"))
                   for rule in groups["hive-shop-nodes"]["IpPermissions"]
                   if any(pair["GroupId"] == groups["hive-shop-nodes"]["GroupId"]
                          for pair in rule["UserIdGroupPairs"])}
    assert among_nodes == {("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789), ("50", -1),
                           ("tcp", 32768), ("tcp", 7070), ("tcp", 7071), ("tcp", 7072)}

    scaling = moto.client("autoscaling")
    group = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert (group["MinSize"], group["MaxSize"]) == (2, 8)
    assert group["NewInstancesProtectedFromScaleIn"]
    assert [one["ProcessName"] for one in group["SuspendedProcesses"]] == ["AZRebalance"]
    assert group["LoadBalancerNames"] == ["hive-shop"]
    assert len(group["VPCZoneIdentifier"].split(",")) == 3
    hooks = scaling.describe_lifecycle_hooks(AutoScalingGroupName="hive-shop-workers")
    assert {one["LifecycleTransition"] for one in hooks["LifecycleHooks"]} == {
        "autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"}

    machines = [machine for page in moto.client("ec2").describe_instances()["Reservations"]
                for machine in page["Instances"]]
    managers = [one for one in machines if {"Key": "hive:role", "Value": "manager"} in one["Tags"]]
    assert len({one["Placement"]["AvailabilityZone"] for one in managers}) == 3
    assert {one["InstanceId"] for one in balancer["Instances"]} >= {
        one["InstanceId"] for one in managers}
    for machine in machines:
        assert {"Key": "hive:cluster", "Value": "shop"} in machine["Tags"]
        data = moto.client("ec2").describe_instance_attribute(
            InstanceId=machine["InstanceId"], Attribute="userData")
        assert "SWMTKN" not in json.dumps(data.get("UserData"))


def test_drift_is_shown_and_mended(moto, config):
    apply(moto, config)
    ec2, scaling = moto.client("ec2"), moto.client("autoscaling")
    group = ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["hive-shop-nodes"]}])["SecurityGroups"][0]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    scaling.update_auto_scaling_group(AutoScalingGroupName="hive-shop-workers", MaxSize=50)
    scaling.delete_lifecycle_hook(AutoScalingGroupName="hive-shop-workers",
                                  LifecycleHookName="hive-terminate")
    manager = [machine for page in ec2.describe_instances(
        Filters=[{"Name": "tag:Name", "Values": ["shop-manager-2"]}])["Reservations"]
        for machine in page["Instances"]][0]
    ec2.terminate_instances(InstanceIds=[manager["InstanceId"]])

    plan = run(moto, "up", "--dry-run", "-f", str(config))
    assert "- tcp 22 from 0.0.0.0/0" in plan
    assert "~ max: 50 -> 8" in plan
    assert "~ lifecycle hook hive-terminate" in plan
    assert "+ manager shop-manager-2" in plan
    apply(moto, config)
    assert "everything is as the file asks" in run(moto, "up", "--dry-run", "-f", str(config))
    assert len(inventory(moto)["machines"]) == 5


def test_the_file_changes(moto, config):
    apply(moto, config)
    config.write_text(config.read_text().replace("max: 8", "max: 12")
                      .replace('"80:8080"', '"8000:8080"').replace("m5a.large", "m6i.large"))
    said = apply(moto, config)
    assert "~ max: 8 -> 12" in said and "- HTTP 80 -> HTTP 8080" in said
    assert "- tcp 80 from 0.0.0.0/0" in said
    assert "nothing changed" in apply(moto, config)


def test_others_things_are_left_alone(moto, config):
    ec2 = moto.client("ec2")
    other = ec2.run_instances(ImageId=moto.image, MinCount=1, MaxCount=1,
                              InstanceType="t3.micro")["Instances"][0]["InstanceId"]
    moto.client("ecr").create_repository(repositoryName="shop/web")
    apply(moto, config)
    remove(moto, config)
    left = inventory(moto)
    assert left["machines"] == [other]
    assert left["repositories"] == ["shop/web"]


def test_a_balancer_of_somebody_elses_is_refused(moto, config):
    moto.client("elb").create_load_balancer(
        LoadBalancerName="hive-shop", AvailabilityZones=[REGION + "a"],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}])
    before = inventory(moto)
    said = run(moto, "aws", "apply", "--yes", "-f", str(config), code=6)
    assert "is there without the cluster's tag" in said
    assert inventory(moto) == before


def test_a_repository_with_images_is_kept(moto, config):
    apply(moto, config)
    moto.client("ecr").put_image(repositoryName="shop/web", imageTag="1", imageManifest=json.dumps(
        {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
         "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1,
                    "digest": "sha256:" + "0" * 64}, "layers": []}))
    assert "kept: it holds images" in remove(moto, config)
    assert inventory(moto) == {**EMPTY, "repositories": ["shop/web"]}


def figures(moto, cluster="shop"):
    """What hive's managers would be told of the cluster's balancer, and when it was asked."""
    asked = datetime.datetime.now(datetime.timezone.utc)
    out = subprocess.run(
        [os.path.join(os.environ["HIVE_BUILD_DIR"], "bin/aws_samples"), "figures", cluster],
        capture_output=True, text=True, timeout=60, check=True,
        env={"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": moto.url, "AWS_ACCESS_KEY_ID": "test",
             "AWS_SECRET_ACCESS_KEY": "test"})
    return json.loads(out.stdout), asked


def test_what_a_balancer_measured(moto):
    told, _ = figures(moto)
    assert {one["value"] for one in told.values()} == {None}, "nothing is known, and not 0"
    assert all("CloudWatch has no " in one["trouble"] for one in told.values())

    minute = datetime.timedelta(minutes=1)
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)

    def measure(metric, ago, *values, balancer="hive-shop"):
        moto.client("cloudwatch").put_metric_data(Namespace="AWS/ELB", MetricData=[
            {"MetricName": metric, "Timestamp": now - ago * minute, "Value": value,
             "Dimensions": [{"Name": "LoadBalancerName", "Value": balancer}]} for value in values])
    for ago in range(3, 9):
        measure("HealthyHostCount", ago, 2)
    # In two parts, as a balancer's own nodes tell.
    measure("RequestCount", 5, 4000, 2000)
    measure("RequestCount", 5, 100000, balancer="hive-other")
    measure("Latency", 5, 0.25, 0.75)
    measure("SurgeQueueLength", 5, 3, 40)

    told, asked = figures(moto)
    newest = told["requests"]["until_unix_ms"] / 1000
    # The minutes since that were reported have none of it.
    assert {name: one["value"] for name, one in told.items()} == {
        "requests": 0, "latency": 0, "surge_queue": 0, "spillover": 0}
    assert all(one["whole"] and one["trouble"] == "" for one in told.values())
    assert newest == (now - 2 * minute).timestamp()
    assert 120 <= asked.timestamp() - newest < 240

    measure("RequestCount", 3, 4000, 2000)
    measure("Latency", 3, 0.25, 0.75)
    measure("SurgeQueueLength", 3, 3, 40)
    measure("SpilloverCount", 3, 30)
    told, _ = figures(moto)
    assert {name: one["value"] for name, one in told.items()} == {
        "requests": 100, "latency": 0.5, "surge_queue": 40, "spillover": 0.5}
    # A younger one may not be whole, and counts where it is more.
    measure("RequestCount", 1, 600)
    measure("SurgeQueueLength", 1, 80)
    told, _ = figures(moto)
    assert told["requests"]["value"] == 100
    assert told["surge_queue"]["value"] == 80
    assert {one["value"] for one in figures(moto, "another")[0].values()} == {None}
