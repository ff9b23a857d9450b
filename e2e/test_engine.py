"""The Engine port against a real Docker Engine: the contract that unit tests ask of the fake, and
what only a real one can show."""
import os
import subprocess
import tarfile

import pytest

from lib.engine import Engine

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("HIVE_BUILD_DIR", os.path.join(REPOSITORY, "build", "debug"))
CONTRACT = os.path.join(BUILD, "src", "engine", "engine_fake_test")
APPLETS = ("sh", "sleep", "echo", "cat")


def make_rootfs(path):
    """A root file system of one static busybox."""
    with tarfile.open(path, "w") as archive:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo("bin/" + applet)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    rootfs = str(tmp_path_factory.mktemp("rootfs") / "rootfs.tar")
    make_rootfs(rootfs)
    with Engine(name="contract", address="10.213.17.1") as one:
        one.rootfs = rootfs
        one.swarm_init()
        one.docker("import", rootfs, "hive-test:1")
        yield one


def run_suite(engine, pattern, **environment):
    if not os.path.exists(CONTRACT):
        pytest.fail(f"{CONTRACT} is not built (set HIVE_BUILD_DIR)")
    result = subprocess.run(
        [CONTRACT, "--gtest_filter=" + pattern], capture_output=True, text=True, timeout=300,
        env={**os.environ, "HIVE_E2E_ENGINE": engine.host, "HIVE_E2E_ROOTFS": engine.rootfs,
             **environment})
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-4000:]
    assert "[  PASSED  ] 0 tests" not in result.stdout


def test_contract(engine):
    run_suite(engine, "*/Real")
