"""What tests order of the AWS that they run against, and ask of it: one method an order. All words
are JSON; control.py sends them."""


class Orders:
    def __init__(self, world, calls):
        self._world, self._calls = world, calls

    def do(self, name, words):
        """Under the world's lock, but for what waits by itself."""
        if name.startswith("_") or name == "do" or not hasattr(self, name):
            raise ValueError(f"no such order: {name}")
        if name == "push":
            return self.push(**words)
        with self._world.lock:
            return getattr(self, name)(**words)

    # --- the environment
    def settings(self, **words):
        """See world.Settings; tells all of them."""
        self._world.set(**words)
        return vars(self._world.settings)

    def advance(self, seconds):
        """Puts the clock forward, and does what falls due."""
        self._world.advance(seconds)
        return {}

    def fault(self, **words):
        """A rule of faults.py; its number."""
        return {"number": self._world.faults.add(**words)}

    def heal(self, number=None):
        """Takes a rule away, or all."""
        self._world.faults.remove(number)
        return {}

    def capacity(self, entries):
        """Where there is none: [{type, zone, left}]."""
        self._world.instances.capacity.entries = entries
        return {}

    def visibility(self, calls=0, seconds=0.0):
        """How long what is made from now on is not found."""
        self._world.visibility.set(calls, seconds)
        return {}

    def reset(self):
        """A fresh account and no rules; not with real machines, which would be forgotten."""
        if self._world.machines:
            raise ValueError("there are real machines")
        self._world.reset()
        self._calls.clear()
        return {}

    # --- what happens to an instance
    def interrupt_spot(self, instance, seconds=120.0, action="terminate"):
        self._world.instances.interrupt_spot(instance, seconds, action)
        return {}

    def recommend_rebalance(self, instance):
        self._world.instances.recommend_rebalance(instance)
        return {}

    def crash(self, instance):
        self._world.instances.crash(instance)
        return {}

    def lose_zone(self, zone):
        """An availability zone is gone, with all instances in it."""
        self._world.instances.lose_zone(zone)
        return {}

    def regain_zone(self, zone):
        """It takes launches again; what was in it does not come back."""
        self._world.instances.capacity.lost.discard(zone)
        return {}

    # --- what there is to see
    def calls(self, forget=False):
        """All calls so far."""
        seen = list(self._calls)
        if forget:
            self._calls.clear()
        return seen

    def machines(self):
        """{instance id: {pid, address, docker, console, boot_log, status}}"""
        return self._world.machines.describe() if self._world.machines else {}

    def push(self, archive, name, tag):
        """An archive of `docker save` into a repository of ECR."""
        self._world.registry.push(archive, name, tag)
        return {}

    def offer(self, file):
        """A file for machines to download; its address."""
        return {"url": self._world.downloads.offer(file)}

    def cut_downloads(self, times):
        """So many of the next ones end in the middle."""
        self._world.downloads.cut = times
        return {}

    def end_tokens(self):
        """All tokens of ECR end now."""
        self._world.registry.end_tokens()
        return {}

    def secrets(self):
        """What machines hold to prove themselves by, and tokens of ECR."""
        return {"secrets": [*self._world.machines.identity.secrets(), *self._world.registry.secrets()]}

    def identity_certificate(self):
        """With which instance identity documents are signed."""
        return {"pem": self._world.machines.identity.certificate()}
