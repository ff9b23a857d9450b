"""Debian's own cloud-init, as ./dev unpacks it: its check of user data by its schema."""
import os
import pathlib
import subprocess
import tempfile

PLACE = pathlib.Path(__file__).resolve().parents[3] / "build/cloud-init"
MODULES = PLACE / "usr/lib/python3/dist-packages"


def fault_of(user_data):
    """What cloud-init has against it; "" when nothing."""
    assert MODULES.is_dir(), f"{PLACE} is not there: ./dev test unpacks it"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(user_data)
        file.flush()
        done = subprocess.run(
            ["/usr/bin/python3", "-m", "cloudinit.cmd.main", "schema", "--config-file", file.name],
            capture_output=True, text=True, timeout=120,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(MODULES), "LANG": "C.UTF-8"})
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1) and ("Valid cloud-config" in said) == (done.returncode == 0), said
    return said if done.returncode else ""
