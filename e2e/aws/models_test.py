"""Every typed call of src/cloud/aws, against botocore's service models: what it sends is what botocore
would send for the same parameters, and what it reads is what the models say stands there."""
import http.server
import json
import os
import subprocess
import threading

import pytest

import models

SAMPLES = os.path.join(os.environ["HIVE_BUILD_DIR"], "bin/aws_samples")

# Where some of what hive reads must come from: call -> field -> place in the answer.
PLACES = {
    "DescribeVpcs": {"id": "/Vpcs/0/VpcId", "cidr": "/Vpcs/0/CidrBlock"},
    "DescribeSubnets": {"id": "/Subnets/0/SubnetId", "zone": "/Subnets/0/AvailabilityZone"},
    "DescribeImages": {"id": "/Images/0/ImageId", "created": "/Images/0/CreationDate"},
    "DescribeSecurityGroups": {"id": "/SecurityGroups/0/GroupId",
                               "vpc": "/SecurityGroups/0/VpcId"},
    "DescribeInstances": {"id": "/Reservations/0/Instances/0/InstanceId",
                          "address": "/Reservations/0/Instances/0/PrivateIpAddress",
                          "zone": "/Reservations/0/Instances/0/Placement/AvailabilityZone"},
    "DescribeLaunchTemplates": {"id": "/LaunchTemplates/0/LaunchTemplateId"},
    "DescribeAutoScalingGroups": {
        "name": "/AutoScalingGroups/0/AutoScalingGroupName",
        "template": "/AutoScalingGroups/0/MixedInstancesPolicy/LaunchTemplate/"
                    "LaunchTemplateSpecification/LaunchTemplateId"},
    "DescribeWarmPool": {"id": "/Instances/0/InstanceId", "zone": "/Instances/0/AvailabilityZone"},
    "DescribeScalingActivities": {"description": "/Activities/0/Description",
                                  "message": "/Activities/0/StatusMessage"},
    "DescribeLifecycleHooks": {"name": "/LifecycleHooks/0/LifecycleHookName"},
    "DescribeLoadBalancers": {"dns_name": "/LoadBalancerDescriptions/0/DNSName"},
    "elbv2 DescribeLoadBalancers": {"arn": "/LoadBalancers/0/LoadBalancerArn",
                                    "dns_name": "/LoadBalancers/0/DNSName"},
    "elbv2 DescribeListeners": {"arn": "/Listeners/0/ListenerArn",
                                "certificate": "/Listeners/0/Certificates/0/CertificateArn"},
    "elbv2 DescribeTargetGroups": {"arn": "/TargetGroups/0/TargetGroupArn",
                                   "check_port": "/TargetGroups/0/HealthCheckPort",
                                   "codes": "/TargetGroups/0/Matcher/HttpCode"},
    "elbv2 DescribeTargetHealth": {
        "instance": "/TargetHealthDescriptions/0/Target/Id",
        "description": "/TargetHealthDescriptions/0/TargetHealth/Description"},
    "elbv2 CreateLoadBalancer": {"arn": "/LoadBalancers/0/LoadBalancerArn"},
    "elbv2 CreateTargetGroup": "/TargetGroups/0/TargetGroupArn",
    "DescribeInstanceHealth": {"instance": "/InstanceStates/0/InstanceId",
                               "description": "/InstanceStates/0/Description"},
    "GetRole": {"arn": "/Role/Arn", "name": "/Role/RoleName"},
    "GetInstanceProfile": {"role": "/InstanceProfile/Roles/1/RoleName"},
    "DescribeRepositories": {"uri": "/repositories/0/repositoryUri"},
    "GetAuthorizationToken": {"username": "AWS", "password": "the-password",
                              "address": "1.dkr.ecr.example.org"},
    "GetCallerIdentity": {"account": "/Account", "arn": "/Arn"},
    "GetParameter": "/Parameter/Value",
    "CreateImage": "/ImageId",
    "GetConsoleOutput": "the console",
    "CreateSecurityGroup": "/GroupId",
    "CreateLaunchTemplate": "/LaunchTemplate/LaunchTemplateId",
    "CreateLoadBalancer": "/DNSName",
    "DescribeLaunchTemplateVersions": "/LaunchTemplateVersions/0/VersionDescription",
}


