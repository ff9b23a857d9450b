"""Rules by which calls fail. A rule names an action and an effect, and when it applies:

    action      "RunInstances", "ec2:RunInstances", with * and ?
    effect      throttle      Throttling, RequestLimitExceeded or ThrottlingException
                unauthorized  EC2's UnauthorizedOperation with an encoded message, others' AccessDenied
                error         `code`, `message`, `status`
                broken        500 and a page of HTML
                garbage       200 and a page of HTML
                lost          the call has its effect, its answer is never sent
    skip, times applies to the calls after the first `skip`, `times` of them (all, when left out)
    per_second, burst
                throttles only what comes faster than that
"""
import base64
import dataclasses
import fnmatch
import itertools
import json

from .calls import Answer

THROTTLES = {"ec2": ("RequestLimitExceeded", 503), "iam": ("Throttling", 400)}
EFFECTS = {"throttle", "unauthorized", "error", "broken", "garbage", "lost"}


@dataclasses.dataclass
class Rule:
    action: str
    effect: str
    skip: int = 0
    times: int | None = None
    per_second: float | None = None
    burst: float = 1
    code: str = "InternalFailure"
    message: str = "as the test says"
    status: int = 500
    seen: int = 0
    applied: int = 0

    def __post_init__(self):
        if self.effect not in EFFECTS:
            raise ValueError(f"no such effect: {self.effect}")
        self._tokens, self._filled = self.burst, None

    def matches(self, call):
        return fnmatch.fnmatchcase(call.action if ":" in self.action else call.name, self.action)

    def applies(self, now):
        """For a call that matches; counts it."""
        self.seen += 1
        if self.seen <= self.skip or self.times is not None and self.applied >= self.times:
            return False
        if self.per_second is not None and self._within_rate(now):
            return False
        self.applied += 1
        return True

    def _within_rate(self, now):
        if self._filled is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.per_second)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def encoded_message(call):
    """What EC2 tells of a refused permission; sts:DecodeAuthorizationMessage reads it."""
    said = {"allowed": False, "explicitDeny": False,
            "context": {"principal": {"arn": "arn:aws:iam::123456789012:user/test"},
                        "action": call.action, "resource": "*"}}
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def refused(call):
    who = "User: arn:aws:iam::123456789012:user/test is not authorized to perform: " + call.action
    if call.service == "ec2":
        return call.refusal("UnauthorizedOperation", "You are not authorized to perform this operation. "
                            f"{who} because no identity-based policy allows the {call.action} action. "
                            f"Encoded authorization failure message: {encoded_message(call)}", 403)
    code = "AccessDeniedException" if not call.form else "AccessDenied"
    return call.refusal(code, f"{who} because no identity-based policy allows it", 403)


class Faults:
    def __init__(self):
        self.reset()

    def reset(self):
        self.rules, self._ids = {}, itertools.count(1)

    def add(self, **words):
        number = next(self._ids)
        self.rules[number] = Rule(**words)
        return number

    def remove(self, number=None):
        if number is None:
            self.rules.clear()
        else:
            self.rules.pop(number, None)

    def rule_for(self, call, now):
        """The first rule that applies to the call, or None."""
        return next((rule for rule in list(self.rules.values())
                     if rule.matches(call) and rule.applies(now)), None)


def answer_of(rule, call):
    """What is said instead of doing the call (not for "lost")."""
    if rule.effect == "throttle":
        code, status = THROTTLES.get(call.service, ("Throttling", 400))
        return call.refusal(code if call.form else "ThrottlingException", "Rate exceeded",
                            status if call.form else 400)
    if rule.effect == "unauthorized":
        return refused(call)
    if rule.effect == "error":
        return call.refusal(rule.code, rule.message, rule.status)
    if rule.effect == "broken":
        return Answer(500, b"<html>Internal Server Error</html>", "text/html")
    return Answer(200, b"<html>Welcome to the airport's network", "text/html")
