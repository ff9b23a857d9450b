"""EC2 instances as machines of their own on this one: namespaces, control groups, a private root over
this machine's or over a stock image's, made as the local cloud makes them and with its first process
(`hive instance-init`). A machine boots from its metadata service, and its user data is run in it by
guest/cloud_init.py, or by Debian's own cloud-init."""
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

from . import cgroups
from .cloud_init import MODULES
from .downloads import Downloads
from .identity import Identity
from .listeners import Listeners
from .metadata import Metadata
from .network import Network, make_vpc
from .paths import Paths
from .registry import Registry

HERE = pathlib.Path(__file__).resolve().parent
GUEST = pathlib.Path("/usr/local/lib/hive-harness")
KILL_SECONDS = 20


@dataclasses.dataclass
class Machine:
    instance: object
    status: str = "starting"  # then "up", "ending", "off"
    pid: int = 0              # of its first process, as this machine counts
    parent: subprocess.Popen | None = None
    metadata: Metadata | None = None


class Machines:
    def __init__(self, world, paths, network, endpoint, debian, stock):
        """`endpoint`: of the API, as machines reach it. `debian`: with Debian's own cloud-init. `stock`: a
        stock image's root, which has that one in it and nothing of hive; or None."""
        self._world, self._paths, self._network = world, paths, network
        self._endpoint, self._debian, self._stock = endpoint, debian, stock
        self._machines = {}
        self.identity = Identity(world, paths.state)
        self._install_binaries()

    def _install_binaries(self):
        """As the local cloud does: a rebuild does not pull them away from under machines."""
        folder = self._paths.state / "bin"
        folder.mkdir(exist_ok=True)
        hive = pathlib.Path(os.environ["HIVE_BIN"])
        for name in ("hive", "hive-init"):
            shutil.copy2(hive.parent / name, folder / name)

    # --- orders; under the world's lock, none waits
    def start(self, instance):
        machine = self._machines[instance.id] = Machine(instance)
        threading.Thread(target=self._boot, args=(machine,), daemon=True).start()

    def runs(self, instance_id):
        machine = self._machines.get(instance_id)
        if machine is None or machine.status == "off":
            return False
        if machine.status == "up" and machine.parent.poll() is not None:
            print(f"{instance_id} ended by itself:", read(self._paths.disk(instance_id) / "console.log"),
                  file=sys.stderr, flush=True)
            self._is_off(machine)
        return machine.status != "off"

    def power_off(self, instance_id, seconds):
        """In order, within the seconds; then as a power cut."""
        machine = self._machines.get(instance_id)
        if machine and machine.status in ("starting", "up"):
            machine.status = "ending"
            threading.Thread(target=self._end, args=(machine, seconds), daemon=True).start()

    def reboot(self, instance_id, seconds):
        machine = self._machines[instance_id]

        def again():
            machine.status = "ending"
            self._stop(machine, seconds)
            machine.status = "starting"
            self._boot(machine)
        threading.Thread(target=again, daemon=True).start()

    def forget(self, instance_id):
        """Its disk goes."""
        machine = self._machines.pop(instance_id, None)
        if machine:
            threading.Thread(target=self._remove, args=(instance_id,), daemon=True).start()

    def keep_disk(self, instance_id, image_id):
        """In an image: machines that are launched from it begin with what is on that disk."""
        copy_tree(self._paths.disk(instance_id) / "upper", self._paths.image(image_id))

    def describe(self):
        found = {}
        for instance_id, one in self._machines.items():
            run, disk = self._paths.run_of(instance_id), self._paths.disk(instance_id)
            found[instance_id] = {
                "status": one.status, "pid": one.pid, "address": one.instance.private_ip,
                "docker": f"unix://{run}/docker.sock", "root": str(disk / "upper"),
                "console": read(disk / "console.log"),
                "boot_log": read(disk / "upper/var/log/hive/boot.log"),
                "cloud_init": json.loads(read(run / "cloud-init/harness.json") or "null")}
        return found

    def close(self):
        for machine in list(self._machines.values()):
            if machine.pid and machine.status != "off":
                kill(machine.pid, signal.SIGKILL)

    # --- in threads of their own
    def _boot(self, machine):
        try:
            self._make(machine)
        except Exception as error:  # told on its console; EC2 sees it stop
            traceback.print_exc()
            console = self._paths.disk(machine.instance.id) / "console.log"
            console.parent.mkdir(parents=True, exist_ok=True)
            with open(console, "a", encoding="utf-8") as file:
                file.write(f"the harness could not start this machine: {error!r}\n")
            if machine.pid:
                kill(machine.pid, signal.SIGKILL)
            machine.status = "off"

    def _make(self, machine):
        instance, place = machine.instance, self._place(machine.instance.id)
        self._make_disk(instance.id, instance.image_id)
        cgroups.make(place)
        go_read, go_write = os.pipe()
        try:
            self._spawn(machine, place, go_read)
            cgroups.enter(place, machine.pid)
            self._network.plug_in(instance.private_ip, machine.pid)
            machine.metadata = Metadata(self._world, self.identity, instance)
            machine.metadata.serve(machine.pid)
            os.write(go_write, b"g")
        finally:
            os.close(go_read)
            os.close(go_write)
        with self._world.lock:
            if machine.status == "starting":
                machine.status = "up"

    def _place(self, instance_id):
        return f"{self._paths.cgroup}/{instance_id}"

    def _make_disk(self, instance_id, image_id):
        disk, run = self._paths.disk(instance_id), self._paths.run_of(instance_id)
        upper, image = disk / "upper", self._paths.image(image_id)
        if image.is_dir() and not upper.exists():
            copy_tree(image, upper)
        for name in ("upper", "work", "docker", "root"):
            (disk / name).mkdir(parents=True, exist_ok=True)
        for path in ("/var/lib/docker", "/usr/local/bin", "/var/log/hive", "/var/cache"):
            mirror(upper, path)
        if not self._stock:
            self._hide_this_machines_own(upper)
        (upper / "var/lib/hive/logs").mkdir(parents=True, exist_ok=True)
        # What shared storage (EFS) is in AWS, mounted by the image; it outlives the machines.
        (self._paths.state / "logs").mkdir(mode=0o750, exist_ok=True)
        # No name server but one that is not there: looking up a name fails at once.
        mirror(upper, "/etc")
        (upper / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        self._trust_registry(upper)
        self._install_cloud_init(upper)
        shutil.rmtree(run, ignore_errors=True)
        (run / "hive").mkdir(mode=0o700, parents=True)
        (run / "lock").mkdir(mode=0o1777)
        run.chmod(0o755)

    def _hide_this_machines_own(self, upper):
        for path in ("/root", "/home", "/etc/docker", "/etc/hive", "/var/lib/cloud", "/var/lib/hive",
                     str(self._paths.state.parent), str(self._paths.run.parent)):
            cover(upper, path)
        for path in ("usr/local/bin/hive", "usr/local/bin/hive-init"):
            (upper / path).touch(0o755)

    def _install_cloud_init(self, upper):
        guest = upper / GUEST.relative_to("/")
        guest.mkdir(parents=True, exist_ok=True)
        name = "debian_cloud_init.py" if self._debian else "cloud_init.py"
        shutil.copy(HERE / "guest" / name, guest / "boot")
        (guest / "boot").chmod(0o755)
        if self._debian and not self._stock and not (guest / "cloudinit").exists():
            shutil.copytree(MODULES / "cloudinit", guest / "cloudinit")
        if self._debian:
            (upper / "etc/cloud").mkdir(exist_ok=True)
            shutil.copy(HERE / "guest/cloud.cfg", upper / "etc/cloud/cloud.cfg")

    def _trust_registry(self, upper):
        """By engines and by all that looks at the system's certificates, as the image would bring it."""
        registry = self._world.registry
        engine = upper / "etc/docker/certs.d" / registry.name
        engine.mkdir(parents=True, exist_ok=True)
        shutil.copy(registry.certificate, engine / "ca.crt")
        bundle = mirror(upper, "/etc/ssl/certs") / "ca-certificates.crt"
        if not bundle.exists():
            bundle.write_text(read(self._base() / "etc/ssl/certs/ca-certificates.crt")
                              + registry.certificate.read_text())

    def _base(self):
        return pathlib.Path(self._stock or "/")

    def _spawn(self, machine, place, go):
        instance, binaries = machine.instance, self._paths.state / "bin"
        disk = self._paths.disk(instance.id)
        boot = disk / "boot.json"
        boot.write_text(json.dumps({
            "id": instance.id, "hostname": instance.private_dns_name.partition(".")[0],
            "address": instance.private_ip, "gateway": self._network.gateway, "disk": str(disk),
            "run": str(self._paths.run_of(instance.id)), "base": str(self._base()),
            "binary": "" if self._stock else str(binaries / "hive"),
            "init_binary": "" if self._stock else str(binaries / "hive-init"),
            "logs": str(self._paths.state / "logs"), "boot_program": str(GUEST / "boot")}))
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
            "TERM": "linux", "LANG": "C.UTF-8", "HIVE_INSTANCE": instance.id, "HIVE_CGROUP": "/" + place,
            "AWS_ENDPOINT_URL": self._endpoint,
            "HARNESS_HOSTS": f"{self._world.registry.address} {self._world.registry.name}", **self._paths.environment}
        with open(disk / "console.log", "ab") as console:
            machine.parent = subprocess.Popen(
                ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--",
                 "sh", "-c", "exec 3<&0 </dev/null; exec \"$@\"", "boot", str(binaries / "hive"),
                 "instance-init", "--boot", str(boot)],
                stdin=go, stdout=console, stderr=console, env=environment, start_new_session=True)
        machine.pid = only_child(machine.parent)

    def _end(self, machine, seconds):
        self._stop(machine, seconds)
        self._is_off(machine)

    def _stop(self, machine, seconds):
        deadline = time.monotonic() + KILL_SECONDS
        while machine.status == "starting" and time.monotonic() < deadline:
            time.sleep(0.02)
        if machine.parent and machine.parent.poll() is None:
            if seconds > 0:
                kill(machine.pid, signal.SIGTERM)
                ended(machine.parent, seconds)
            kill(machine.pid, signal.SIGKILL)
            ended(machine.parent, KILL_SECONDS)
        if machine.metadata:
            machine.metadata.close()
            machine.metadata = None

    def _is_off(self, machine):
        if machine.metadata:
            threading.Thread(target=machine.metadata.close, daemon=True).start()
            machine.metadata = None
        machine.status = "off"

    def _remove(self, instance_id):
        cgroups.remove(self._place(instance_id))
        shutil.rmtree(self._paths.disk(instance_id), ignore_errors=True)
        shutil.rmtree(self._paths.run_of(instance_id).parent, ignore_errors=True)


