"""Pushes an archive of `docker save` to a registry."""
import gzip
import hashlib
import json
import tarfile
import urllib.request

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def send(method, url, data=b"", kind="application/octet-stream"):
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.headers


def blob(base, name, data, kind):
    """Uploads it; its entry in a manifest."""
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    place = send("POST", f"{base}/v2/{name}/blobs/uploads/")["Location"]
    place = place if place.startswith("http") else base + place
    send("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data)
    return {"mediaType": kind, "size": len(data), "digest": digest}


def push(base, archive, name, tag):
    with tarfile.open(archive) as tar:
        def read(path):
            return tar.extractfile(path).read()
        image, = json.loads(read("manifest.json"))
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": blob(base, name, read(image["Config"]), CONFIG),
                    "layers": [blob(base, name, gzip.compress(read(layer), 1, mtime=0), LAYER)
                               for layer in image["Layers"]]}
    send("PUT", f"{base}/v2/{name}/manifests/{tag}", json.dumps(manifest).encode(), MANIFEST)
