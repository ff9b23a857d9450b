"""Bad input and bad surroundings: each is refused with what, where, why and what to do, and nothing
is half done. No cluster is made here."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lib.cluster import RUN, STATE, command, example, traces  # noqa: E402

NAME = "badtest"
PORTS = {8080: 22280, 5000: 22285}
REFUSED = 6


@pytest.fixture
def text():
    return example(NAME, PORTS)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = traces(NAME)
    assert not before["files"]
    yield
    try:
        assert traces(NAME) == before
    finally:
        command("--cluster", NAME, "down", "--yes")


def up(folder, text, *args, **options):
    file = folder / "hive.yml"
    file.write_text(text)
    return command("up", "-f", str(file), *args, check=False, **options)


def refused(done, *words):
    """Refused before anything was made, for a reason that says all of the words."""
    assert done.returncode == REFUSED, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "nothing was done" in done.stderr
    assert not (STATE / NAME).exists() and not (RUN / NAME).exists()


# --- the file
@pytest.mark.parametrize("old,new,words", [
    ("replicas: 3", "replcas: 3", ('unknown key "replcas"', 'did you mean "replicas"?')),
    ("managers: 3", "mangers: 3", ('unknown key "mangers"', 'did you mean "managers"?')),
    ("cloud: local", "cloud: locale", ("x-hive.cloud", "local", "aws")),
    ("replicas: 3", "replicas: many", ("deploy.replicas must be an integer", '"many"')),
    ("replicas: 3", "replicas: -1", ("replicas", "-1")),
    ("managers: 3", "managers: 9", ("x-hive.managers is 9", "1 to 7")),
    ('["8080:8080"]', '["8080:808000"]', ("808000",)),
    ("interval: 2s", "interval: 2 parsecs", ("interval", "2 parsecs")),
    ("start_period: 20s", "start_period: 20s\n      interval: 4s", ('key "interval" is here twice',)),
    ("  managers: 3", "  managers: 3\n  managers: 3", ('key "managers" is here twice',)),
    ("services:", "services: [", (":",)),
    ("    image:", "    imagine:", ('unknown key "imagine"', "image")),
    ("name: badtest", "name: Bad_Test", ("x-hive.name", "lower-case letters")),
    ("name: badtest", "name: ''", ("name",)),
    ('"22280:8080"', '"22280:7080"', ("7080",)),
    ('"22280:8080"', '"22285:8080"', ("22285",)),
    (":-1.0}", ":?say which}", ("HIVE_TOMCAT_VERSION", "say which")),
])
def test_a_fault_of_the_file(tmp_path, text, old, new, words):
    assert text.count(old) >= 1
    done = up(tmp_path, text.replace(old, new, 1))
    refused(done, *words)
    # Where: file, line, column, and the line itself.
    assert re.search(r"hive\.yml:\d+:\d+: ", done.stderr), done.stderr


def test_all_faults_at_once(tmp_path, text):
    done = up(tmp_path, text.replace("replicas: 3", "replcas: 3").replace("interval: 2s", "interval: x"))
    refused(done, "replcas", "interval", "2 faults")


def test_two_services_on_one_port(tmp_path, text):
    second = text[text.index("  hive-server:"):].replace("hive-server", "other")
    refused(up(tmp_path, text + second), "hive-server", "other", "8080", "x-hive.routes")
    # Told apart by rules they are welcome: the dry run goes through.
    routed = second.replace("    x-hive:\n", "    x-hive:\n      routes: [{path: /other}]\n")
    assert up(tmp_path, text + routed, "--dry-run").returncode == 0


def test_no_file_and_an_unreadable_one(tmp_path):
    missing = command("up", "-f", str(tmp_path / "none.yml"), check=False)
    refused(missing, "none.yml", "No such file")
    here = command("up", check=False, cwd=tmp_path)
    assert here.returncode == REFUSED and "there is no Compose file here" in here.stderr
    (tmp_path / "hive.yml").write_bytes(b"\x00\xff\xfe garbage \x80")
    refused(command("up", check=False, cwd=tmp_path), "hive.yml")


# --- the machine
@contextlib.contextmanager
def listening(port):
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("0.0.0.0", port))
        holder.listen()
        yield


@pytest.mark.parametrize("port", PORTS.values())
def test_a_busy_port(tmp_path, text, port):
    with listening(port):
        refused(up(tmp_path, text), f"port {port}", f"(pid {os.getpid()})", "listeners")


def test_missing_image(tmp_path, text):
    refused(up(tmp_path, text.replace("hive-tomcat:${", "hive-tomkat:${")),
            "registry.hive:5001/hive-tomkat:1.0 is not in the registry", "hive image push")


def test_archive_that_is_none(tmp_path, text):
    gone = text.replace("hive-tomcat-1.0.tar", "hive-tomcat-9.9.tar")
    refused(up(tmp_path, gone), "hive-tomcat-9.9.tar", "is not there", "docker save")
    (tmp_path / "garbage.tar").write_bytes(os.urandom(4096))
    garbage = re.sub(r"\S+hive-tomcat-1\.1\.tar", "./garbage.tar", text)
    refused(up(tmp_path, garbage), "garbage.tar", "is no image of 'docker save'")


def outside(text, image, registry=""):
    text = re.sub(r"image: registry\S+", f"image: {image}", text)
    return text.replace("    images:", registry + "    images:").replace(
        "    address: registry.hive:5001\n", "") if registry else text


def test_image_of_a_registry_that_is_not_there(tmp_path, text):
    refused(up(tmp_path, outside(text, "127.0.0.1:22299/app:1")),
            "image 127.0.0.1:22299/app:1 of service hive-server cannot be pulled", "x-hive")


@pytest.fixture
def registry(tmp_path):
    """A registry with a password that is none of hive's."""
    subprocess.run(["htpasswd", "-Bbc", tmp_path / "htpasswd", "me", "right"], check=True,
                   capture_output=True)
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/data}}}}\n"
        "http: {addr: '127.0.0.1:22290'}\n"
        f"auth: {{htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}}}\n")
    with open(tmp_path / "registry.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(["docker-registry", "serve", tmp_path / "registry.yml"],
                                   stdout=log, stderr=log)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", 22290)) == 0:
                    break
            threading.Event().wait(0.05)
        yield "127.0.0.1:22290"
    finally:
        process.terminate()
        process.wait(10)


