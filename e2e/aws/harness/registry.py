"""ECR with images in it: Debian's docker-registry behind an HAProxy with TLS that lets tokens of
GetAuthorizationToken in as long as they live, and repositories that ECR has. Machines know it by its name
ACCOUNT.dkr.ecr.REGION.amazonaws.com, and trust its certificate."""
import base64
import datetime
import json
import secrets
import socket
import subprocess
import time
import urllib.request

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend
from moto.ecr.responses import ECRResponse

from .push import MANIFEST, push

TOKEN_SECONDS = 12 * 3600
LAST_BYTE = 199  # of its address
CONFIG = """global
  stats socket {socket} mode 600 level admin
  log stdout format raw local0 notice
defaults
  log global
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
frontend ecr
  bind {address}:443 ssl crt {pem}
  http-request set-header X-Forwarded-Proto https
  http-request set-var(txn.token) req.hdr(authorization),word(2,\\ )
  http-request return status 401 hdr WWW-Authenticate 'Basic realm="https://{name}/",service="ecr.amazonaws.com"' content-type application/json string '{{"errors":[{{"code":"UNAUTHORIZED","message":"authentication required"}}]}}' unless {{ var(txn.token) -m str -f {tokens} }}
  http-request return status 404 content-type application/json string '{{"errors":[{{"code":"NAME_UNKNOWN","message":"The repository does not exist in the registry"}}]}}' unless {{ path_beg -f {names} }} or {{ path /v2/ }}
  default_backend registry
backend registry
  server registry 127.0.0.1:{port}
"""
STORE = """version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: "{data}"}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  relativeurls: true
"""


class Registry:
    def __init__(self, world, paths, network):
        self._world, self._folder = world, paths.state / "ecr"
        self._socket = paths.run / "ecr.sock"
        self._tokens = {}    # token -> when it ends
        self._names = set()  # repositories that are let through
        self.name = f"{DEFAULT_ACCOUNT_ID}.dkr.ecr.{world.region}.amazonaws.com"
        self.address = f"10.78.{network.number}.{LAST_BYTE}"
        network.add_address(self.address)
        self._folder.mkdir(exist_ok=True)
        self._make_certificate()
        self._start()
        self._install()

    def _make_certificate(self):
        self.certificate = self._folder / "ca.crt"
        key = self._folder / "key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", self.certificate, "-subj", "/CN=Registry of the tests", "-days", "2",
                        "-addext", f"subjectAltName=DNS:{self.name}"], check=True, capture_output=True)
        (self._folder / "both.pem").write_text(self.certificate.read_text() + key.read_text())

    def _start(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = one.getsockname()[1]
        for name in ("tokens", "names"):
            (self._folder / name).write_text("")
        (self._folder / "store.yml").write_text(
            STORE.format(data=self._folder / "data", port=self._port))
        (self._folder / "front.cfg").write_text(CONFIG.format(
            socket=self._socket, address=self.address, pem=self._folder / "both.pem", name=self.name,
            tokens=self._folder / "tokens", names=self._folder / "names", port=self._port))
        with open(self._folder / "log", "ab") as log:
            self._processes = [
                subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log) for words in (
                    ["docker-registry", "serve", self._folder / "store.yml"],
                    ["haproxy", "-db", "-f", self._folder / "front.cfg"])]
        deadline = time.monotonic() + 15
        while True:
            try:
                self.store("/v2/")
                self._say("show info")
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise OSError("ECR's registry does not start: "
                                  + (self._folder / "log").read_text()) from error
                time.sleep(0.05)

    def close(self):
        for process in self._processes:
            process.terminate()

    # --- the API's end of it
    def _install(self):
        me, delete = self, ECRBackend.delete_repository

        def get_authorization_token(response):
            return ActionResult({"authorizationData": [me.authorization()]})

        def delete_repository(backend, name, registry_id=None, force=False):
            repository = delete(backend, name, registry_id, force)
            for tag in me._tags(name):
                me.store(f"/v2/{name}/manifests/{me._digest(name, tag)}", "DELETE")
            return repository

        ECRResponse.get_authorization_token = get_authorization_token
        ECRBackend.delete_repository = delete_repository

    def authorization(self):
        ends = self._world.clock.unix() + TOKEN_SECONDS
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(60)}".encode()).decode()
        self._tokens[token] = ends
        self._say(f"add acl {self._folder}/tokens {token}")
        return {"authorizationToken": token, "proxyEndpoint": f"https://{self.name}",
                "expiresAt": datetime.datetime.fromtimestamp(ends, datetime.timezone.utc)}

    def secrets(self):
        """Tokens, and the passwords in them."""
        return [word for token in self._tokens
                for word in (token, base64.b64decode(token).decode().partition(":")[2])]

    def end_tokens(self):
        self._tokens = dict.fromkeys(self._tokens, 0)

    def tick(self):
        """Takes tokens away that have ended, and lets new repositories through."""
        now = self._world.clock.unix()
        for token in [one for one, ends in self._tokens.items() if ends <= now]:
            del self._tokens[token]
            self._say(f"del acl {self._folder}/tokens {token}")
        names = set(self._world.backend("ecr").repositories)
        for name in names - self._names:
            self._say(f"add acl {self._folder}/names /v2/{name}/")
        for name in self._names - names:
            self._say(f"del acl {self._folder}/names /v2/{name}/")
        self._names = names

    def note_images(self):
        """What was pushed is what the API tells of."""
        backend = self._world.backend("ecr")
        for name, repository in backend.repositories.items():
            known = {tag for image in repository.images for tag in image.image_tags}
            for tag in set(self._tags(name)) - known:
                manifest, _ = self.store(f"/v2/{name}/manifests/{tag}")
                backend.put_image(name, manifest.decode(), tag, MANIFEST)

    # --- images
    def push(self, archive, name, tag):
        """An archive of `docker save`, as somebody with credentials would push it."""
        if name not in self._world.backend("ecr").repositories:
            raise ValueError(f"there is no repository {name}")
        push(f"http://127.0.0.1:{self._port}", archive, name, tag)

    def store(self, path, method="GET"):
        """(body, headers) of the store itself."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", method=method,
                                         headers={"Accept": MANIFEST})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read(), answer.headers

    def _tags(self, name):
        try:
            return json.loads(self.store(f"/v2/{name}/tags/list")[0])["tags"] or []
        except OSError:  # nothing was pushed there yet
            return []

    def _digest(self, name, tag):
        return self.store(f"/v2/{name}/manifests/{tag}", "HEAD")[1]["Docker-Content-Digest"]

    def _say(self, command):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(5)
            one.connect(str(self._socket))
            one.sendall(command.encode() + b"\n")
            return one.recv(65536).decode()
