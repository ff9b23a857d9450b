"""EC2 instances as real machines, without hive's daemons: they boot with user data of the test's own
from a metadata service, run an engine, serve behind a Classic Load Balancer that listens, and are
drained and held by a hook before they end."""
import base64
import json
import pathlib
import subprocess
import sys
import textwrap
import threading
import urllib.request

import pytest

from harness.run import Harness, traces

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib.image import make_image  # noqa: E402
from lib.process import lives  # noqa: E402

GROUP, FRONT = "web", "front"
# A server whose answer names the machine; `/slow` takes five seconds.
SERVER = """
import http.server, socket, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(5)
        body = (socket.gethostname() + " " + self.headers.get("X-Forwarded-For", "-")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
USER_DATA = """#cloud-config
packages: [docker.io]
bootcmd:
  - echo booted >> /var/lib/boots
write_files:
  - path: /opt/server.py
    permissions: "0755"
    content: |
{server}
  - path: /etc/packed
    encoding: b64
    content: aGVsbG8K
runcmd:
  - [mkdir, -p, /var/lib/made by the user data]
  - hive instance-init service 10-dockerd -- /usr/sbin/dockerd
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent=$HIVE_CGROUP --userland-proxy=false
  - hive instance-init service 20-server --restart -- /usr/bin/python3 /opt/server.py
""".replace("{server}", textwrap.indent(SERVER.strip("\n"), " " * 6))
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]})


@pytest.fixture(scope="module")
def group(aws):
    """Two machines in service behind the balancer; their ids."""
    ec2, elb, iam = aws.client("ec2"), aws.client("elb"), aws.client("iam")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]]
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    elb.create_load_balancer(LoadBalancerName=FRONT, Subnets=subnets, Listeners=[
        {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080}])
    elb.configure_health_check(LoadBalancerName=FRONT, HealthCheck={
        "Target": "HTTP:8080/", "Interval": 5, "Timeout": 2, "UnhealthyThreshold": 2,
        "HealthyThreshold": 2})
    elb.modify_load_balancer_attributes(LoadBalancerName=FRONT, LoadBalancerAttributes={
        "ConnectionDraining": {"Enabled": True, "Timeout": 60}})
    ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData={
        "ImageId": aws.image, "InstanceType": "m5.large", "IamInstanceProfile": {"Name": "web"},
        "UserData": base64.b64encode(USER_DATA.encode()).decode(),
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1,
                            "InstanceMetadataTags": "enabled"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]})
    aws.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP, MinSize=0, MaxSize=4, DesiredCapacity=2,
        VPCZoneIdentifier=",".join(subnets), LoadBalancerNames=[FRONT],
        LaunchTemplate={"LaunchTemplateName": GROUP}, LifecycleHookSpecificationList=[
            {"LifecycleHookName": "end", "HeartbeatTimeout": 300,
             "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}])
    both = aws.in_states(GROUP, "InService", "InService")
    aws.eventually(lambda: set(healthy(aws)) == set(both), 120)
    return both


def healthy(aws):
    found = aws.cli("elb", "describe-instance-health", "--load-balancer-name", FRONT)
    return [one["InstanceId"] for one in found["InstanceStates"] if one["State"] == "InService"]


def front(aws):
    balancer, = aws.client("elb").describe_load_balancers()["LoadBalancerDescriptions"]
    return balancer["DNSName"]


def get(aws, path="/"):
    return ask(f"http://{front(aws)}{path}")


def ask(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def metadata(aws, instance, path, token=True):
    """(status, text) of the metadata service, as the machine sees it."""
    script = "t=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $m/api/token);" \
        if token else "t=;"
    out = aws.inside(instance, "sh", "-c", "m=http://169.254.169.254/latest;" + script +
                 f"curl -s -w '\\n%{{http_code}}' ${{t:+-H \"X-aws-ec2-metadata-token: $t\"}} $m/{path}")
    text, _, status = out.rpartition("\n")
    return int(status), text


def test_the_user_data_ran(aws, group):
    for one in group:
        machine = aws.machines()[one]
        assert machine["cloud_init"] == {"v1": {"datasource": "DataSourceEc2Local", "errors": []}}, \
            machine["boot_log"]
        root = pathlib.Path(machine["root"])
        assert (root / "etc/packed").read_text() == "hello\n"
        assert (root / "var/lib/made by the user data").is_dir()
        assert (root / "var/lib/boots").read_text() == "booted\n"
    assert not pathlib.Path("/opt/server.py").exists(), "the machine's root is this machine's"


def test_each_has_an_engine_of_its_own(aws, group):
    names = set()
    for one in group:
        out = aws.eventually(lambda: aws.inside(one, "docker", "info", "--format", "{{.Name}}",
                                            check=False).stdout.strip())
        names.add(out)
    assert len(names) == 2
    addresses = [aws.machines()[one]["address"] for one in group]
    described = [machine["PrivateIpAddress"] for page in
                 aws.cli("ec2", "describe-instances")["Reservations"] for machine in page["Instances"]]
    assert sorted(addresses) == sorted(described)
    other = f"http://{addresses[1]}:8080/"
    assert aws.inside(group[0], "curl", "-s", other).split()[0] in names


def test_the_balancer_passes_requests_to_both(aws, group):
    answers = [get(aws).split() for _ in range(20)]
    assert len({name for name, _ in answers}) == 2
    assert {forwarded for _, forwarded in answers} != {"-"}


def test_the_metadata_service(aws, group):
    one = group[0]
    assert metadata(aws, one, "meta-data/instance-id") == (200, one)
    assert metadata(aws, one, "meta-data/instance-id", token=False)[0] == 401
    assert metadata(aws, one, "meta-data/autoscaling/target-lifecycle-state") == (200, "InService")
    assert metadata(aws, one, "meta-data/tags/instance/Name") == (200, "web")
    assert metadata(aws, one, "meta-data/placement/availability-zone")[1].startswith("eu-central-1")
    assert metadata(aws, one, "meta-data/spot/instance-action")[0] == 404
    assert "iam/" in metadata(aws, one, "meta-data/")[1].split("\n")
    aws.recommend_rebalance(instance=one)
    assert metadata(aws, one, "meta-data/events/recommendations/rebalance")[0] == 200


def test_a_container_is_too_many_hops_away(aws, group):
    """With a hop limit of 1 a token never reaches what is behind the machine's own network."""
    one = group[0]
    aws.inside(one, "sh", "-c", """
        ip netns add box && ip link add to-box type veth peer name eth1 netns box &&
        ip addr add 172.30.0.1/24 dev to-box && ip link set to-box up &&
        ip -n box addr add 172.30.0.2/24 dev eth1 && ip -n box link set eth1 up &&
        ip -n box route add default via 172.30.0.1""")
    script = ["ip", "netns", "exec", "box", "curl", "-s", "--max-time", "3", "-X", "PUT", "-H",
              "X-aws-ec2-metadata-token-ttl-seconds: 60", "http://169.254.169.254/latest/api/token"]
    assert aws.inside(one, *script, check=False).returncode == 28
    aws.client("ec2").modify_instance_metadata_options(
        InstanceId=one, HttpPutResponseHopLimit=2, HttpTokens="required", HttpEndpoint="enabled",
        InstanceMetadataTags="enabled")
    assert aws.inside(one, *script)


