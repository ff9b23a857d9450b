"""AMIs that moto does not have: Debian's own, as hive looks for them, and one of the account's. What a
machine boots from is the same for all (machines.py)."""
import datetime

from moto.ec2.models.amis import Ami

DEBIAN = "136693071363"  # wiki.debian.org/Cloud/AmazonEC2Image
OURS = "hive-test-image"
NAMES = {"ami-0de1a000000000002": ("debian-12-amd64-20260105-2048", DEBIAN),
         "ami-0de1a000000000001": ("debian-12-amd64-20251006-2257", DEBIAN),
         "ami-0e1f0000000000001": (OURS, None)}


def add(ec2):
    for ami_id, (name, owner) in NAMES.items():
        made = datetime.datetime.strptime(name.split("-")[3] if owner else "20260110", "%Y%m%d")
        ec2.amis[ami_id] = Ami(ec2, ami_id, name=name, owner_id=owner, architecture="x86_64", public=True,
                               virtualization_type="hvm", root_device_name="/dev/xvda",
                               root_device_type="ebs", description=name, creation_date=made)
