"""Writes a `docker save` archive from root file system layers, without an engine.

usage: archive.py OUT REPOSITORY:TAG CONFIG.json LAYER.tar...
The same inputs give the same bytes, so a layer shared by two images is pulled once.
"""
import hashlib
import io
import json
import sys
import tarfile


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o644
    archive.addfile(entry, io.BytesIO(data))


def main(out: str, tag: str, config_path: str, layers: list) -> None:
    blobs = []
    for path in layers:
        with open(path, "rb") as file:
            blobs.append(file.read())
    digests = [hashlib.sha256(blob).hexdigest() for blob in blobs]
    with open(config_path, encoding="utf-8") as file:
        config = {"architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z",
                  "config": json.load(file),
                  "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in digests]},
                  "history": [{"created": "1970-01-01T00:00:00Z"} for _ in digests]}
    config_bytes = json.dumps(config, sort_keys=True).encode()
    config_name = hashlib.sha256(config_bytes).hexdigest() + ".json"
    with tarfile.open(out, "w", format=tarfile.GNU_FORMAT) as archive:
        add(archive, config_name, config_bytes)
        for digest, blob in zip(digests, blobs):
            add(archive, f"{digest}/layer.tar", blob)
        manifest = [{"Config": config_name, "RepoTags": [tag],
                     "Layers": [f"{digest}/layer.tar" for digest in digests]}]
        add(archive, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