def test_who_an_instance_is(aws, group):
    one, other = group
    command = ["sh", "-c", "aws --endpoint-url $AWS_ENDPOINT_URL --region eu-central-1 "
               "sts get-caller-identity"]
    said = json.loads(aws.inside(one, *command))
    assert said["Arn"] == f"arn:aws:sts::123456789012:assumed-role/web/{one}"
    role = json.loads(metadata(aws, one, "meta-data/iam/security-credentials/web")[1])
    forged = aws.inside(other, "env", f"AWS_ACCESS_KEY_ID={role['AccessKeyId']}",
                    "AWS_SECRET_ACCESS_KEY=guessed", f"AWS_SESSION_TOKEN={role['Token']}", *command,
                    check=False)
    assert "SignatureDoesNotMatch" in forged.stderr


def test_the_identity_document_is_signed(aws, group, tmp_path):
    status, document = metadata(aws, group[0], "dynamic/instance-identity/document")
    assert status == 200 and json.loads(document)["instanceId"] == group[0]
    pkcs7 = metadata(aws, group[0], "dynamic/instance-identity/pkcs7")[1]
    (tmp_path / "signed").write_text(f"-----BEGIN PKCS7-----\n{pkcs7.strip()}\n-----END PKCS7-----\n")
    (tmp_path / "certificate").write_text(aws.identity_certificate()["pem"])
    done = subprocess.run(["openssl", "smime", "-verify", "-inform", "PEM", "-in", tmp_path / "signed",
                           "-certfile", tmp_path / "certificate", "-noverify"], capture_output=True)
    assert done.returncode == 0 and json.loads(done.stdout)["instanceId"] == group[0]