def attach(world, name, port, debian, stock):
    """Makes the world's instances real; the address at which they reach the API."""
    paths = Paths(name)
    network = Network(paths)
    make_vpc(world.backend("ec2"), network, world.region)
    world.machines = Machines(world, paths, network, f"http://{network.gateway}:{port}",
                              debian, stock)
    world.listeners = Listeners(world, paths, network)
    world.registry = Registry(world, paths, network)
    world.downloads = Downloads(world.registry, paths)
    return network.gateway


def read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def copy_tree(source, target):
    """An overlay's layer, with what it hides."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)


def ended(process, seconds):
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def only_child(process):
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with open(path, encoding="utf-8") as children:
            words = children.read().split()
        if words:
            return int(words[0])
        time.sleep(0.005)
    raise OSError("unshare made no process")


def mirror(upper, path):
    """UPPER/path, with the modes of this machine's own directories."""
    at, real = upper, pathlib.Path("/")
    for part in pathlib.Path(path).relative_to("/").parts:
        at, real = at / part, real / part
        if not at.exists():
            at.mkdir()
            at.chmod(real.stat().st_mode & 0o7777 if real.exists() else 0o755)
    return at


def cover(upper, path):
    """An opaque directory shows nothing of the one below it."""
    os.setxattr(mirror(upper, path), "trusted.overlay.opaque", b"y")