class FakeAws(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        request = models.Request(self.headers, body)
        answer = models.Answer(request.service, request.operation)
        self.seen.append((request, answer))
        data = answer.body().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def calls():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeAws)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "a",
                   "AWS_SECRET_ACCESS_KEY": "b",
                   "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    run = subprocess.run([SAMPLES], env=environment, capture_output=True, text=True, timeout=120,
                         check=True)
    server.shutdown()
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_every_call_is_answered_and_read(calls):
    assert [call for call in calls if "error" in call] == []
    assert len(calls) == len(FakeAws.seen)


# Granted beside the calls that hive makes: what they need in turn, and Docker's own pulls.
BESIDE = {"ec2:CreateTags", "autoscaling:CreateOrUpdateTags", "ecr:TagResource", "iam:TagRole",
          "iam:TagInstanceProfile", "elasticloadbalancing:AddTags", "iam:PassRole",
          "iam:CreateServiceLinkedRole", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
          "ecr:GetDownloadUrlForLayer"}


def test_what_is_granted_is_what_is_called(calls):
    granted = set()
    for role in ("operator", "manager", "worker"):
        text = subprocess.run([os.environ["HIVE_BIN"], "aws", "policy", "--cluster", "shop",
                               "--role", role], capture_output=True, text=True, check=True).stdout
        for statement in json.loads(text)["Statement"]:
            granted |= set(statement["Action"])
    called = {f"{models.service_model(request.service).signing_name}:{request.operation.name}"
              for request, _ in FakeAws.seen}
    called = {one.replace("monitoring:", "cloudwatch:") for one in called}
    assert called == granted - BESIDE


def test_requests_are_what_botocore_would_send(calls):
    problems = {request.operation.name: request.problems for request, _ in FakeAws.seen
                if request.problems}
    assert problems == {}


def test_the_check_of_requests_bites(calls):
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/1/eu-central-1/ec2/aws4_request, x"}

    def problems(form):
        return str(models.Request(headers, form + "&Version=2016-11-15").problems)
    good = "Action=DescribeInstances&Filter.1.Name=a&Filter.1.Value.1=b"
    assert problems(good) == "[]"
    assert "does not have" in problems(good.replace("Filter.1.Name", "Filters.1.Name"))
    assert "does not have" in problems(good + "&Filter.1.Values.1=c")
    assert "Missing required" in problems("Action=TerminateInstances&DryRun=true")
    assert "is none of" in problems(
        "Action=RunInstances&MinCount=1&MaxCount=1&MetadataOptions.HttpTokens=yes")


def test_the_answers_are_what_botocore_reads(calls):
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items() if plain(one) not in ({}, [])}
        return [plain(one) for one in value] if isinstance(value, list) else value
    for request, answer in FakeAws.seen:
        assert plain(answer.parsed_by_botocore()) == plain(answer.value), request.operation.name


def test_what_is_read_stands_in_the_answer(calls):
    for call, (request, answer) in zip(calls, FakeAws.seen):
        assert call["call"] == request.operation.name
        if "value" not in call:
            continue
        known = answer.strings() | {"AWS", "the-password", "1.dkr.ecr.example.org", "2012-10-17",
                                    "the console"}

        def walk(value, where):
            if isinstance(value, dict):
                for key, one in value.items():
                    if "/" in key:
                        assert key in known, (call["call"], where, key)
                    walk(one, f"{where}.{key}")
            elif isinstance(value, list):
                for one in value:
                    walk(one, where)
            elif isinstance(value, str):
                assert value in known, (call["call"], where, value)
            elif isinstance(value, bool):
                pass
            else:
                assert value > 0, (call["call"], where)
        walk(call["value"], "")


def test_what_is_read_comes_from_its_place(calls):
    seen = set()
    for call, (request, _) in zip(calls, FakeAws.seen):
        # Two APIs have calls of the same name.
        name = ("elbv2 " if request.service == "elbv2" else "") + call["call"]
        if name not in PLACES:
            continue
        seen.add(name)
        value = call["value"]
        if isinstance(value, list):
            value = value[0]
        expected = PLACES[name]
        if isinstance(expected, str):
            assert value == expected
        else:
            assert {key: value[key] for key in expected} == expected, call["call"]
    assert seen == set(PLACES)
