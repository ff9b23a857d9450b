"""What the harness adds to moto's API, seen by the official AWS CLI and by boto3. No real machines."""
import base64

import botocore.exceptions
import pytest

from harness.run import Harness

GROUP = "workers"


@pytest.fixture(scope="module")
def account():
    with Harness("awsapi") as harness:
        yield harness


@pytest.fixture
def aws(account):
    account.reset()
    return account


def refusal(call, *words, **more):
    """The code with which AWS refuses."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(*words, **more)
    return caught.value.response["Error"]["Code"]


def launch(aws, **more):
    return aws.client("ec2").run_instances(
        ImageId=aws.image, MinCount=1, MaxCount=1, **{"InstanceType": "m5.large", **more}
    )["Instances"][0]["InstanceId"]


def state(aws, instance):
    found = aws.client("ec2").describe_instances(InstanceIds=[instance])
    return found["Reservations"][0]["Instances"][0]["State"]["Name"]


def make_group(aws, size=1, most=8, hooks=(), zones=3, **more):
    ec2 = aws.client("ec2")
    ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData={
        "ImageId": aws.image, "InstanceType": "m5.large"})
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:zones]
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP, MinSize=0, MaxSize=most, DesiredCapacity=size,
        VPCZoneIdentifier=",".join(subnets), LifecycleHookSpecificationList=list(hooks),
        **{"LaunchTemplate": {"LaunchTemplateName": GROUP}, **more})


def hook(transition, name="hook", heartbeat=300, default="ABANDON"):
    return {"LifecycleHookName": name, "HeartbeatTimeout": heartbeat, "DefaultResult": default,
            "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{transition}"}


def complete(aws, instance, result="CONTINUE", name="hook"):
    aws.client("autoscaling").complete_lifecycle_action(
        LifecycleHookName=name, AutoScalingGroupName=GROUP, LifecycleActionResult=result,
        InstanceId=instance)


# --- lifecycle hooks

def test_a_launch_waits_for_its_hook(aws):
    make_group(aws, hooks=[hook("LAUNCHING")])
    one, = aws.in_states(GROUP, "Pending:Wait")
    seen = aws.cli("autoscaling", "describe-auto-scaling-instances")["AutoScalingInstances"]
    assert [(it["InstanceId"], it["LifecycleState"]) for it in seen] == [(one, "Pending:Wait")]
    assert state(aws, one) == "running"
    aws.advance(seconds=200)
    assert aws.lifecycle_states(GROUP) == {one: "Pending:Wait"}
    aws.cli("autoscaling", "complete-lifecycle-action", "--lifecycle-hook-name", "hook",
            "--auto-scaling-group-name", GROUP, "--lifecycle-action-result", "CONTINUE",
            "--instance-id", one)
    assert aws.in_states(GROUP, "InService") == [one]


def test_an_abandoned_launch_is_replaced(aws):
    make_group(aws, hooks=[hook("LAUNCHING")])
    one, = aws.in_states(GROUP, "Pending:Wait")
    complete(aws, one, "ABANDON")
    aws.eventually(lambda: state(aws, one) == "terminated")
    other, = aws.in_states(GROUP, "Pending:Wait")
    assert other != one
    failed = [it for it in aws.cli("autoscaling", "describe-scaling-activities")["Activities"]
              if it["StatusCode"] == "Failed"]
    assert one in failed[0]["Description"]


@pytest.mark.parametrize("default, then", [("CONTINUE", "InService"), ("ABANDON", "Pending:Wait")])
def test_a_hook_times_out_with_its_default(aws, default, then):
    make_group(aws, hooks=[hook("LAUNCHING", default=default)])
    one, = aws.in_states(GROUP, "Pending:Wait")
    aws.advance(seconds=301)
    other, = aws.in_states(GROUP, then)
    assert (other == one) == (default == "CONTINUE")


def test_heartbeats_hold_a_hook_up_to_its_cap(aws):
    make_group(aws, hooks=[hook("LAUNCHING", heartbeat=30)])
    one, = aws.in_states(GROUP, "Pending:Wait")
    for _ in range(99):
        aws.advance(seconds=29)
        aws.client("autoscaling").record_lifecycle_action_heartbeat(
            LifecycleHookName="hook", AutoScalingGroupName=GROUP, InstanceId=one)
    assert aws.lifecycle_states(GROUP) == {one: "Pending:Wait"}
    for _ in range(5):  # 100 heartbeats of 30 s are over, whatever is said
        aws.advance(seconds=29)
        try:
            aws.client("autoscaling").record_lifecycle_action_heartbeat(
                LifecycleHookName="hook", AutoScalingGroupName=GROUP, InstanceId=one)
        except botocore.exceptions.ClientError:
            break
    aws.eventually(lambda: state(aws, one) == "terminated")


def test_a_scale_in_waits_for_all_its_hooks(aws):
    make_group(aws, hooks=[hook("TERMINATING", "first"), hook("TERMINATING", "second")])
    one, = aws.in_states(GROUP, "InService")
    aws.cli("autoscaling", "set-desired-capacity", "--auto-scaling-group-name", GROUP,
            "--desired-capacity", "0")
    aws.in_states(GROUP, "Terminating:Wait")
    complete(aws, one, name="first")
    aws.advance(seconds=1)
    assert aws.lifecycle_states(GROUP) == {one: "Terminating:Wait"}
    assert state(aws, one) == "running"
    complete(aws, one, name="second")
    aws.in_states(GROUP)
    assert state(aws, one) == "terminated"


def test_a_terminating_instance_ends_with_either_result(aws):
    make_group(aws, size=2, hooks=[hook("TERMINATING", "first"), hook("TERMINATING", "second")])
    first, second = aws.in_states(GROUP, "InService", "InService")
    for one in (first, second):
        aws.cli("autoscaling", "terminate-instance-in-auto-scaling-group", "--instance-id", one,
                "--should-decrement-desired-capacity")
    aws.in_states(GROUP, "Terminating:Wait", "Terminating:Wait")
    complete(aws, first, "ABANDON", "first")  # skips the other hook
    aws.in_states(GROUP, "Terminating:Wait")
    aws.advance(seconds=301)
    aws.in_states(GROUP)


def test_retained_when_the_policy_says_so(aws):
    make_group(aws, hooks=[hook("TERMINATING")], InstanceLifecyclePolicy={
        "RetentionTriggers": {"TerminateHookAbandon": "retain"}})
    one, = aws.in_states(GROUP, "InService")
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=one, ShouldDecrementDesiredCapacity=True)
    aws.in_states(GROUP, "Terminating:Wait")
    aws.advance(seconds=301)
    assert aws.in_states(GROUP, "Terminating:Retained") == [one]
    assert state(aws, one) == "running"


def test_a_direct_end_is_held_by_no_hook(aws):
    make_group(aws, hooks=[hook("TERMINATING")])
    one, = aws.in_states(GROUP, "InService")
    aws.cli("ec2", "terminate-instances", "--instance-ids", one)
    other = aws.eventually(lambda: [it for it in aws.in_states(GROUP, "InService") if it != one])
    assert state(aws, one) == "terminated" and other


def test_a_direct_end_ends_the_wait_too(aws):
    make_group(aws, hooks=[hook("TERMINATING")])
    one, = aws.in_states(GROUP, "InService")
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=one, ShouldDecrementDesiredCapacity=True)
    aws.in_states(GROUP, "Terminating:Wait")
    aws.client("ec2").terminate_instances(InstanceIds=[one])
    aws.in_states(GROUP)


def test_a_completion_that_nothing_waits_for_is_refused(aws):
    make_group(aws, hooks=[hook("LAUNCHING")])
    one, = aws.in_states(GROUP, "Pending:Wait")
    scaling = aws.client("autoscaling")
    words = {"LifecycleHookName": "hook", "AutoScalingGroupName": GROUP, "InstanceId": one}
    assert refusal(scaling.complete_lifecycle_action, LifecycleActionResult="PERHAPS",
                   **words) == "ValidationError"
    assert refusal(scaling.complete_lifecycle_action, LifecycleActionResult="CONTINUE",
                   **{**words, "InstanceId": "i-0"}) == "ValidationError"
    complete(aws, one)
    aws.in_states(GROUP, "InService")
    assert refusal(scaling.record_lifecycle_action_heartbeat, **words) == "ValidationError"
    assert refusal(scaling.put_lifecycle_hook, AutoScalingGroupName=GROUP, LifecycleHookName="short",
                   LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
                   HeartbeatTimeout=29) == "ValidationError"


# --- groups

def test_members_are_spread_over_zones_and_bounds_are_kept(aws):
    make_group(aws, size=3)
    aws.in_states(GROUP, *["InService"] * 3)
    members = aws.cli("autoscaling", "describe-auto-scaling-instances")["AutoScalingInstances"]
    assert len({one["AvailabilityZone"] for one in members}) == 3
    scaling = aws.client("autoscaling")
    assert refusal(scaling.set_desired_capacity, AutoScalingGroupName=GROUP,
                   DesiredCapacity=9) == "ValidationError"
    assert refusal(scaling.delete_auto_scaling_group, AutoScalingGroupName=GROUP) == "ResourceInUse"
    scaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    aws.eventually(lambda: not scaling.describe_auto_scaling_groups()["AutoScalingGroups"])


def test_protected_members_stay(aws):
    make_group(aws, size=2, NewInstancesProtectedFromScaleIn=True)
    both = aws.in_states(GROUP, "InService", "InService")
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=1)
    aws.advance(seconds=60)
    assert aws.in_states(GROUP, "InService", "InService") == both
    aws.client("autoscaling").set_instance_protection(
        AutoScalingGroupName=GROUP, InstanceIds=[both[1]], ProtectedFromScaleIn=False)
    assert aws.in_states(GROUP, "InService") == [both[0]]


def test_the_spot_share(aws):
    ec2 = aws.client("ec2")
    ec2.create_launch_template(LaunchTemplateName="mixed", LaunchTemplateData={"ImageId": aws.image})
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP, MinSize=0, MaxSize=8, DesiredCapacity=4,
        VPCZoneIdentifier=ec2.describe_subnets()["Subnets"][0]["SubnetId"],
        MixedInstancesPolicy={
            "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateName": "mixed"},
                               "Overrides": [{"InstanceType": "m5.large"}]},
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50}})
    aws.in_states(GROUP, *["InService"] * 4)
    machines = [one for page in ec2.describe_instances()["Reservations"] for one in page["Instances"]]
    assert sorted(one.get("InstanceLifecycle", "on-demand") for one in machines) == [
        "on-demand", "on-demand", "spot", "spot"]


def test_later_versions_of_a_launch_template_are_launched_with_their_user_data(aws):
    ec2, groups = aws.client("ec2"), aws.client("autoscaling")
    make_group(aws)
    first, = aws.in_states(GROUP, "InService")
    said = base64.b64encode(b"#!/bin/sh\necho second\n").decode()
    ec2.create_launch_template_version(LaunchTemplateName=GROUP, LaunchTemplateData={
        "ImageId": aws.image, "InstanceType": "m5.large", "UserData": said})
    groups.update_auto_scaling_group(AutoScalingGroupName=GROUP, LaunchTemplate={
        "LaunchTemplateName": GROUP, "Version": "$Latest"})
    groups.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=False)
    aws.eventually(lambda: first not in aws.lifecycle_states(GROUP))
    second, = aws.in_states(GROUP, "InService")
    data = ec2.describe_instance_attribute(InstanceId=second, Attribute="userData")["UserData"]
    assert data == {"Value": said}


def test_a_type_or_a_zone_without_capacity_does_not_stall_the_rest(aws):
    aws.capacity(entries=[{"type": "m5.large", "zone": "eu-central-1a"}])
    make_group(aws, size=3)
    aws.in_states(GROUP, *["InService"] * 3)
    members = aws.cli("autoscaling", "describe-auto-scaling-instances")["AutoScalingInstances"]
    assert {one["AvailabilityZone"] for one in members} == {"eu-central-1b", "eu-central-1c"}
    assert "InsufficientInstanceCapacity" in aws.cli(
        "ec2", "run-instances", "--image-id", aws.image, "--instance-type", "m5.large",
        "--placement", "AvailabilityZone=eu-central-1a", code=254)


def test_a_group_tries_again_when_there_was_no_capacity(aws):
    aws.capacity(entries=[{}])
    make_group(aws)
    activity = aws.eventually(
        lambda: aws.cli("autoscaling", "describe-scaling-activities")["Activities"])[0]
    assert activity["StatusCode"] == "Failed" and "sufficient m5.large" in activity["StatusMessage"]
    aws.capacity(entries=[])
    assert aws.lifecycle_states(GROUP) == {}
    aws.advance(seconds=31)
    aws.in_states(GROUP, "InService")


# --- warm pools

def put_pool(aws, least=None, most=None, **more):
    words = {"MinSize": least, "MaxGroupPreparedCapacity": most, **more}
    aws.client("autoscaling").put_warm_pool(
        AutoScalingGroupName=GROUP, **{key: value for key, value in words.items() if value is not None})


def in_pool(aws, *states):
    """The ids of the instances in the pool, as soon as their states are these."""
    def look():
        found = aws.warm_states(GROUP)
        return [sorted(found)] if sorted(found.values()) == sorted(states) else None
    return aws.eventually(look)[0]


def grow(aws, size):
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=size)


def test_an_instance_waits_stopped_in_the_pool_and_is_taken(aws):
    make_group(aws, hooks=[hook("LAUNCHING")])
    one, = aws.in_states(GROUP, "Pending:Wait")
    complete(aws, one)
    aws.in_states(GROUP, "InService")
    put_pool(aws, least=1, most=1)
    warm, = in_pool(aws, "Warmed:Pending:Wait")
    assert state(aws, warm) == "running", "its hook holds it"
    complete(aws, warm)
    assert in_pool(aws, "Warmed:Stopped") == [warm]
    assert state(aws, warm) == "stopped"
    assert aws.in_states(GROUP, "InService") == [one], "it is none of the group's"
    group, = aws.cli("autoscaling", "describe-auto-scaling-groups")["AutoScalingGroups"]
    assert (group["DesiredCapacity"], group["WarmPoolSize"]) == (1, 1)
    seen = aws.cli("autoscaling", "describe-auto-scaling-instances")["AutoScalingInstances"]
    assert {it["InstanceId"]: it["LifecycleState"] for it in seen} == {
        one: "InService", warm: "Warmed:Stopped"}
    assert refusal(aws.client("autoscaling").terminate_instance_in_auto_scaling_group, InstanceId=warm,
                   ShouldDecrementDesiredCapacity=False) == "ValidationError"

    grow(aws, 2)
    assert aws.in_states(GROUP, "InService", "Pending:Wait") == [one, warm]
    assert state(aws, warm) == "running"
    other, = in_pool(aws, "Warmed:Pending:Wait")
    assert other not in (one, warm), "the pool is filled again"
    complete(aws, warm)
    assert set(aws.in_states(GROUP, "InService", "InService")) == {one, warm}


def test_a_start_out_of_the_pool_takes_its_time(aws):
    make_group(aws, size=0)
    put_pool(aws, least=1, most=1)
    warm, = in_pool(aws, "Warmed:Stopped")
    aws.settings(boot_seconds=50)
    grow(aws, 1)
    assert aws.in_states(GROUP, "Pending") == [warm]
    assert state(aws, warm) == "pending"
    aws.advance(seconds=51)
    assert aws.in_states(GROUP, "InService") == [warm]


def test_instances_of_a_pool_may_run(aws):
    make_group(aws, size=0)
    put_pool(aws, least=2, most=2, PoolState="Running")
    both = in_pool(aws, "Warmed:Running", "Warmed:Running")
    assert {state(aws, one) for one in both} == {"running"}
    grow(aws, 3)
    assert set(both) < set(aws.in_states(GROUP, *["InService"] * 3)), "both, and one that is launched"


@pytest.mark.parametrize("least, most, size", [(None, None, 5), (None, 4, 1), (2, 4, 2), (3, 1, 3),
                                               (None, 2, 0)])
def test_the_size_of_a_pool(aws, least, most, size):
    make_group(aws, size=3)
    put_pool(aws, least, most)
    aws.in_states(GROUP, *["InService"] * 3)
    in_pool(aws, *["Warmed:Stopped"] * size)


def test_a_pool_follows_its_settings_and_keeps_what_is_not_named(aws):
    make_group(aws)
    put_pool(aws, least=3, most=3)
    three = in_pool(aws, *["Warmed:Stopped"] * 3)
    put_pool(aws, least=1, most=2)
    one, = in_pool(aws, "Warmed:Stopped")
    assert one in three
    put_pool(aws, PoolState="Running")
    settings = aws.cli("autoscaling", "describe-warm-pool", "--auto-scaling-group-name", GROUP)
    assert settings["WarmPoolConfiguration"] == {
        "MinSize": 1, "MaxGroupPreparedCapacity": 2, "PoolState": "Running"}
    put_pool(aws, most=-1)
    in_pool(aws, "Warmed:Stopped", *["Warmed:Running"] * 6)


def test_a_pool_ends_its_instances_by_their_hooks_and_replaces_what_is_lost(aws):
    make_group(aws, size=0, hooks=[hook("LAUNCHING"), hook("TERMINATING", "end")])
    put_pool(aws, least=1, most=1)
    first, = in_pool(aws, "Warmed:Pending:Wait")
    complete(aws, first, "ABANDON")
    aws.eventually(lambda: state(aws, first) == "terminated")
    second, = in_pool(aws, "Warmed:Pending:Wait")
    complete(aws, second)
    in_pool(aws, "Warmed:Stopped")
    aws.client("ec2").terminate_instances(InstanceIds=[second])
    third, = in_pool(aws, "Warmed:Pending:Wait")
    assert len({first, second, third}) == 3
    complete(aws, third)
    in_pool(aws, "Warmed:Stopped")
    put_pool(aws, least=0, most=0)
    assert in_pool(aws, "Warmed:Terminating:Wait") == [third]
    complete(aws, third, name="end")
    in_pool(aws)
    assert state(aws, third) == "terminated"


def test_a_pool_goes_with_its_instances(aws):
    make_group(aws, hooks=[hook("TERMINATING", "end")])
    put_pool(aws, least=1, most=1)
    warm, = in_pool(aws, "Warmed:Stopped")
    scaling, words = aws.client("autoscaling"), {"AutoScalingGroupName": GROUP}
    assert refusal(scaling.delete_warm_pool, **words) == "ResourceInUse"
    aws.settings(shutdown_seconds=40)
    scaling.delete_warm_pool(ForceDelete=True, **words)
    assert scaling.describe_warm_pool(**words)["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    assert in_pool(aws, "Warmed:Terminating:Proceed") == [warm]
    aws.advance(seconds=41)
    aws.eventually(lambda: "WarmPoolConfiguration" not in scaling.describe_warm_pool(**words))
    assert state(aws, warm) == "terminated"
    aws.in_states(GROUP, "InService")


def test_a_pool_goes_with_its_group(aws):
    make_group(aws, size=0)
    put_pool(aws, least=1, most=1)
    warm, = in_pool(aws, "Warmed:Stopped")
    scaling = aws.client("autoscaling")
    assert refusal(scaling.delete_auto_scaling_group, AutoScalingGroupName=GROUP) == "ResourceInUse"
    scaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    aws.eventually(lambda: not scaling.describe_auto_scaling_groups()["AutoScalingGroups"])
    assert state(aws, warm) == "terminated"


# --- EC2

def test_boot_and_shutdown_take_time(aws):
    aws.settings(boot_seconds=50, shutdown_seconds=40)
    one = launch(aws)
    assert state(aws, one) == "pending"
    aws.advance(seconds=20)
    assert state(aws, one) == "pending"
    aws.advance(seconds=31)
    assert state(aws, one) == "running"
    aws.cli("ec2", "stop-instances", "--instance-ids", one)
    assert state(aws, one) == "stopping"
    assert refusal(aws.client("ec2").start_instances, InstanceIds=[one]) == "IncorrectInstanceState"
    aws.advance(seconds=41)
    assert state(aws, one) == "stopped"
    aws.cli("ec2", "start-instances", "--instance-ids", one)
    aws.advance(seconds=51)
    assert state(aws, one) == "running"
    aws.cli("ec2", "terminate-instances", "--instance-ids", one)
    assert state(aws, one) == "shutting-down"
    aws.advance(seconds=41)
    assert state(aws, one) == "terminated"


def test_the_same_token_is_one_launch(aws):
    assert launch(aws, ClientToken="one") == launch(aws, ClientToken="one") != launch(aws)
    one = launch(aws, ClientToken="one")
    aws.client("ec2").terminate_instances(InstanceIds=[one])
    aws.eventually(lambda: state(aws, one) == "terminated")
    assert refusal(launch, aws, ClientToken="one") == "IdempotentInstanceTerminated"


def test_the_limit_of_instances(aws):
    aws.settings(instance_limit=1)
    one = launch(aws)
    assert refusal(launch, aws) == "InstanceLimitExceeded"
    aws.client("ec2").terminate_instances(InstanceIds=[one])
    aws.eventually(lambda: state(aws, one) == "terminated")
    launch(aws)


def test_a_spot_instance_is_reclaimed_two_minutes_after_the_notice(aws):
    one = launch(aws, InstanceMarketOptions={"MarketType": "spot"})
    aws.eventually(lambda: state(aws, one) == "running")
    aws.interrupt_spot(instance=one)
    aws.advance(seconds=60)
    assert state(aws, one) == "running"
    aws.advance(seconds=70)
    assert state(aws, one) == "terminated"


# --- calls that fail

def test_throttled_by_name_by_count_and_by_rate(aws):
    aws.fault(action="Describe*", effect="throttle", skip=1, times=2)
    ec2, scaling = aws.client("ec2"), aws.client("autoscaling")
    ec2.describe_vpcs()
    assert refusal(ec2.describe_vpcs) == "RequestLimitExceeded"
    assert refusal(scaling.describe_auto_scaling_groups) == "Throttling"
    ec2.describe_vpcs()
    aws.fault(action="ec2:RunInstances", effect="throttle", per_second=0.01, burst=2)
    launch(aws), launch(aws)
    assert refusal(launch, aws) == "RequestLimitExceeded"
    aws.advance(seconds=110)
    launch(aws)
    aws.fault(action="ecr:*", effect="throttle")
    assert "ThrottlingException" in aws.cli("ecr", "describe-repositories", code=254)


def test_what_is_not_allowed_is_said_as_aws_says_it(aws):
    number = aws.fault(action="ec2:RunInstances", effect="unauthorized")["number"]
    said = aws.cli("ec2", "run-instances", "--image-id", aws.image, code=254)
    assert "(UnauthorizedOperation)" in said
    encoded = said.split("Encoded authorization failure message: ")[1].strip()
    decoded = aws.cli("sts", "decode-authorization-message", "--encoded-message", encoded)
    assert '"action": "ec2:RunInstances"' in decoded["DecodedMessage"]
    aws.heal(number=number)
    launch(aws)
    aws.fault(action="autoscaling:*", effect="unauthorized")
    assert "(AccessDenied)" in aws.cli("autoscaling", "describe-auto-scaling-groups", code=254)


@pytest.mark.parametrize("effect", ["broken", "garbage", "lost", "error"])
def test_other_ways_to_fail(aws, effect):
    aws.fault(action="CreateSecurityGroup", effect=effect, times=1, code="InternalError")
    words = ("ec2", "create-security-group", "--group-name", "one", "--description", "one")
    assert aws.cli(*words, code=254 if effect in ("error", "broken") else 255)
    groups = aws.cli("ec2", "describe-security-groups", "--filters", "Name=group-name,Values=one")
    assert len(groups["SecurityGroups"]) == (1 if effect == "lost" else 0)


def test_what_was_made_is_not_found_at_once(aws):
    aws.visibility(calls=2)
    made = aws.client("ec2").create_security_group(GroupName="one", Description="one")["GroupId"]
    assert "(InvalidGroup.NotFound)" in aws.cli("ec2", "describe-security-groups", "--group-ids", made,
                                                code=254)
    listed = aws.cli("ec2", "describe-security-groups")["SecurityGroups"]
    assert made not in [one["GroupId"] for one in listed]
    listed = aws.cli("ec2", "describe-security-groups")["SecurityGroups"]
    assert made in [one["GroupId"] for one in listed]
    aws.visibility(seconds=30)
    one = launch(aws)
    assert refusal(aws.client("ec2").describe_instances,
                   InstanceIds=[one]) == "InvalidInstanceID.NotFound"
    aws.advance(seconds=31)
    assert state(aws, one) == "running"


def test_the_calls_are_kept(aws):
    aws.calls(forget=True)
    aws.client("sts").get_caller_identity()
    assert [one["action"] for one in aws.calls()] == ["sts:GetCallerIdentity"]


# --- the Classic Load Balancer

@pytest.fixture
def balancer(aws):
    elb = aws.client("elb")
    elb.create_load_balancer(LoadBalancerName="front", AvailabilityZones=["eu-central-1a"], Listeners=[
        {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080},
        {"Protocol": "TCP", "LoadBalancerPort": 81, "InstancePort": 8081},
        {"Protocol": "TCP", "LoadBalancerPort": 82, "InstancePort": 8082}])
    elb.configure_health_check(LoadBalancerName="front", HealthCheck={
        "Target": "HTTP:8080/", "Interval": 10, "Timeout": 5, "UnhealthyThreshold": 2,
        "HealthyThreshold": 3})
    return elb


def health(aws):
    found = aws.client("elb").describe_instance_health(LoadBalancerName="front")
    return {one["InstanceId"]: (one["State"], one["Description"]) for one in found["InstanceStates"]}


def test_registration_health_and_draining(aws, balancer):
    one = launch(aws)
    for _ in range(2):
        balancer.register_instances_with_load_balancer(
            LoadBalancerName="front", Instances=[{"InstanceId": one}])
    described = aws.cli("elb", "describe-load-balancers")["LoadBalancerDescriptions"][0]
    assert described["Instances"] == [{"InstanceId": one}]
    assert health(aws)[one] == ("OutOfService", "Instance registration is still in progress.")
    aws.advance(seconds=31)
    assert health(aws)[one] == ("InService", "N/A")

    balancer.modify_load_balancer_attributes(LoadBalancerName="front", LoadBalancerAttributes={
        "ConnectionDraining": {"Enabled": True, "Timeout": 60}})
    aws.settings(open_connections=True)
    balancer.deregister_instances_from_load_balancer(
        LoadBalancerName="front", Instances=[{"InstanceId": one}])
    assert health(aws)[one] == ("InService", "Instance deregistration currently in progress.")
    aws.advance(seconds=20)
    assert one in health(aws)
    aws.advance(seconds=41)
    assert health(aws) == {}


def test_a_group_drains_before_its_hook(aws, balancer):
    balancer.modify_load_balancer_attributes(LoadBalancerName="front", LoadBalancerAttributes={
        "ConnectionDraining": {"Enabled": True, "Timeout": 60}})
    aws.settings(open_connections=True)
    make_group(aws, hooks=[hook("LAUNCHING"), hook("TERMINATING", "end")],
               LoadBalancerNames=["front"])
    one, = aws.in_states(GROUP, "Pending:Wait")
    assert health(aws) == {}  # registered only when it is in service
    complete(aws, one)
    aws.in_states(GROUP, "InService")
    assert one in health(aws)
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=one, ShouldDecrementDesiredCapacity=True)
    aws.in_states(GROUP, "Terminating")
    assert health(aws)[one][1] == "Instance deregistration currently in progress."
    aws.advance(seconds=61)
    aws.in_states(GROUP, "Terminating:Wait")
    assert health(aws) == {}


def test_what_is_not_there_is_refused(aws, balancer):
    assert refusal(balancer.register_instances_with_load_balancer, LoadBalancerName="front",
                   Instances=[{"InstanceId": "i-0"}]) == "InvalidInstance"
    for call in (balancer.describe_instance_health, balancer.deregister_instances_from_load_balancer):
        assert refusal(call, LoadBalancerName="other", Instances=[{"InstanceId": "i-0"}]) == \
            "LoadBalancerNotFound"


def test_a_group_lives_on_without_its_balancer(aws, balancer):
    make_group(aws, LoadBalancerNames=["front"])
    aws.in_states(GROUP, "InService")
    balancer.delete_load_balancer(LoadBalancerName="front")
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    aws.in_states(GROUP, "InService", "InService")
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=0)
    aws.in_states(GROUP)


def test_listeners_keep_their_protocol_and_go_one_by_one(aws, balancer):
    balancer.delete_load_balancer_listeners(LoadBalancerName="front", LoadBalancerPorts=[81, 82])
    described = aws.cli("elb", "describe-load-balancers")["LoadBalancerDescriptions"][0]
    assert [(one["Listener"]["LoadBalancerPort"], one["Listener"]["InstanceProtocol"])
            for one in described["ListenerDescriptions"]] == [(80, "HTTP")]


def test_an_instance_that_the_balancer_gives_up_is_replaced(aws, balancer):
    make_group(aws, LoadBalancerNames=["front"], HealthCheckType="ELB", HealthCheckGracePeriod=60)
    one, = aws.in_states(GROUP, "InService")
    aws.advance(seconds=100)
    assert health(aws)[one][0] == "InService"
    aws.crash(instance=one)
    other = aws.eventually(lambda: [it for it in aws.lifecycle_states(GROUP) if it != one])
    assert other


# --- application and network balancers

@pytest.fixture
def targets(aws):
    """(client, ARN of a target group that a network balancer's listener sends to)"""
    elb, ec2 = aws.client("elbv2"), aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = elb.create_target_group(
        Name="web", Protocol="TCP", Port=8080, VpcId=subnet["VpcId"], HealthCheckProtocol="HTTP",
        HealthCheckPort="7080", HealthCheckPath="/healthz", HealthCheckIntervalSeconds=10,
        HealthCheckTimeoutSeconds=5, HealthyThresholdCount=3)["TargetGroups"][0]["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "60"}])
    return elb, group


def listen(elb, group, subnet):
    words = {"Name": "front", "Type": "network", "Subnets": [subnet]}
    made, again = (elb.create_load_balancer(**words)["LoadBalancers"][0]["LoadBalancerArn"]
                   for _ in range(2))
    assert made == again
    words = {"LoadBalancerArn": made, "Protocol": "TCP", "Port": 80,
             "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}]}
    elb.create_listener(**words)
    assert refusal(elb.create_listener, **words) == "DuplicateListener"
    return made


def target_health(elb, group):
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {one["Target"]["Id"]: one["TargetHealth"]["State"] for one in found}


def subnet_of(aws):
    return aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]


def test_targets_are_checked_and_drain_their_whole_time(aws, targets):
    elb, group = targets
    aws.settings(boot_seconds=60)
    one = launch(aws)
    assert refusal(elb.register_targets, TargetGroupArn=group,
                   Targets=[{"Id": one}]) == "InvalidTarget", "it is pending"
    aws.advance(seconds=61)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": one}])
    assert target_health(elb, group) == {one: "unused"}, "no listener sends to it"
    listen(elb, group, subnet_of(aws))
    assert target_health(elb, group) == {one: "initial"}
    aws.advance(seconds=31)
    assert target_health(elb, group) == {one: "healthy"}
    for _ in range(2):  # also when nothing is open
        elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": one}])
    aws.advance(seconds=50)
    assert target_health(elb, group) == {one: "draining"}
    aws.advance(seconds=11)
    assert target_health(elb, group) == {}
    found, = elb.describe_target_health(TargetGroupArn=group,
                                        Targets=[{"Id": one}])["TargetHealthDescriptions"]
    assert found["TargetHealth"]["Reason"] == "Target.NotRegistered"
    assert refusal(elb.register_targets, TargetGroupArn=group,
                   Targets=[{"Id": "i-0"}]) == "InvalidTarget"
    assert refusal(elb.delete_target_group, TargetGroupArn=group) == "ResourceInUse"


def test_a_group_of_target_groups_drains_before_its_hook(aws, targets):
    elb, group = targets
    listen(elb, group, subnet_of(aws))
    make_group(aws, hooks=[hook("LAUNCHING"), hook("TERMINATING", "end")], TargetGroupARNs=[group])
    one, = aws.in_states(GROUP, "Pending:Wait")
    assert target_health(elb, group) == {}  # registered only when it is in service
    complete(aws, one)
    aws.in_states(GROUP, "InService")
    assert target_health(elb, group) == {one: "initial"}
    scaling = aws.client("autoscaling")
    words = {"AutoScalingGroupName": GROUP, "TargetGroupARNs": [group]}
    scaling.detach_load_balancer_target_groups(**words)
    assert target_health(elb, group) == {one: "draining"}
    scaling.attach_load_balancer_target_groups(**words)
    assert target_health(elb, group) == {one: "initial"}
    scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=one, ShouldDecrementDesiredCapacity=True)
    aws.in_states(GROUP, "Terminating")
    assert target_health(elb, group) == {one: "draining"}
    aws.advance(seconds=61)
    aws.in_states(GROUP, "Terminating:Wait")
    assert target_health(elb, group) == {}
