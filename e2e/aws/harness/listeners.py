"""Classic load balancers that listen: one HAProxy for each, at an address of its own in the VPC. A
server slot for each instance; checks as the balancer's health check says; what leaves is drained."""
import hashlib
import re
import socket
import subprocess
import time

SLOTS = 20
LOOK_SECONDS = 0.4
DEFAULT_CHECK = ("TCP:80", 30, 5, 2, 10)  # of a balancer for which none is configured

HEAD = """global
  stats socket {socket} mode 600 level admin expose-fd listeners
  log stdout format raw local0 notice
defaults
  log global
  mode tcp
  timeout connect 5s
  timeout client {idle}s
  timeout server {idle}s
  timeout check {timeout}s
backend health
{probe}  default-server inter {interval}s fall {fall} rise {rise}
"""


class Served:
    """What one balancer's HAProxy is told."""

    def __init__(self):
        self.text, self.process = None, None
        self.slots = {}       # instance id -> slot
        self.draining = set()
        self.seen, self.looked = {}, 0.0


class Listeners:
    def __init__(self, world, paths, network):
        self._world, self._paths, self._network = world, paths, network
        self._served = {}

    def address(self, name):
        return self._network.balancer_address(name)

    def close(self):
        for one in self._served.values():
            if one.process:
                one.process.terminate()

    # --- what is asked at each tick
    def look(self, balancer, targets):
        """{instance id: (passes its checks, open connections)}"""
        one = self._served.get(balancer.name)
        if one is None or one.process is None:
            return {}
        if time.monotonic() - one.looked >= LOOK_SECONDS:
            one.seen, one.looked = self._stats(balancer.name), time.monotonic()
        found = {}
        for instance_id, slot in one.slots.items():
            up = one.seen.get(("health", slot), ("", 0))[0].startswith("UP")
            open_ = sum(count for (name, at), (_, count) in one.seen.items()
                        if at == slot and name != "health")
            target = targets.get(instance_id)
            if target and target.drain_until is not None and instance_id not in one.draining:
                open_ += 1  # it is still given requests
            found[instance_id] = (up, open_)
        return found

    def serve(self, balancer, targets):
        one = self._served.setdefault(balancer.name, Served())
        text = self._config(balancer)
        if text != one.text:
            self._start(balancer, one, text)
        self._drop_gone(balancer, one, targets)
        for instance_id, target in targets.items():
            instance = self._world.instances.get(instance_id)
            if instance_id not in one.slots and instance and instance.state == "running":
                self._fill(balancer, one, instance, target)
            if target.drain_until is not None and instance_id not in one.draining:
                one.draining.add(instance_id)
                self._each(balancer, one.slots.get(instance_id), "set server {} state drain")
                one.looked = 0.0  # what was seen before does not tell that nothing is open
            if target.drain_until is None and instance_id in one.draining:  # registered again
                one.draining.discard(instance_id)
                self._each(balancer, one.slots.get(instance_id), "set server {} state ready")

    def gone(self, name):
        """The balancer was deleted."""
        one = self._served.pop(name, None)
        if one and one.process:
            one.process.terminate()

    # --- slots
    def _backends(self, balancer):
        return [f"b{one.load_balancer_port}" for one in balancer.listeners]

    def _each(self, balancer, slot, command):
        if slot is not None:
            for name in self._backends(balancer):
                self._say(balancer.name, command.format(f"{name}/s{slot}"))

    def _fill(self, balancer, one, instance, target):
        slot = next(at for at in range(1, SLOTS + 1) if at not in one.slots.values())
        one.slots[instance.id] = slot
        address = instance.private_ip
        for listener in balancer.listeners:
            server = f"b{listener.load_balancer_port}/s{slot}"
            self._say(balancer.name, f"set server {server} addr {address} port {listener.instance_port}")
            self._say(balancer.name, f"set server {server} state ready")
        port = check_of(balancer)[1]
        self._say(balancer.name, f"set server health/s{slot} addr {address} port {port}")
        self._say(balancer.name, f"set server health/s{slot} state ready")
        # Until its checks say otherwise; a server just enabled would count as up.
        health = "up" if target.was_in_service else "down"
        self._say(balancer.name, f"set server health/s{slot} health {health}")
        one.looked, one.seen = 0.0, {}

    def _drop_gone(self, balancer, one, targets):
        for instance_id in [it for it in one.slots if it not in targets]:
            slot = one.slots.pop(instance_id)
            one.draining.discard(instance_id)
            self._each(balancer, slot, "set server {} state maint")
            self._each(balancer, slot, "shutdown sessions server {}")
            self._say(balancer.name, f"set server health/s{slot} state maint")

    # --- HAProxy
    def _config(self, balancer):
        _, _, path, timing = check_of(balancer)
        interval, timeout, rise, fall = timing
        idle = balancer.attributes.get("connection_settings") or {}
        idle = idle.get("IdleTimeout", idle.get("idle_timeout", 60))
        probe = f"  option httpchk GET {path}\n  http-check expect status 200\n" if path else ""
        text = HEAD.format(socket=self._socket(balancer.name), idle=idle, timeout=timeout, probe=probe,
                           interval=interval, fall=fall, rise=rise)
        text += "".join(f"  server s{at} 0.0.0.0:1 check disabled\n" for at in range(1, SLOTS + 1))
        for one in balancer.listeners:
            text += self._listener(balancer, one)
        return text

    def _listener(self, balancer, one):
        port, protocol = one.load_balancer_port, one.protocol
        bind = f"{self.address(balancer.name)}:{port}"
        if protocol in ("HTTPS", "SSL"):
            bind += f" ssl crt {self._certificate(one.ssl_certificate_id)}"
        http = protocol in ("HTTP", "HTTPS")
        text = f"frontend f{port}\n  bind {bind}\n"
        if http:
            text += ("  mode http\n  option forwardfor\n"
                     f"  http-request set-header X-Forwarded-Port {port}\n"
                     f"  http-request set-header X-Forwarded-Proto {protocol.lower()}\n")
        text += f"  default_backend b{port}\nbackend b{port}\n"
        # Fewest outstanding requests for HTTP, in turns for TCP.
        text += "  mode http\n  balance leastconn\n" if http else "  balance roundrobin\n"
        secure = " ssl verify none" if one.instance_protocol in ("HTTPS", "SSL") else ""
        return text + "".join(
            f"  server s{at} 0.0.0.0:{one.instance_port} track health/s{at} disabled{secure}\n"
            for at in range(1, SLOTS + 1))

    def _certificate(self, arn):
        """A certificate of our own for that of ACM."""
        path = self._paths.state / f"certificate-{hashlib.sha256(str(arn).encode()).hexdigest()[:12]}.pem"
        if not path.exists():
            key = path.with_suffix(".key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                            "-out", path, "-subj", "/CN=balancer.example", "-days", "2"],
                           check=True, capture_output=True)
            path.write_text(path.read_text() + key.read_text())
        return path

    def _start(self, balancer, one, text):
        config = self._paths.state / f"balancer-{balancer.name}.cfg"
        config.write_text(text)
        words = ["haproxy", "-db", "-f", str(config)]
        if one.process and one.process.poll() is None:
            # It hands its sockets over, and ends with its connections.
            words += ["-x", self._socket(balancer.name), "-sf", str(one.process.pid)]
        with open(self._paths.state / f"balancer-{balancer.name}.log", "ab") as log:
            one.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        one.text, one.slots, one.draining = text, {}, set()
        deadline = time.monotonic() + 5
        while f"Pid: {one.process.pid}\n" not in self._say(balancer.name, "show info"):
            if time.monotonic() > deadline or one.process.poll() is not None:
                raise OSError(f"the HAProxy of {balancer.name} does not start; see its log in "
                              f"{self._paths.state}")
            time.sleep(0.02)

    def _socket(self, name):
        return f"{self._paths.run}/balancer-{name}.sock"

    def _say(self, name, command):
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.settimeout(5)
                one.connect(self._socket(name))
                one.sendall(command.encode() + b"\n")
                said = b""
                while data := one.recv(65536):
                    said += data
                return said.decode()
        except OSError:
            return ""

    def _stats(self, name):
        """{(backend, slot): (status, connections)}"""
        found, names = {}, None
        for line in self._say(name, "show stat -1 4 -1").splitlines():
            fields = line.split(",")
            if line.startswith("# "):
                names = fields
                names[0] = "pxname"
                continue
            if names is None or len(fields) < 18 or not re.fullmatch(r"s\d+", fields[1]):
                continue
            row = dict(zip(names, fields))
            backend = row["pxname"]
            found[backend, int(fields[1][1:])] = (row["status"], int(row["scur"] or 0))
        return found


def check_of(balancer):
    """(protocol, port, HTTP path or None, (interval, timeout, healthy, unhealthy))"""
    check = balancer.health_check
    if check is None:
        target, *timing = DEFAULT_CHECK
    else:
        target = check.target
        timing = [int(check.interval), int(check.timeout), int(check.healthy_threshold),
                  int(check.unhealthy_threshold)]
    found = re.fullmatch(r"(\w+):(\d+)(/.*)?", target)
    return found[1], int(found[2]), found[3] if found[1].startswith("HTTP") else None, timing
