"""The Engine port against a real Docker Engine: the contract that unit tests ask of the fake, and
what only a real one can show."""
import os
import signal
import subprocess
import tarfile
import time

import pytest

from lib.engine import Engine
from lib.image import make_rootfs

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("HIVE_BUILD_DIR", os.path.join(REPOSITORY, "build", "debug"))
CONTRACT = os.path.join(BUILD, "src", "engine", "engine_fake_test")


def make_context(path, rootfs):
    """A build context: FROM scratch and the root file system."""
    dockerfile = path + ".Dockerfile"
    with open(dockerfile, "w") as f:
        f.write("FROM scratch\nADD rootfs.tar /\nCMD [\"/bin/sleep\", \"1000\"]\n")
    with tarfile.open(path, "w") as archive:
        archive.add(dockerfile, "Dockerfile")
        archive.add(rootfs, "rootfs.tar")


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def make_certificates(folder):
    """A CA, a node's certificate as Swarm makes them (OU, no host name), and a stranger's CA."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
    for name in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-subj", "/CN=swarm-ca", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "node.csr",
            "-subj", "/O=swarm/OU=swarm-manager/CN=node-id")
    openssl("x509", "-req", "-in", "node.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "cert.pem", "-days", "2")


REGISTRY_CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {root}/data}}}}
http: {{addr: "127.0.0.1:5000"}}
auth: {{htpasswd: {{realm: hive, path: {root}/htpasswd}}}}
log: {{accesslog: {{disabled: true}}}}
"""


class Registry:
    """Debian's docker-registry with a password, in the engine's own network."""

    def __init__(self, engine, root):
        self.address = "127.0.0.1:5000"
        subprocess.run(["htpasswd", "-Bbc", f"{root}/htpasswd", "hive", "right"], check=True,
                       capture_output=True)
        with open(f"{root}/config.yml", "w") as f:
            f.write(REGISTRY_CONFIG.format(root=root))
        self._log = open(f"{root}/log", "w")
        self._process = subprocess.Popen(
            ["nsenter", "--net", "--target", str(engine.pid_in_namespaces()), "docker-registry",
             "serve", f"{root}/config.yml"], stdout=self._log, stderr=subprocess.STDOUT)

    def close(self):
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("engine"))
    rootfs = os.path.join(folder, "rootfs.tar")
    make_rootfs(rootfs)
    make_certificates(folder)
    tls = ["--host", "tcp://10.213.17.1:2376", "--tlsverify", "--tlscacert", f"{folder}/ca.pem",
           "--tlscert", f"{folder}/cert.pem", "--tlskey", f"{folder}/key.pem"]
    with ContractEngine(name="contract", address="10.213.17.1", extra_args=tls) as one:
        one.certificates = folder
        one.rootfs = rootfs
        one.context = os.path.join(folder, "context.tar")
        make_context(one.context, rootfs)
        one.swarm_init()
        one.docker("import", rootfs, "hive-test:1")
        yield one


class ContractEngine(Engine):
    def pid_in_namespaces(self):
        return self._children()[0]

    def restart(self):
        """As a power cut and a boot: nothing of the engine is asked or told."""
        os.kill(self.pid_in_namespaces(), signal.SIGKILL)
        self._process.wait(20)
        # The pid in it means another process in the new namespace.
        os.unlink(os.path.join(self.root, "dockerd.pid"))
        self.start()


def run_suite(engine, pattern, inside=(), **environment):
    process = start_suite(engine, pattern, inside, **environment)
    finish_suite(process)


def start_suite(engine, pattern, inside=(), **environment):
    if not os.path.exists(CONTRACT):
        pytest.fail(f"{CONTRACT} is not built (set HIVE_BUILD_DIR)")
    return subprocess.Popen(
        [*inside, CONTRACT, "--gtest_filter=" + pattern], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "HIVE_E2E_ENGINE": engine.host,
                        "HIVE_E2E_ROOTFS": engine.rootfs, "HIVE_E2E_CONTEXT": engine.context,
                        **environment})


def finish_suite(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-12000:]
    assert "[  PASSED  ] 0 tests" not in output and "[  SKIPPED ]" not in output, output[-4000:]


def test_contract(engine):
    run_suite(engine, "*/Real")


def test_logs_and_images(engine, tmp_path):
    registry = Registry(engine, str(tmp_path))
    try:
        run_suite(engine, "RealEngine.*-*Restart*", HIVE_E2E_REGISTRY=registry.address)
    finally:
        registry.close()


def test_events_survive_a_restart(engine, tmp_path):
    marker = str(tmp_path / "marker")
    process = start_suite(engine, "RealEngine.EventsSurviveARestart", HIVE_E2E_MARKER=marker)
    try:
        wait_for(lambda: os.path.exists(marker), "the events did not begin")
        engine.restart()
        finish_suite(process)
    finally:
        process.kill()
        process.wait(10)


def test_tls(engine):
    run_suite(engine, "RealTls.*",
              inside=("nsenter", "--net", "--target", str(engine.pid_in_namespaces())),
              HIVE_E2E_CERTIFICATES=engine.certificates,
              HIVE_E2E_TLS_ENGINE="tcp://10.213.17.1:2376")