def test_an_engine_pulls_from_ecr_as_long_as_its_token_lives(aws, group, tmp_path):
    one = group[0]
    made = aws.client("ecr").create_repository(repositoryName="shop/web")["repository"]
    aws.push(archive=str(make_image(tmp_path, "web:1", ["true"])), name="shop/web", tag="1")
    assert [it["imageTag"] for it in aws.cli("ecr", "list-images", "--repository-name", "shop/web")[
        "imageIds"]] == ["1"]
    image, registry = made["repositoryUri"] + ":1", made["repositoryUri"].partition("/")[0]

    def docker(*words):
        return aws.inside(one, "docker", *words, check=False)
    assert "no basic auth credentials" in docker("pull", image).stderr
    login = ("aws --endpoint-url $AWS_ENDPOINT_URL --region eu-central-1 ecr get-login-password | "
             f"docker login --username AWS --password-stdin {registry}")
    aws.inside(one, "sh", "-c", login)
    assert docker("pull", image).returncode == 0
    assert "repository does not exist" in docker("pull", registry + "/shop/other:1").stderr
    docker("rmi", image)
    aws.advance(seconds=12 * 3600 + 1)
    assert docker("pull", image).returncode != 0
    assert "RepositoryNotEmptyException" in aws.cli("ecr", "delete-repository", "--repository-name",
                                                    "shop/web", code=254)


def ask_slowly(aws):
    """Four requests that take a while: their threads, and what will have been answered."""
    slow, answers = f"http://{front(aws)}/slow", []
    asked = [threading.Thread(target=lambda: answers.append(ask(slow))) for _ in range(4)]
    for thread in asked:
        thread.start()
    return asked, answers


def test_requests_end_when_an_instance_leaves_the_balancer(aws, group):
    """Also those that began after the balancer looked last how many there are."""
    elb, victim = aws.client("elb"), [{"InstanceId": group[0]}]
    for _ in range(2):
        asked, answers = ask_slowly(aws)
        elb.deregister_instances_from_load_balancer(LoadBalancerName=FRONT, Instances=victim)
        for thread in asked:
            thread.join()
        assert len(answers) == 4
        elb.register_instances_with_load_balancer(LoadBalancerName=FRONT, Instances=victim)
        aws.eventually(lambda: set(healthy(aws)) == set(group), 60)


def test_drained_held_by_the_hook_and_powered_off(aws, group):
    """Last of this file's group: the request in flight is answered, the hook holds, the machine goes."""
    scaling = aws.client("autoscaling")
    asked, answers = ask_slowly(aws)
    victim = group[0]
    scaling.terminate_instance_in_auto_scaling_group(InstanceId=victim,
                                                     ShouldDecrementDesiredCapacity=True)
    for thread in asked:
        thread.join()
    assert len(answers) == 4
    aws.in_states(GROUP, "InService", "Terminating:Wait")
    assert metadata(aws, victim, "meta-data/autoscaling/target-lifecycle-state") == (200, "Terminated")
    assert healthy(aws) == [group[1]]
    assert {get(aws).split()[0] for _ in range(10)} == {
        aws.inside(group[1], "hostname").strip()}
    aws.cli("autoscaling", "complete-lifecycle-action", "--lifecycle-hook-name", "end",
            "--auto-scaling-group-name", GROUP, "--lifecycle-action-result", "CONTINUE",
            "--instance-id", victim)
    aws.in_states(GROUP, "InService")
    assert victim not in aws.machines()


def test_stopped_started_and_halted_from_within(aws):
    ec2 = aws.client("ec2")
    one = ec2.run_instances(ImageId=aws.image, MinCount=1, MaxCount=1, InstanceType="t3.micro",
                            UserData="#cloud-config\nbootcmd: [echo boot >> /var/lib/boots]\n"
                                     "runcmd: [echo run >> /var/lib/boots]\n")["Instances"][0][
                                         "InstanceId"]

    def state():
        return aws.cli("ec2", "describe-instances", "--instance-ids", one)["Reservations"][0][
            "Instances"][0]["State"]["Name"]
    aws.eventually(lambda: state() == "running" and aws.machines()[one]["cloud_init"])
    ec2.stop_instances(InstanceIds=[one])
    aws.eventually(lambda: state() == "stopped")
    ec2.start_instances(InstanceIds=[one])
    aws.eventually(lambda: state() == "running" and aws.machines()[one]["cloud_init"])
    assert aws.inside(one, "cat", "/var/lib/boots") == "boot\nrun\nboot\n"
    aws.inside(one, "kill", "-TERM", "1", check=False)  # which may end before it says so
    aws.eventually(lambda: state() == "stopped")
    ec2.terminate_instances(InstanceIds=[one])
    aws.eventually(lambda: state() == "terminated")


