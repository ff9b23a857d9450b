"""The user data of machines against cloud-init's own check, and the script in it against sh."""
import base64
import json
import pathlib
import subprocess

import yaml

from account import apply
from harness import cloud_init


def documents(moto):
    """The user data of each manager, and of the launch templates."""
    ec2 = moto.client("ec2")
    for page in ec2.describe_instances()["Reservations"]:
        for machine in page["Instances"]:
            data = ec2.describe_instance_attribute(InstanceId=machine["InstanceId"],
                                                   Attribute="userData")["UserData"]
            if "Value" in data:
                yield base64.b64decode(data["Value"]).decode()
    for name in ("hive-shop-manager", "hive-shop-worker"):
        version = ec2.describe_launch_template_versions(
            LaunchTemplateName=name)["LaunchTemplateVersions"][0]
        yield base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()


def test_is_cloud_config(moto, config, tmp_path):
    config.write_text(config.read_text().replace(
        "    spot:", "    package: https://example.org/hive.deb#sha256=" + "a" * 64 + "\n    spot:"))
    apply(moto, config)
    texts = list(documents(moto))
    assert len(texts) >= 5
    for text in texts:
        assert text.startswith("#cloud-config\n")
        assert cloud_init.fault_of(text) == ""
        files = {one["path"]: one for one in yaml.safe_load(text)["write_files"]}
        node = json.loads(files["/etc/hive/node.json"]["content"])
        assert node["cluster"] == "shop" and node["region"] == "eu-central-1"
        assert json.loads(files["/etc/docker/daemon.json"]["content"])["init-path"]
        for name in ("/usr/local/lib/hive/boot.sh", "/etc/hive/boot.env"):
            script = tmp_path / pathlib.Path(name).name
            script.write_text(files[name]["content"])
            subprocess.run(["sh", "-n", script], check=True)
    roles = {json.loads({one["path"]: one for one in yaml.safe_load(text)["write_files"]}[
        "/etc/hive/node.json"]["content"])["role"] for text in texts}
    assert roles == {"manager", "worker"}
