"""Ending a run early: SIGTERM and SIGINT cut the series short, what was seen until then is accounted
for, and the cluster is taken down.
"""
import contextlib
import signal


class Cut(Exception):
    """Somebody asked to end. Raised in the main thread, only where a Watch says so."""


class Watch:
    """Raises Cut at a signal inside `interruptible`; elsewhere the signal is only remembered."""

    def __init__(self):
        self.asked = False
        self._armed = False

    def listen(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)

    def _heard(self, *_):
        self.asked = True
        if self._armed:
            self._armed = False  # once: what follows is the clearing up
            raise Cut

    @contextlib.contextmanager
    def interruptible(self):
        if self.asked:
            raise Cut
        self._armed = True
        try:
            yield
        finally:
            self._armed = False
