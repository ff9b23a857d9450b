#!/usr/bin/python3
"""cloud-init inside a machine, as far as user data of tests and of hive needs it. Runs at each boot as
a child of the machine's first process; its output is the machine's boot log.

Known are bootcmd (each boot) and, at the first boot, write_files, runcmd, packages with its switches
(said, not installed: the machine has what the harness's machine has), hostname, preserve_hostname,
final_message and power_state (poweroff). As cloud-init does it, commands of a list become one shell script, of which a failing line
does not stop the next. Anything else is an error by name."""
import base64
import gzip
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import yaml

METADATA = "http://169.254.169.254/latest/"
HOME = pathlib.Path("/var/lib/cloud")
RESULT = pathlib.Path("/run/cloud-init/harness.json")
KNOWN = {"bootcmd", "write_files", "runcmd", "packages", "package_update", "package_upgrade",
         "package_reboot_if_required", "hostname", "preserve_hostname", "final_message", "power_state"}
ENCODINGS = {"": (), "text/plain": (), "b64": ("b64",), "base64": ("b64",), "gz": ("gz",),
             "gzip": ("gz",), "gz+b64": ("b64", "gz"), "gz+base64": ("b64", "gz"),
             "gzip+b64": ("b64", "gz"), "gzip+base64": ("b64", "gz")}


def say(text):
    print(f"cloud-init: {text}", flush=True)


def ask(path, method="GET", **headers):
    request = urllib.request.Request(METADATA + path, method=method,
                                     headers={key.replace("_", "-"): value
                                              for key, value in headers.items()})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def fetch(path):
    """What the metadata service says, or None where it has nothing."""
    for attempt in range(120):
        try:
            token = ask("api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="300").decode()
            return ask(path, X_aws_ec2_metadata_token=token)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        except OSError:
            time.sleep(0.5)
    raise SystemExit("cloud-init: the metadata service does not answer")


def shellify(commands):
    """The script that cloud-init makes of a list of commands."""
    lines = ["#!/bin/sh"]
    for one in commands:
        if isinstance(one, list):
            lines.append(" ".join(shlex.quote(str(word)) for word in one))
        elif isinstance(one, str):
            lines.append(one)
        else:
            raise ValueError(f"a command is text or a list, not {one!r}")
    return "\n".join(lines) + "\n"


def run_script(name, commands, **environment):
    path = HOME / "scripts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shellify(commands))
    path.chmod(0o700)
    done = subprocess.run([path], env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise ValueError(f"{name} ended with {done.returncode}")


def write_file(entry):
    unknown = entry.keys() - {"path", "content", "encoding", "owner", "permissions", "append", "defer"}
    if unknown:
        raise ValueError(f"write_files does not know {sorted(unknown)}")
    data = entry.get("content", "")
    data = data if isinstance(data, bytes) else str(data).encode()
    for step in ENCODINGS[str(entry.get("encoding", "")).lower()]:
        data = base64.b64decode(data) if step == "b64" else gzip.decompress(data)
    path = pathlib.Path(entry["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab" if entry.get("append") else "wb") as file:
        file.write(data)
    mode = entry.get("permissions", 0o644)
    path.chmod(int(mode, 8) if isinstance(mode, str) else mode)
    if "owner" in entry:
        import shutil
        user, _, group = entry["owner"].partition(":")
        shutil.chown(path, user, group or None)


def run(text, instance):
    """The faults, as texts."""
    if not text:
        return []
    if text.startswith("#!"):
        return once(instance, [("user script", lambda: script(text))])
    if text.split("\n", 1)[0].strip() != "#cloud-config":
        return ["user data begins neither with #! nor with #cloud-config"]
    config = yaml.safe_load(text) or {}
    faults = [f"the key {key} is not known here" for key in sorted(config.keys() - KNOWN)]
    if config.get("bootcmd"):
        faults += tried("bootcmd", lambda: run_script("bootcmd", config["bootcmd"], INSTANCE_ID=instance))
    files = config.get("write_files") or []
    steps = [(f"write_files {entry.get('path')}", lambda entry=entry: write_file(entry))
             for entry in sorted(files, key=lambda entry: bool(entry.get("defer")))]
    if config.get("hostname") and not config.get("preserve_hostname"):
        steps.append(("hostname", lambda: subprocess.run(["hostname", config["hostname"]], check=True)))
    if config.get("packages"):
        steps.append(("packages", lambda: say(f"packages are not installed: {config['packages']}")))
    if config.get("runcmd"):
        steps.append(("runcmd", lambda: run_script("runcmd", config["runcmd"])))
    return faults + once(instance, steps)


def power_off(wanted):
    """After all else, where the condition holds: a truth value, a command's text, or its words."""
    if not wanted:
        return
    if wanted.get("mode") != "poweroff":
        raise ValueError(f"power_state {wanted} is not known here")
    condition = wanted.get("condition", True)
    if not isinstance(condition, bool):
        condition = subprocess.run(condition, shell=isinstance(condition, str)).returncode == 0
    if condition:
        os.kill(1, signal.SIGTERM)


def script(text):
    path = HOME / "scripts" / "user-data"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o700)
    subprocess.run([path], check=True, stdin=subprocess.DEVNULL)


def tried(name, step):
    try:
        step()
        return []
    except (OSError, ValueError, KeyError, LookupError, subprocess.CalledProcessError) as error:
        say(f"{name}: {error!r}")
        return [f"{name}: {error!r}"]


def once(instance, steps):
    """Each step once an instance. It is marked before, so that one that was cut short is not run again."""
    faults, marks = [], HOME / "instances" / instance / "sem"
    marks.mkdir(parents=True, exist_ok=True)
    for number, (name, step) in enumerate(steps):
        mark = marks / str(number)
        if not mark.exists():
            mark.touch()
            faults += tried(name, step)
    return faults


def name_registry():
    """In place of a name server: the machine's first process writes its hosts anew at each boot."""
    with open("/etc/hosts", "a", encoding="utf-8") as hosts:
        hosts.write(os.environ.get("HARNESS_HOSTS", "") + "\n")


def main():
    name_registry()
    HOME.mkdir(parents=True, exist_ok=True)
    instance = (fetch("meta-data/instance-id") or b"?").decode()
    data = fetch("user-data") or b""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    first = not (HOME / "instances" / instance).exists()
    faults = run(data.decode(), instance)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"v1": {"datasource": "DataSourceEc2Local", "errors": faults}}))
    say("done, with faults" if faults else "done")
    if first and data.startswith(b"#cloud-config"):
        power_off(yaml.safe_load(data).get("power_state"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
