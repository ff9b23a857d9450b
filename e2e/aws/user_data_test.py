"""The user data of machines against cloud-init's own schema, and the script in it against sh. The schema
is taken out of Debian's package, which is fetched and not installed: on a machine that is no cloud's,
cloud-init has no business."""
import base64
import json
import pathlib
import subprocess

import jsonschema
import pytest
import yaml

from account import apply


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    where = tmp_path_factory.mktemp("cloud-init")
    got = subprocess.run(["apt-get", "download", "-q", "cloud-init"], cwd=where,
                         capture_output=True, text=True, timeout=120)
    assert got.returncode == 0, got.stderr
    (package,) = where.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, where / "out"], check=True)
    (file,) = (where / "out").glob(
        "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")
    return json.loads(file.read_text())


def documents(moto):
    """The user data of each manager, and of the workers' launch template."""
    ec2 = moto.client("ec2")
    for page in ec2.describe_instances()["Reservations"]:
        for machine in page["Instances"]:
            data = ec2.describe_instance_attribute(InstanceId=machine["InstanceId"],
                                                   Attribute="userData")["UserData"]
            if "Value" in data:
                yield base64.b64decode(data["Value"]).decode()
    version = ec2.describe_launch_template_versions(
        LaunchTemplateName="hive-shop-worker")["LaunchTemplateVersions"][0]
    yield base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()


def valid(text, schema):
    assert text.startswith("#cloud-config\n")
    jsonschema.Draft4Validator(schema).validate(yaml.safe_load(text))


def test_is_cloud_config(moto, config, schema, tmp_path):
    config.write_text(config.read_text().replace(
        "    spot:", "    package: https://example.org/hive.deb#sha256=" + "a" * 64 + "\n    spot:"))
    apply(moto, config)
    texts = list(documents(moto))
    assert len(texts) >= 4
    for text in texts:
        valid(text, schema)
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


def test_the_schema_bites(schema):
    with pytest.raises(jsonschema.ValidationError):
        valid("#cloud-config\nwrite_files:\n  - path: /x\n    permissions: 0644\n", schema)
