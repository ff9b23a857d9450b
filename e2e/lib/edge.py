"""One node's edge alone: `hive agent --table FILE` with a real HAProxy, and small applications.

    with Edge(folder) as edge, App("a") as a:
        edge.serve(listeners=[...], routes=[...], backends=[backend("web", [a])])
"""
import csv
import http.server
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time

from lib.cluster import HIVE, eventually


class App:
    """An application that says who it is and what it saw of the request:
    {"app", "path", "forwarded_for": [...], "proto", "peer", "proxied": address of the PROXY header}.
    `healthy` is what /health answers; `seen` counts other requests."""

    def __init__(self, name, healthy=True, proxy_protocol=False, node="n1"):
        self.name, self.healthy, self.node = name, healthy, node
        self.seen = 0
        self.open = 0
        self._lock = threading.Lock()
        app = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def setup(self):
                super().setup()
                self.proxied = read_proxy_header(self.rfile) if proxy_protocol else None

            def do_GET(self):
                if self.path == "/health":
                    return self.answer(200 if app.healthy else 503, b"")
                with app._lock:
                    app.seen += 1
                    app.open += 1
                if self.path.startswith("/slow"):
                    time.sleep(1)
                with app._lock:
                    app.open -= 1
                return self.answer(200, json.dumps({
                    "app": app.name, "path": self.path, "peer": self.client_address[0],
                    "forwarded_for": self.headers.get_all("X-Forwarded-For") or [],
                    "proto": self.headers.get("X-Forwarded-Proto"),
                    "proxied": self.proxied}).encode())

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *args):
                pass
        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def endpoint(self, admit=True):
        return {"task_id": f"task-{self.name}", "service_id": "s", "node_id": self.node,
                "name": self.name, "address": "127.0.0.1", "port": self.port, "admit": admit}


def read_proxy_header(stream):
    """The client's address of a PROXY v2 header; None for LOCAL (a probe)."""
    head = stream.read(16)
    if len(head) < 16 or head[:12] != b"\r\n\r\n\0\r\nQUIT\n":
        return "no PROXY header"
    rest = stream.read(struct.unpack(">H", head[14:16])[0])
    return socket.inet_ntoa(rest[:4]) if head[12] & 15 else None


def backend(name, apps, **more):
    return {"name": name, "mode": "http", "probe_path": "/health",
            "endpoints": [app if isinstance(app, dict) else app.endpoint() for app in apps], **more}


class Edge:
    def __init__(self, folder, health_port, node="n1"):
        self.folder, self.node, self.health_port = pathlib.Path(folder), node, health_port
        self.folder.mkdir(exist_ok=True)
        self._revision = 0
        self._agent = None

    def __enter__(self):
        self.start_agent()
        return self

    def __exit__(self, *exc):
        self._agent.send_signal(signal.SIGQUIT)  # ends its HAProxy too
        self._agent.wait(20)

    def start_agent(self):
        with open(self.folder / "agent.log", "ab") as log:
            self._agent = subprocess.Popen(
                [HIVE, "agent", "--table", self.folder / "wanted.json", "--edge-dir",
                 self.folder / "edge", "--health-port", str(self.health_port), "--node-id",
                 self.node], stdout=log, stderr=log)

    def kill_agent(self):
        self._agent.kill()
        self._agent.wait(20)

    def log(self):
        return (self.folder / "agent.log").read_text()

    def serve(self, listeners, routes, backends):
        self._revision += 1
        self.write(json.dumps({"revision": self._revision, "controller_node_id": "test",
                               "listeners": listeners, "routes": routes, "backends": backends}))

    def write(self, text):
        fresh = self.folder / "wanted.new"
        fresh.write_text(text)
        os.rename(fresh, self.folder / "wanted.json")

    def ask(self, line):
        """An answer of HAProxy's own socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(self.folder / "edge/haproxy.sock"))
            s.sendall(line.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def pid(self):
        return int(next(line for line in self.ask("show info").splitlines()
                        if line.startswith("Pid: "))[5:])

    def servers(self, name):
        """{"address:port"} that HAProxy sends new requests of a backend to."""
        try:
            lines = self.ask("show servers state").splitlines()
        except OSError:
            return set()  # not started yet
        columns = lines[1][2:].split()
        rows = [dict(zip(columns, line.split())) for line in lines[2:] if line.strip()]
        # 0x04 says only that it was disabled once, in the configuration.
        return {f"{row['srv_addr']}:{row['srv_port']}" for row in rows
                if row["be_name"] == f"b.{name}.all" and not int(row["srv_admin_state"]) & ~4}

    def bounds(self, name):
        """Of all servers of a service: how many requests HAProxy gives one at a time."""
        rows = csv.DictReader(self.ask("show stat -1 4 -1").removeprefix("# ").splitlines())
        return {int(row["slim"] or 0) for row in rows if row["svname"] != "regulars"
                and row["pxname"].startswith(f"b.{name}.") and row["pxname"] != f"b.{name}.own"}

    def came(self, name):
        """(requests that came for a service, those of them that wait for a task)"""
        rows = csv.DictReader(self.ask("show stat -1 2 -1").removeprefix("# ").splitlines())
        mine = [row for row in rows if row["pxname"].startswith(f"b.{name}.")]
        return sum(int(row["stot"]) for row in mine), sum(int(row["qcur"]) for row in mine)

    def connections_in_use(self, app):
        """Those on which HAProxy has a request under way to an application."""
        lines = [line for line in self.ask("show servers conn").splitlines() if line.strip()]
        columns = lines[0][2:].split()
        place = {name: columns.index(name) for name in ("addr", "port", "used_cur")}
        return sum(int(cells[place["used_cur"]]) for cells in map(str.split, lines[1:])
                   if (cells[place["addr"]], cells[place["port"]]) == ("127.0.0.1", str(app.port)))

    def serves(self, name, apps):
        wanted = {f"127.0.0.1:{app.port}" for app in apps}
        return eventually(lambda: self.servers(name) == wanted, seconds=20, pause=0.05)