def test_wrong_registry_password(tmp_path, text, registry):
    (tmp_path / "password").write_text("wrong\n")
    settings = f"    address: {registry}\n    username: me\n    password_file: ./password\n"
    file = outside(text, f"{registry}/app:1", settings)
    refused(up(tmp_path, file), registry, "(me)", str(tmp_path / "password"))
    (tmp_path / "password").write_text("right\n")
    refused(up(tmp_path, file), f"{registry}/app:1", "app", "push it there")
    (tmp_path / "password").unlink()
    refused(up(tmp_path, file), "password", "No such file")


def with_volume(text, volume, volumes=""):
    return text.replace("    healthcheck:", f"    volumes: [\"{volume}\"]\n    healthcheck:") + volumes


def test_missing_bind_source(tmp_path, text):
    refused(up(tmp_path, with_volume(text, "/srv/no-such-thing:/data")),
            "/srv/no-such-thing", "hive-server", "mkdir -p /srv/no-such-thing")
    # A private root hides them: they are there on this machine and on no instance.
    with tempfile.NamedTemporaryFile(dir="/root") as hidden:
        refused(up(tmp_path, with_volume(text, f"{hidden.name}:/data")), hidden.name,
                "choose another place")


@pytest.mark.skipif(re.search(r"\bnfs4?$", pathlib.Path("/proc/filesystems").read_text(), re.M)
                    is not None, reason="this kernel has NFS")
def test_nfs_where_the_kernel_has_none(tmp_path, text):
    volumes = 'volumes:\n  share:\n    driver_opts: {type: nfs, o: "addr=10.0.0.1", device: ":/x"}\n'
    refused(up(tmp_path, with_volume(text, "share:/data", volumes)), "share", "NFS", "modprobe nfs")


def test_a_shared_log_directory(tmp_path, text):
    refused(up(tmp_path, with_volume(text, "/tmp:/usr/local/tomcat/logs")),
            "overwrite each other's", "/tmp/{{.Task.ID}}:/usr/local/tomcat/logs")


def test_too_little_memory(tmp_path, text):
    refused(up(tmp_path, text.replace("{min: 2, max: 8}", "{min: 200, max: 200}")),
            "203 more instances", "of memory", "available")


def test_too_little_disk(tmp_path, text):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], check=True)
    try:
        done = up(tmp_path, text, env={"HIVE_STATE_DIR": str(small)})
        refused(done, "free", "2GiB", "HIVE_STATE_DIR")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_not_root(tmp_path, text):
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    binary = tmp_path / "hive"
    shutil.copy(os.environ.get("HIVE_BIN", command.__kwdefaults__["binary"]), binary)
    (tmp_path / "hive.yml").write_text(text)

    def as_nobody(*args):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary,
                               *args], capture_output=True, text=True, timeout=60)
    refused(as_nobody("up", "-f", tmp_path / "hive.yml"), "root", "sudo")
    down = as_nobody("--cluster", NAME, "down", "--yes")
    assert down.returncode == REFUSED and "root" in down.stderr
    assert "root" in as_nobody("node", "ls").stderr


def path_without(folder, *programs):
    """A PATH that has everything but these."""
    folder.mkdir()
    for place in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for name in os.listdir(place):
            if name not in programs and not (folder / name).exists():
                (folder / name).symlink_to(f"{place}/{name}")
    return str(folder)


