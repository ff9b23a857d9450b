"""Log files of containers followed from outside, as a log shipper on the node does."""
import os
import threading
import time


class Tails:
    """Follows each file by its descriptor from when it is first seen: `find` says which there are.

    A file that is gone is still read for `linger_s`, as far as it goes; a shipper that closes
    removed files at once has 0.
    """

    def __init__(self, find, scan_s, linger_s):
        self._find, self._scan_s, self._linger_s = find, scan_s, linger_s
        self._open = {}  # path -> [file, rest of the last line, gone since]
        self._done = set()
        self.lines = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def finish(self):
        self._stop.set()
        self._thread.join(30)
        self._read_all()
        for file, _, _ in self._open.values():
            file.close()

    def _run(self):
        next_scan = 0
        while not self._stop.wait(0.1):
            if time.monotonic() >= next_scan:
                self._scan()
                next_scan = time.monotonic() + self._scan_s
            self._read_all()

    def _scan(self):
        for path in self._find():
            if path in self._open or path in self._done:
                continue
            try:
                self._open[path] = [open(path, "rb"), b"", None]
            except OSError:
                pass  # it is there at the next scan, or it is gone

    def _read_all(self):
        for path in list(self._open):
            entry = self._open[path]
            data = entry[0].read()
            if data:
                *lines, entry[1] = (entry[1] + data).split(b"\n")
                self.lines += [line.decode(errors="replace") for line in lines]
            if os.path.exists(path):
                continue
            entry[2] = entry[2] or time.monotonic()
            if time.monotonic() - entry[2] >= self._linger_s:
                entry[0].close()
                del self._open[path]
                self._done.add(path)
