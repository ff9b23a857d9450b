"""The series of events, drawn from a seed alone: every column and every run meets the same."""
import dataclasses
import random

# What takes something away or brings it, as often as listed. "kill" events strike in the middle of
# another operation: they are drawn as an operation with something killed during it.
SHARES = {"scale_in": 5, "scale_out": 5, "update": 3, "rollback": 2, "canary": 1, "drain": 3,
          "terminate": 2, "task_stop": 3, "agent_kill": 2, "controller_kill": 2}
KINDS = tuple(SHARES)
FEWEST, MOST = 2, 5  # replicas
VERSIONS = ("1.0", "1.1")


@dataclasses.dataclass(frozen=True)
class Event:
    number: int
    kind: str
    operation: str     # what is done: the kind, or for a kill what it strikes
    replicas: int      # after the event
    version: str       # after the event
    choice: float      # 0..1: which of the nodes or tasks there are
    kill_after_s: float  # into the operation
    rest_s: float      # after it


def draw(seed, count):
    """`count` events; the first len(KINDS) hold every kind once."""
    rng = random.Random(seed)
    kinds = list(KINDS)
    rng.shuffle(kinds)
    kinds += rng.choices(KINDS, [SHARES[kind] for kind in KINDS], k=max(0, count - len(kinds)))
    events, replicas, version, before = [], 3, VERSIONS[0], None
    for number, kind in enumerate(kinds[:max(count, 0)]):
        operation = kind
        if kind.endswith("_kill"):
            operation = rng.choice(["scale_in", "scale_out", "update", "drain", "task_stop"])
        if operation == "rollback" and before is None:
            operation = "update"  # nothing to go back to yet
        if operation == "scale_in" and replicas == FEWEST:
            operation = "scale_out"
        if operation == "scale_out" and replicas == MOST:
            operation = "scale_in"
        if operation == "scale_in":
            replicas = rng.randint(FEWEST, replicas - 1)
        elif operation == "scale_out":
            replicas = rng.randint(replicas + 1, MOST)
        elif operation in ("update", "canary"):
            before, version = version, VERSIONS[1 - VERSIONS.index(version)]
        elif operation == "rollback":
            before, version = version, before
        events.append(Event(number, kind, operation, replicas, version, rng.random(),
                            round(rng.uniform(0.2, 2.5), 2), round(rng.uniform(0.3, 1.5), 2)))
    return events


def idle(rounds):
    """Operations whose durations are compared while there is no load; they end where they began."""
    out = []
    for _ in range(rounds):
        for kind, replicas, version in (("scale_out", 5, "1.0"), ("scale_in", 3, "1.0"),
                                        ("update", 3, "1.1"), ("rollback", 3, "1.0"),
                                        ("drain", 3, "1.0")):
            out.append(Event(len(out), kind, kind, replicas, version, 0.5, 0, 0))
    return out
