"""Processes of this machine, by id."""
import pathlib


def lives(pid):
    """False too of one that has ended and that its parent has not waited for yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # of a dead one nothing
    except OSError:
        return False
