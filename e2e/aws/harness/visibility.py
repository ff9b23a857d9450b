"""Eventual consistency: what a call has just made is not found by the calls behind it, for a number of
calls that ask for it or a number of seconds. EC2 and IAM are so; the other services are not."""
import dataclasses
import re
from xml.etree import ElementTree

# call that makes -> (element of its answer or parameter with the name, error when it is asked for)
MADE = {
    "RunInstances": ("instanceId", "InvalidInstanceID.NotFound",
                     "The instance ID '{}' does not exist"),
    "CreateSecurityGroup": ("groupId", "InvalidGroup.NotFound",
                            "The security group '{}' does not exist"),
    "CreateLaunchTemplate": ("launchTemplateId", "InvalidLaunchTemplateId.NotFound",
                             "The specified launch template, with template ID {}, does not exist."),
    "CreateInstanceProfile": ("InstanceProfileName", "NoSuchEntity",
                              "Instance Profile {} cannot be found."),
    "CreateRole": ("RoleName", "NoSuchEntity", "The role with name {} cannot be found."),
}
NOT_KNOWN_TO_EC2 = "Value ({}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance " \
                   "Profile name"


@dataclasses.dataclass
class Hidden:
    calls: int  # that will still not see it
    until: float
    code: str
    message: str


class Visibility:
    def __init__(self):
        self.reset()

    def reset(self):
        self.calls, self.seconds = 0, 0.0
        self._hidden = {}

    def set(self, calls=0, seconds=0.0):
        self.calls, self.seconds = calls, seconds
        if not calls and not seconds:
            self._hidden.clear()

    def made(self, call, answer, now):
        if answer.status != 200 or call.name not in MADE or not (self.calls or self.seconds):
            return
        element, code, message = MADE[call.name]
        for name in set(re.findall(rf"<{element}>([^<]+)</{element}>", answer.body.decode())):
            self._hidden[name] = Hidden(self.calls, now + self.seconds, code, message.format(name))

    def _still(self, name, now):
        """Counts a call that would have seen it."""
        hidden = self._hidden[name]
        hidden.calls -= 1
        if hidden.calls >= 0 or now < hidden.until:
            return True
        del self._hidden[name]
        return False

    def refusal(self, call, now):
        """For a call that names what is hidden; None for others."""
        named = self._hidden.keys() & call.values()
        for name in sorted(named):
            if call.name in MADE and call.name.startswith("Create"):
                continue  # made twice: the name is taken, visible or not
            hidden = self._hidden[name]
            if not self._still(name, now):
                continue
            if call.service == "ec2" and hidden.code == "NoSuchEntity":
                return call.refusal("InvalidParameterValue", NOT_KNOWN_TO_EC2.format(name))
            return call.refusal(hidden.code, hidden.message,
                                404 if hidden.code == "NoSuchEntity" else 400)
        return None

    def filtered(self, call, answer, now):
        """A list's answer without what is hidden."""
        if not self._hidden or not call.looks or answer.status != 200 or not call.form:
            return answer
        named = [name for name in list(self._hidden) if f">{name}<".encode() in answer.body]
        gone = {name for name in named if self._still(name, now)}
        if not gone:
            return answer
        namespace = re.search(rb'xmlns="([^"]+)"', answer.body)
        if namespace:
            ElementTree.register_namespace("", namespace[1].decode())
        tree = ElementTree.fromstring(answer.body)
        _prune(tree, gone)
        answer.body = ElementTree.tostring(tree)
        return answer


def _prune(tree, gone):
    """Takes out the list entries of which an own member is among the names."""
    for parent in list(tree.iter()):
        for child in list(parent):
            tag = child.tag.rpartition("}")[2]
            if tag in ("item", "member") and any(one.text in gone for one in child):
                parent.remove(child)
