"""What both kinds of cluster have in common: looking at the service, and waiting for it."""
import time

from lib import engine_api

SERVICE = "hive-server"
SETTLE_S = 180


class Side:
    """A cluster that the series of events is carried out on. Subclasses have the operations.

    Each operation is a method named as in series.py; it returns when what was asked for is there,
    and raises RuntimeError when it is not.
    """
    name = port = None

    def managers(self):
        """Paths of the managers' engine sockets."""
        raise NotImplementedError

    def history(self):
        """What the cluster itself says of the series, as lines; "" where it keeps none."""
        return ""

    def service_name(self):
        return SERVICE

    def tasks(self):
        """The service's running tasks, oldest slot first: healthy ones, as Swarm counts."""
        found = engine_api.first_answer(self.managers(), "/tasks",
                                        {"service": [self.service_name()]})
        return sorted(engine_api.running(found), key=lambda task: (task["Slot"], task["ID"]))

    def healthy(self):
        return len(self.tasks())

    def nodes(self):
        """Node id -> host name."""
        return {node["ID"]: node["Description"]["Hostname"]
                for node in engine_api.first_answer(self.managers(), "/nodes")}

    def chosen_task(self, event):
        tasks = self.tasks()
        if not tasks:
            raise RuntimeError("no task runs")
        return tasks[int(event.choice * len(tasks))]

    def chosen_node(self, event):
        """The host name of a node that runs a task."""
        return self.nodes()[self.chosen_task(event)["NodeID"]]

    def settled(self, replicas, without_node=None, without_task=None):
        """Waits until that many replicas are healthy, and the node or task has none of it."""
        end = time.monotonic() + SETTLE_S
        while True:
            tasks, names = self.tasks(), self.nodes()
            left = [task["ID"] for task in tasks
                    if names.get(task["NodeID"]) == without_node or task["ID"] == without_task]
            if len(tasks) == replicas and not left:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"{len(tasks)} of {replicas} replicas after {SETTLE_S} s, "
                                   f"{len(left)} still where none should be")
            time.sleep(0.2)

    def kill(self, event):
        """Kills what the event names; a cluster that has no such thing does nothing."""
