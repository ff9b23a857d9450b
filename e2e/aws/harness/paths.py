"""Where a harness's things are on this machine, and the marks by which `hive --cluster NAME down`
knows them, as it knows those of a cluster of the local cloud (src/cloud/local/state.h)."""
import os
import pathlib

WORD = (1 << 64) - 1


def fingerprint(text):  # FNV-1a, 64 bits
    value = 1469598103934665603
    for byte in text.encode():
        value = ((value ^ byte) * 1099511628211) & WORD
    return value


class Paths:
    def __init__(self, name, make=True):
        self.name = name
        self.state = pathlib.Path(os.environ["HIVE_STATE_DIR"]) / name
        self.run = pathlib.Path(os.environ["HIVE_RUN_DIR"]) / name
        mark = fingerprint(str(self.state))
        self.link_mark = "02:68:" + ":".join(f"{mark >> shift & 255:02x}" for shift in (0, 8, 16, 24))
        self.rule_mark = f"hive:{self.state}"
        self.environment = {"HIVE_LOCAL_CLOUD": str(self.state)}
        self.cgroup = f"hive/{name}-{mark >> 32:08x}"
        for path in (self.state, self.run) if make else ():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def disk(self, instance_id):
        return self.state / "instances" / instance_id

    def image(self, image_id):
        return self.state / "images" / image_id

    def run_of(self, instance_id):
        return self.run / "instances" / instance_id / "run"
