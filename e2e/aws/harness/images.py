"""AMIs that moto does not have: Debian's own, as hive looks for them, and one of the account's. Machines
boot from the same system with all of these; an image that is made of a machine brings its disk."""
import datetime
import functools

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
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


def install(world):
    """Once a process. An account has one image of a name; the disks' snapshots may bear tags; a machine's
    disk is kept in its image, which is made of one that is stopped."""
    make = EC2Backend.create_image

    @functools.wraps(make)
    def create_image(backend, instance_id, name, description, tag_specifications):
        if any(one.name == name and one.owner_id == backend.account_id for one in backend.amis.values()):
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use")
        image = make(backend, instance_id, name, description,
                     [one for one in tag_specifications if one["ResourceType"] != "snapshot"])
        if world.machines:
            if backend.get_instance(instance_id).state != "stopped":
                raise EC2ClientError("IncorrectState", f"{instance_id} runs: its disk is not at rest")
            world.machines.keep_disk(instance_id, image.id)
        return image
    EC2Backend.create_image = create_image
