"""Reading the Docker Engine API over its unix socket, for what the command line is too slow for."""
import http.client
import json
import socket
import urllib.parse


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def call(path, method, target, timeout=60):
    connection = UnixConnection(path, timeout)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {target}: {answer.status} {body[:200]}")
    return body


def get(path, target, filters=None, timeout=5):
    if filters:
        target += "?" + urllib.parse.urlencode({"filters": json.dumps(filters)})
    return json.loads(call(path, "GET", target, timeout))


def first_answer(paths, target, filters=None):
    """Of several managers, the first that answers."""
    for path in paths:
        try:
            return get(path, target, filters)
        except (OSError, RuntimeError, ValueError, http.client.HTTPException):
            continue
    raise RuntimeError(f"no manager answers GET {target}")


def running(tasks):
    return [task for task in tasks
            if task["Status"]["State"] == "running" and task["DesiredState"] == "running"]