EVERYTHING = """#cloud-config
bootcmd:
  - echo "boot $INSTANCE_ID" >> /var/lib/said
write_files:
  - {path: /srv/packed, encoding: gz+b64, content: H4sIAAAAAAAAA8tIzcnJ5wIAIDA6NgYAAAA=, permissions: "0600"}
  - {path: /srv/packed, append: true, content: "it's\\n"}
  - {path: /srv/late, defer: true, content: late, permissions: "0755"}
runcmd:
  - [sh, -c, 'echo "list $0" >> /var/lib/said', "it's"]
  - "false"
  - echo text >> /var/lib/said; stat -c "%n %a" /srv/* >> /var/lib/said
  - cat /srv/packed >> /var/lib/said
"""
SAID = "boot {0}\nlist it's\ntext\n/srv/late 755\n/srv/packed 644\nhello\nit's\n"


@pytest.fixture(params=["small", "debian"])
def with_cloud_init(request):
    """An AWS whose machines run the harness's own interpreter, or Debian's cloud-init."""
    with Harness("awscloudinit", machines=True, cloud_init=request.param == "debian") as harness:
        yield harness


def test_user_data_does_what_it_does_with_cloud_init(with_cloud_init):
    aws = with_cloud_init
    ec2 = aws.client("ec2")
    one = ec2.run_instances(ImageId=aws.image, MinCount=1, MaxCount=1, UserData=EVERYTHING,
                            MetadataOptions={"HttpTokens": "required"})["Instances"][0]["InstanceId"]

    def boot():
        return aws.eventually(lambda: aws.machines().get(one, {}).get("cloud_init"), 120)
    assert boot()["v1"]["errors"] == [], aws.machines()[one]["boot_log"]
    assert aws.inside(one, "cat", "/var/lib/said") == SAID.format(one)
    ec2.stop_instances(InstanceIds=[one])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[one], WaiterConfig={"Delay": 1})
    ec2.start_instances(InstanceIds=[one])
    aws.eventually(lambda: aws.machines()[one]["status"] == "up")
    boot()
    assert aws.inside(one, "cat", "/var/lib/said") == SAID.format(one) + f"boot {one}\n"


CUT_SHORT = """#cloud-config
runcmd:
  - echo began >> /var/lib/said; sleep 600; echo ended >> /var/lib/said
"""


def test_user_data_that_a_stop_cut_short_is_not_run_again(with_cloud_init):
    """By which a worker that rests in a warm pool is left to its second start."""
    aws = with_cloud_init
    ec2 = aws.client("ec2")
    one = ec2.run_instances(ImageId=aws.image, MinCount=1, MaxCount=1, UserData=CUT_SHORT)["Instances"][0][
        "InstanceId"]

    def said():
        path = pathlib.Path(aws.machines().get(one, {}).get("root", "")) / "var/lib/said"
        return path.read_text() if path.exists() else ""
    aws.eventually(lambda: said() == "began\n", 120)
    ec2.stop_instances(InstanceIds=[one])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[one], WaiterConfig={"Delay": 1})
    ec2.start_instances(InstanceIds=[one])
    aws.eventually(lambda: aws.machines()[one]["cloud_init"], 120)
    assert said() == "began\n"


def test_nothing_is_left_of_a_harness_that_was_killed():
    before = traces("awskilled")
    first = Harness("awskilled", machines=True).__enter__()
    ec2 = first.client("ec2")
    one = ec2.run_instances(ImageId=first.image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    first.eventually(lambda: first.machines().get(one, {}).get("cloud_init"))
    pid = first.machines()[one]["pid"]
    first._process.kill()
    first._process.wait()
    assert lives(pid)
    with Harness("awskilled", machines=True) as second:
        assert not lives(pid)
        assert second.machines() == {}
    assert traces("awskilled") == before
