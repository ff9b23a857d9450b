"""The instance metadata service: one a machine, at 169.254.169.254 inside its network namespace."""
import base64
import ctypes
import http.server
import json
import os
import re
import secrets
import socket
import threading

from .identity import instant

ADDRESS = ("169.254.169.254", 80)
CLONE_NEWNET = 0x40000000
# Older forms of the interface, of which what there is says the same.
VERSION = re.compile(r"^/20\d\d-\d\d-\d\d/")
LONGEST_SECONDS = 21600
MAC = "02:00:00:00:{:02x}:{:02x}"


def open_inside(pid):
    """A listening socket in the network namespace of the process; its address may come later."""
    found = []

    def inside():
        libc = ctypes.CDLL(None, use_errno=True)
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(namespace, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "entering a network namespace")
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
            one.bind(ADDRESS)
            one.listen(64)
            found.append(one)
        except OSError as error:
            found.append(error)
        finally:
            os.close(namespace)
    # A thread of its own, which ends there.
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


class Metadata:
    """What one instance is told. `world` gives the rest as it is at the time."""

    def __init__(self, world, identity, instance):
        self._world, self._identity, self._instance = world, identity, instance
        self._tokens = {}  # token -> its end, by the clock

    def serve(self, pid):
        """Until close()."""
        listening, handler = open_inside(pid), self._handler()
        server = http.server.ThreadingHTTPServer(ADDRESS, handler, bind_and_activate=False)
        server.socket.close()
        server.socket, server.daemon_threads = listening, True
        server.server_name, server.server_port = ADDRESS
        self._server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        metadata = self

        class Handler(http.server.BaseHTTPRequestHandler):
            server_version, sys_version, protocol_version = "EC2ws", "", "HTTP/1.1"

            def answer(self):
                with metadata._world.lock:
                    found = metadata.answer(self.command, self.path, self.headers,
                                            self.client_address[0])
                if found is None:
                    # The answer's packets are dropped on their way: the asker waits for nothing.
                    self.close_connection = True
                    self.connection.settimeout(10)
                    try:
                        self.connection.recv(1)
                    except OSError:
                        pass
                    return
                status, text = found
                data = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *words):
                """Quiet."""
        return Handler

    # --- answers
    def answer(self, method, path, headers, peer):
        """(status, text); None: no answer arrives."""
        path = VERSION.sub("/latest/", path)
        options = self._instance.metadata_options
        if options.http_endpoint == "disabled":
            return 403, ""
        if path == "/latest/api/token":
            return self._token(method, headers, peer, int(options.http_put_response_hop_limit or 1))
        if method != "GET":
            return 405, ""
        token = headers.get("X-aws-ec2-metadata-token")
        if token is None and options.http_tokens == "required":
            return 401, ""
        if token is not None and self._world.clock.now() >= self._tokens.get(token, 0):
            return 401, ""
        return self._read(path.rstrip("/") if path != "/latest/meta-data/" else path)

    def _token(self, method, headers, peer, hops):
        if method != "PUT":
            return 405, ""
        # A container is one hop further away than the machine itself.
        if peer not in (ADDRESS[0], "127.0.0.1", self._instance.private_ip) and hops < 2:
            return None
        try:
            seconds = int(headers.get("X-aws-ec2-metadata-token-ttl-seconds", ""))
        except ValueError:
            return 400, ""
        if not 1 <= seconds <= LONGEST_SECONDS or headers.get("X-Forwarded-For"):
            return (403 if headers.get("X-Forwarded-For") else 400), ""
        token = secrets.token_urlsafe(40)
        self._tokens[token] = self._world.clock.now() + seconds
        return 200, token

    def _read(self, path):
        if path == "/latest/user-data":
            data = self._user_data()
            return (200, data) if data else (404, "")
        tree, _, at = path.removeprefix("/latest/").partition("/")
        at = at.strip("/")
        if tree == "dynamic":
            values = self._documents()
        elif tree == "meta-data":
            values = self._values()
        else:
            return 404, ""
        if at in values:
            value = values[at]
            return 200, value() if callable(value) else value
        return self._listing(values, at)

    @staticmethod
    def _listing(values, at):
        below = {name[len(at):].lstrip("/") for name in values if not at or name.startswith(at + "/")}
        listed = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        return (200, "\n".join(listed)) if listed else (404, "")

    def _user_data(self):
        data = self._instance.user_data
        return base64.b64decode(str(data)) if data else b""

    def _documents(self):
        text, place = self._identity.document(self._instance), "instance-identity/"
        return {place + "document": text, place + "signature": lambda: self._identity.signature(text),
                place + "pkcs7": lambda: self._identity.pkcs7(text)}

    def _values(self):
        one, world = self._instance, self._world
        mac = MAC.format(*(int(part) for part in one.private_ip.split(".")[2:]))
        interface = f"network/interfaces/macs/{mac}/"
        values = {
            "ami-id": one.image_id, "ami-launch-index": "0", "hostname": one.private_dns_name,
            "local-hostname": one.private_dns_name, "instance-id": one.id,
            "instance-type": one.instance_type, "local-ipv4": one.private_ip, "mac": mac,
            "instance-life-cycle": "spot" if one.lifecycle == "spot" else "on-demand",
            "placement/availability-zone": one.placement.zone, "placement/region": world.region,
            "reservation-id": "r-0", "security-groups": "\n".join(g.name for g in one.security_groups),
            "services/domain": "amazonaws.com", "services/partition": "aws",
            interface + "device-number": "0", interface + "local-ipv4s": one.private_ip,
            interface + "mac": mac, interface + "subnet-id": one.subnet_id or "",
            interface + "vpc-id": one.vpc_id or "", interface + "security-group-ids":
            "\n".join(g.id for g in one.security_groups)}
        if state := world.scaling.target_state(one.id):
            values["autoscaling/target-lifecycle-state"] = state
        if one.metadata_options.instance_metadata_tags == "enabled":
            for tag in one.get_tags():
                values["tags/instance/" + tag["key"]] = tag["value"]
        self._add_role(values)
        self._add_notices(values)
        return values

    def _add_role(self, values):
        if role := self._identity.role_of(self._instance):
            name, arn, profile = role
            values["iam/info"] = json.dumps({
                "Code": "Success", "LastUpdated": instant(self._world.clock.unix()),
                "InstanceProfileArn": arn, "InstanceProfileId": profile})
            values["iam/security-credentials/" + name] = self._identity.credentials(self._instance, name)

    def _add_notices(self, values):
        notices = self._world.instances.notices.get(self._instance.id, {})
        if "spot" in notices:
            action, when = notices["spot"]
            values["spot/instance-action"] = json.dumps({"action": action, "time": instant(when)})
            values["spot/termination-time"] = instant(when)
        if "rebalance" in notices:
            values["events/recommendations/rebalance"] = json.dumps(
                {"noticeTime": instant(notices["rebalance"])})
