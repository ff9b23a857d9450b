"""The smallest images: a static busybox."""
import json
import pathlib
import subprocess
import sys
import tarfile

ARCHIVE = pathlib.Path(__file__).resolve().parents[2] / "examples/tomcat/archive.py"
APPLETS = ("sh", "sleep", "echo", "cat", "kill", "true", "false")


def make_rootfs(path, applets=APPLETS):
    """A root file system of one static busybox."""
    with tarfile.open(path, "w") as archive:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add("/bin/busybox", "bin/busybox")
        for applet in applets:
            entry = tarfile.TarInfo("bin/" + applet)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)


def make_image(folder, tag, command):
    """A `docker save` archive of an image that runs `command`; its path."""
    folder = pathlib.Path(folder)
    rootfs, config = folder / "rootfs.tar", folder / "config.json"
    if not rootfs.exists():
        make_rootfs(rootfs, (*APPLETS, "wget", "nc"))
    config.write_text(json.dumps({"Env": ["PATH=/bin"], "Cmd": command}))
    out = folder / (tag.replace("/", "_").replace(":", "-") + ".tar")
    subprocess.run([sys.executable, ARCHIVE, out, tag, config, rootfs], check=True)
    return out


# Answers /health well, and everything else with `status` after `seconds`.
SERVER = r"""read method path version
while read line; do case "$line" in ?|"") break;; esac; done
status="200 OK"
[ "$path" = /health ] || { status="STATUS"; sleep SECONDS; }
printf 'HTTP/1.1 %s\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhost bad\n' "$status"
"""


def server_command(status, seconds=0):
    """The command of an image whose port 8080 answers so."""
    script = SERVER.replace("STATUS", status).replace("SECONDS", str(seconds))
    return ["/bin/nc", "-ll", "-p", "8080", "-e", "/bin/sh", "-c", script]
