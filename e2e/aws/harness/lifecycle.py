"""Lifecycle hooks: an action for each hook that a group has at a transition. It waits for a heartbeat
timeout, longer with each heartbeat, up to the lesser of 48 hours and 100 timeouts; it ends with a result."""
import dataclasses
import uuid

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
RESULTS = ("CONTINUE", "ABANDON")
LONGEST_SECONDS = 48 * 3600
MOST_HEARTBEATS = 100
HEARTBEAT_SECONDS = range(30, 7201)


@dataclasses.dataclass
class Action:
    hook: str
    timeout: float
    default: str
    began: float
    deadline: float
    token: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    result: str | None = None
    timed_out: bool = False

    def heartbeat(self, now):
        longest = self.began + min(LONGEST_SECONDS, MOST_HEARTBEATS * self.timeout)
        self.deadline = min(now + self.timeout, longest)

    def expire(self, now):
        if self.result is None and now >= self.deadline:
            self.result, self.timed_out = self.default, True


class Actions:
    """Of one instance at one transition; all hooks begin together."""

    def __init__(self, hooks, now):
        self.actions = [Action(hook.name, float(hook.heartbeat_timeout), hook.default_result, now,
                               now + float(hook.heartbeat_timeout)) for hook in hooks]

    def find(self, hook, token):
        """The action that still waits, or None. Without a token, the instance alone counts."""
        return next((one for one in self.actions if one.hook == hook and one.result is None and
                     token in (None, one.token)), None)

    def outcome(self, now):
        """CONTINUE when all did, ABANDON as soon as one did; None while any waits."""
        for one in self.actions:
            one.expire(now)
        if any(one.result == "ABANDON" for one in self.actions):
            return "ABANDON"
        return None if any(one.result is None for one in self.actions) else "CONTINUE"

    @property
    def abandoned(self):
        return any(one.result == "ABANDON" for one in self.actions)


def check_hook(words):
    """What is wrong with a hook's settings, or None."""
    heartbeat = words.get("HeartbeatTimeout")
    if heartbeat is not None and int(heartbeat) not in HEARTBEAT_SECONDS:
        return (f"HeartbeatTimeout: {heartbeat} is not valid. It must be between "
                f"{HEARTBEAT_SECONDS.start} and {HEARTBEAT_SECONDS.stop - 1} seconds.")
    if words.get("DefaultResult") not in (None, *RESULTS):
        return "DefaultResult must be CONTINUE or ABANDON"
    if words.get("LifecycleTransition") not in (None, LAUNCHING, TERMINATING):
        return f"LifecycleTransition must be {LAUNCHING} or {TERMINATING}"
    return None
