"""Control groups of machines, in every hierarchy of this machine (version 1 and 2)."""
import os
import pathlib
import time


def roots():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        fields = [line.split() for line in mounts]
    return [pathlib.Path(one[1]) for one in fields if one[2] in ("cgroup", "cgroup2")]


def _write(path, value):
    try:
        path.write_text(value)
    except OSError:  # not every controller can be passed on
        pass


def make(place):
    """PLACE/init, where a machine's own processes are; its engine makes groups beside it."""
    for root in roots():
        at = root
        for part in (place + "/init").split("/"):
            if (at / "cgroup.controllers").exists():
                for name in (at / "cgroup.controllers").read_text().split():
                    _write(at / "cgroup.subtree_control", "+" + name)
            at = at / part
            at.mkdir(exist_ok=True)
            # A new cpuset takes no process until it has processors and memory.
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (at / name).exists() and not (at / name).read_text().strip():
                    _write(at / name, (at.parent / name).read_text())


def enter(place, pid):
    for root in roots():
        (root / place / "init/cgroup.procs").write_text(str(pid))


def remove(place):
    for root in roots():
        for folder, _, _ in os.walk(root / place, topdown=False):
            for _ in range(100):
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:  # a killed process leaves it only when it is reaped
                    time.sleep(0.02)
