#!/usr/bin/python3
"""Debian's own cloud-init in a machine, in place of the small one: its four stages, one after another, as
its units run them at a boot. It is the stock image's own, or beside this file. What it says ends up where the small one says it too."""
import json
import os
import pathlib
import subprocess
import sys

HERE = "/usr/local/lib/hive-harness"
# Where the machine's firmware would say that it is one of EC2's.
STAGE = """
import sys
from cloudinit.sources import DataSourceEc2 as ec2
ec2._collect_platform_data = lambda: {"uuid": "ec2f0000-0000-0000-0000-000000000000", "uuid_source": "dmi",
    "serial": "ec2f0000-0000-0000-0000-000000000000", "asset_tag": "", "vendor": "amazon ec2",
    "product_name": "m5.large"}
from cloudinit.cmd.main import main
sys.exit(main(["cloud-init", *sys.argv[1:]]))
"""
STAGES = (["init", "--local"], ["init"], ["modules", "--mode=config"], ["modules", "--mode=final"])
RESULT = pathlib.Path("/var/lib/cloud/data/result.json")
SAID = pathlib.Path("/run/cloud-init/harness.json")


def main():
    with open("/etc/hosts", "a", encoding="utf-8") as hosts:
        hosts.write(os.environ.get("HARNESS_HOSTS", "") + "\n")
    for stage in STAGES:
        subprocess.run(["/usr/bin/python3", "-c", STAGE, *stage],
                       env={**os.environ, "PYTHONPATH": HERE}, stdin=subprocess.DEVNULL)
    said = json.loads(RESULT.read_text())
    SAID.write_text(json.dumps(said))
    return 1 if said["v1"]["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