def test_docker_is_not_installed(tmp_path, text):
    done = up(tmp_path, text, env={"PATH": path_without(tmp_path / "bin", "dockerd")})
    refused(done, "not installed, or not in PATH: dockerd", "apt-get install docker.io")
    few = path_without(tmp_path / "less", "haproxy", "docker-registry", "htpasswd")
    refused(up(tmp_path, text, env={"PATH": few}), "haproxy, docker-registry, htpasswd")


# --- engines that are none
def serve_once(connection, behaviour):
    with connection:
        if behaviour == "hangs":
            threading.Event().wait(60)
            return
        if behaviour == "closes":
            return
        connection.recv(65536)
        with contextlib.suppress(OSError):  # who has seen enough hangs up
            connection.sendall(behaviour)


def page(body, kind="application/json", status="200 OK", length=None):
    size = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {size}\r\nConnection: close\r\n\r\n").encode() + body


BEHAVIOURS = {
    "garbage": os.urandom(512),
    "text": b"I am a teapot\r\n\r\n",
    "half": page(b'[{"ID":"abc","Spec":{"Na', length=5000),
    "cut": page(b'[{"ID":"abc","Spec":{"Na'),
    "html": page(b"<html>login please</html>", kind="text/html"),
    "number": page(b"42"),
    "strings": page(b'["a","b"]'),
    "empty": page(b""),
    "error": page(b"<h1>Bad Gateway</h1>", kind="text/html", status="502 Bad Gateway"),
    "endless": b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"a" * (1 << 20),
    "closes": "closes",
    "hangs": "hangs",
}


@contextlib.contextmanager
def engine(path, behaviour):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(64)

    def accept():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve_once, args=(connection, behaviour), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"unix://{path}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_an_engine_that_is_none(tmp_path, behaviour):
    commands = [("node", "ls"), ("service", "ls"), ("service", "scale", "web=3"), ("volume", "ls")]
    if behaviour == "hangs":  # each costs its deadline
        commands = commands[:1]
    with engine(tmp_path / "e.sock", BEHAVIOURS[behaviour]) as host:
        for words in commands:
            done = command("--host", host, *words, check=False, timeout=60)
            assert done.returncode in (1, 5), (words, done.stdout, done.stderr)
            assert done.stdout == ""
            assert str(tmp_path / "e.sock") in done.stderr, done.stderr
            assert "\x00" not in done.stderr and len(done.stderr) < 2000


def test_an_engine_that_is_not_there(tmp_path):
    for host in (f"unix://{tmp_path}/none.sock", "tcp://127.0.0.1:22299"):
        done = command("--host", host, "node", "ls", check=False)
        assert done.returncode == 5
        assert host.split("//")[1] in done.stderr
    wrong = command("--host", "ftp://nowhere", "node", "ls", check=False)
    assert wrong.returncode == 2 and "ftp://nowhere" in wrong.stderr


def test_docker_host_is_this_machines_engine(tmp_path):
    done = command("node", "ls", check=False, env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock",
                                                   "HIVE_STATE_DIR": str(tmp_path / "lib")})
    assert done.returncode == 5 and "none.sock" in done.stderr


# --- state files
def record(folder, **more):
    (STATE / NAME).mkdir(parents=True, mode=0o700)
    (STATE / NAME / "cluster.json").write_text(json.dumps(
        {"name": NAME, "cloud": "local", "files": [str(folder / "hive.yml")],
         "directory": str(folder), "spec_hash": "", "dashboard_port": 5000,
         "listeners": list(PORTS.values()), "complete": False, **more}))


@pytest.fixture
def removed():
    yield
    command("--cluster", NAME, "down", "--yes")
    for folder in (STATE, RUN):
        assert not (folder / NAME).exists()


def refused_and_unchanged(done, *words):
    assert done.returncode == REFUSED, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert not (RUN / NAME).exists()


def test_a_cluster_of_that_name_from_another_file(tmp_path, text, removed):
    other = tmp_path / "other"
    other.mkdir()
    record(other)
    before = sorted((STATE / NAME).iterdir())
    refused_and_unchanged(up(tmp_path, text), NAME, str(other / "hive.yml"),
                          f"hive down --cluster {NAME}")
    assert sorted((STATE / NAME).iterdir()) == before


@pytest.mark.parametrize("content", [b"", b"{", b'{"name":"x"}', b"[]", os.urandom(64)],
                         ids=["empty", "half", "other", "list", "garbage"])
@pytest.mark.parametrize("file", ["cluster.json", "cloud.json"])
def test_a_corrupt_state_file(tmp_path, text, removed, file, content):
    record(tmp_path)
    (STATE / NAME / file).write_bytes(content)
    refused_and_unchanged(up(tmp_path, text), str(STATE / NAME / file), "damaged",
                          f"hive down --cluster {NAME}")
