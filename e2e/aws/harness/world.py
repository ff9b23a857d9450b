"""The clock, the settings, and the parts that go on by themselves. One lock is around everything that
reads or changes moto's models: calls of the API take it, and so does the thread that drives the parts."""
import dataclasses
import threading
import time
import traceback

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_api._internal.models import moto_api_backend

from . import images
from .balancers import Balancers
from .faults import Faults
from .instances import Instances
from .scaling import Scaling
from .target_groups import TargetGroups
from .visibility import Visibility

TICK_SECONDS = 0.2


class Clock:
    """Monotonic seconds, which a test may put forward."""

    def __init__(self):
        self.ahead = 0.0

    def now(self):
        return time.monotonic() + self.ahead

    def unix(self):
        return time.time() + self.ahead


@dataclasses.dataclass
class Settings:
    boot_seconds: float = 0.0           # an instance is pending at least so long
    shutdown_seconds: float = 0.0       # and shutting-down or stopping
    power_off_seconds: float = 30.0     # what a real machine's services get to stop; real time
    instance_limit: int | None = None   # instances that are not terminated
    launch_retry_seconds: float = 30.0  # a group's wait after a launch that failed
    open_connections: bool = False      # balancers without listeners: drains last their whole time


class World:
    def __init__(self, region):
        self.region = region
        self.clock, self.lock, self.settings = Clock(), threading.RLock(), Settings()
        self.faults, self.visibility = Faults(), Visibility()
        self.machines = None   # Machines, when instances are to be real
        self.listeners = None  # Listeners, likewise
        self.registry = None   # Registry, likewise
        self.downloads = None  # Downloads, likewise
        self.instances, self.balancers = Instances(self), Balancers(self)
        self.target_groups = TargetGroups(self)
        self.scaling = Scaling(self)
        self._ended = threading.Event()

    def reset(self):
        """As at the begin, with an empty account. The clock goes on."""
        moto_api_backend.reset()
        self.settings = Settings()
        for part in (self.faults, self.visibility, self.instances, self.balancers, self.target_groups,
                     self.scaling):
            part.reset()
        images.add(self.backend("ec2"))

    def install(self):
        for part in (self.instances, self.balancers, self.target_groups, self.scaling):
            part.install()
        images.install(self)
        images.add(self.backend("ec2"))

    def backend(self, service):
        return get_backend(service)[DEFAULT_ACCOUNT_ID][self.region]

    def set(self, **settings):
        for name, value in settings.items():
            if name not in Settings.__annotations__:
                raise ValueError(f"no such setting: {name}")
            setattr(self.settings, name, value)

    def advance(self, seconds):
        self.clock.ahead += seconds
        for _ in range(4):  # one thing that falls due may begin the next
            self.tick()

    def tick(self):
        with self.lock:
            for part in (self.instances, self.balancers, self.target_groups, self.scaling, self.registry):
                try:
                    if part:
                        part.tick()
                except Exception:  # of one part: seen in the log, and in what tests wait for
                    traceback.print_exc()

    def run(self):
        """Until close()."""
        while not self._ended.wait(TICK_SECONDS):
            self.tick()

    def close(self):
        self._ended.set()
        with self.lock:
            for part in (self.machines, self.listeners, self.registry, self.downloads):
                if part:
                    part.close()
