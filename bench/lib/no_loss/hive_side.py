"""The series on hive: its own commands, its own balancer, its own log collection."""
import os
import pathlib
import re
import signal
import subprocess

from lib.cluster import HiveCluster
from lib.no_loss import account
from lib.no_loss.side import SERVICE, Side


class HiveSide(Side):
    name = "hive"

    def __init__(self, port):
        self.port = port
        self.cluster = HiveCluster("noloss", port, port + 1)

    def up(self):
        self.cluster.up()
        self.instances = self.cluster.json("instance", "ls")

    def down(self):
        self.cluster.down()
        self.cluster.close()

    def stored_ids(self):
        # The collectors' destination, which the local cloud's instances share.
        return account.ids_below(self.cluster.dir / "lib" / self.cluster.name / "logs")

    def history(self):
        """Each controller's own, with the manager's socket before it."""
        text = []
        for socket in self.managers():
            try:
                said = self.cluster.run("--host", f"unix://{socket}", "events", "--since", "24h",
                                        timeout=60).stdout
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                said = f"{error}\n"
            text.append(f"--- {socket}\n{said}")
        return "".join(text)

    def managers(self):
        return [instance["engine_host"].removeprefix("unix://") for instance in self.instances
                if instance["role"] == "manager"]

    def service_name(self):
        return f"{self.cluster.name}_{SERVICE}"

    def _hive(self, *args):
        return self.cluster.hive(*args)

    # --- the operations

    def scale_in(self, event):
        self._hive("service", "scale", f"{SERVICE}={event.replicas}")

    scale_out = scale_in

    def update(self, event, *options):
        self._hive("service", "update", *options, "--image",
                   f"registry.hive:5001/hive-tomcat:{event.version}", SERVICE)

    def canary(self, event):
        self.update(event, "--canary", "5s")

    def rollback(self, event):
        self._hive("service", "rollback", SERVICE)

    def drain(self, event):
        self.drained = self.chosen_node(event)
        self._hive("node", "drain", self.drained)
        self.settled(event.replicas, without_node=self.drained)

    def terminate(self, event):
        workers = sorted((i for i in self.instances if i["role"] == "worker"),
                         key=lambda instance: instance["hostname"])
        ended = workers[int(event.choice * len(workers))]
        self._hive("instance", "terminate", ended["id"])
        self.settled(event.replicas, without_node=ended["hostname"])

    def bring_back(self, event):
        if event.operation == "drain":
            self._hive("node", "activate", self.drained)
            return
        # Launches what the file asks for and is not there; replicas and image are the file's too.
        text = self.cluster.file.read_text(encoding="utf-8")
        self.cluster.file.write_text(re.sub(r"replicas: \d+", f"replicas: {event.replicas}", text),
                                     encoding="utf-8")
        self.cluster.env["HIVE_TOMCAT_VERSION"] = event.version
        self.cluster.up()
        self.instances = self.cluster.json("instance", "ls")

    def task_stop(self, event):
        task = self.chosen_task(event)
        self._hive("task", "stop", task["ID"])
        self.settled(event.replicas, without_task=task["ID"])

    # --- kills

    def kill(self, event):
        if event.kind == "controller_kill":
            leader = next(node for node in self.cluster.json("node", "ls") if node["leader"])
            self._kill_daemon(leader["hostname"], b"controller")
        else:
            self._kill_daemon(self.chosen_node(event), b"agent")

    def _kill_daemon(self, hostname, verb):
        """kill -9 of `hive agent` or `hive controller` in that instance; its init restarts it."""
        instance = next(i for i in self.instances if i["hostname"] == hostname)
        mark = f"HIVE_INSTANCE={instance['id']}".encode()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().split(b"\0")
                if (len(words) > 1 and words[0].endswith(b"/hive") and words[1] == verb
                        and mark in (path / "environ").read_bytes().split(b"\0")):
                    os.kill(int(path.name), signal.SIGKILL)
                    return
            except OSError:
                continue  # it has just ended
        raise RuntimeError(f"no {verb.decode()} runs on {hostname}")
