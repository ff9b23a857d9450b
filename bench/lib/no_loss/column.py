"""One column of the bench: a cluster under load, the series of events on it, and the accounting."""
import json
import pathlib
import signal
import subprocess
import threading
import time

from lib import report
from lib.no_loss import account, cut

WARM_UP_S, COOL_DOWN_S = 3, 8
FAILURES = (RuntimeError, OSError, subprocess.TimeoutExpired)


class Sampler:
    """Healthy replicas, looked at twice a second."""

    def __init__(self, side):
        self._side, self._begin = side, time.monotonic()
        self.began_unix_s = time.time()
        self.samples, self.wanted = [], 3
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.wait(0.5):
            try:
                healthy = self._side.healthy()
            except (OSError, ValueError, RuntimeError):
                continue  # the manager that was asked is just going away
            self.samples.append((round(time.monotonic() - self._begin, 2), self.wanted, healthy))

    def finish(self):
        self._stop.set()
        self._thread.join(30)
        return self.samples


class Kept:
    """What is written while the column runs, so that one that is killed is of use too:
    NAME.csv, every request; NAME.events.jsonl, every event; and the counts by `tell`.
    """

    def __init__(self, directory, name, tell=None):
        self.answers = pathlib.Path(directory) / f"{name}.csv"
        self._events = pathlib.Path(directory) / f"{name}.events.jsonl"
        self._events.write_text("", encoding="utf-8")
        self._count, self._tell = account.Count(self.answers), tell

    def event(self, record, records):
        with open(self._events, "a", encoding="utf-8") as f:
            f.write(json.dumps(record) + "\n")
        if self._tell:
            self._tell({**self._count.read(), **account.event_figures(records)})


def perform(side, event, record):
    """Runs the event's operation, with its kill in the middle of it."""
    killer, missed = None, []

    def kill():
        try:
            side.kill(event)
        except FAILURES as error:
            missed.append(f" the kill missed: {error}")

    if event.kind != event.operation and event.kind.endswith("_kill"):
        killer = threading.Timer(event.kill_after_s, kill)
        killer.start()
    begin = time.monotonic()
    try:
        getattr(side, event.operation)(event)
    except FAILURES as error:
        record["error"] = str(error)[-600:]
    finally:
        if killer:
            killer.join()
    record["took_s"] = round(time.monotonic() - begin, 2)
    record["error"] += "".join(missed)
    if event.operation in ("drain", "terminate"):
        try:
            side.bring_back(event)
        except FAILURES as error:
            record["error"] += f" afterwards: {str(error)[-600:]}"


def run_events(side, events, sampler, records, kept):
    """Begins each event after the last one's rest; seconds are those of the sampler."""
    for event in events:
        sampler.wanted = min(sampler.wanted, event.replicas)
        record = {"number": event.number, "kind": event.kind, "operation": event.operation,
                  "began_unix_s": time.time(), "error": "", "took_s": None}
        record["at_s"] = round(record["began_unix_s"] - sampler.began_unix_s, 2)
        records.append(record)
        perform(side, event, record)
        sampler.wanted = event.replicas
        kept.event(record, records)
        report.note(f"{side.name}: {event.number + 1}/{len(events)} {event.kind} "
                    f"({event.operation}) {record['took_s']:.1f} s {record['error']}")
        time.sleep(event.rest_s)


def time_idle(side, events):
    """Seconds of each kind of operation while nobody asks for anything: nothing to be waited for."""
    records = []
    for event in events:
        records.append({"kind": event.kind, "operation": event.operation, "error": ""})
        perform(side, event, records[-1])
        report.note(f"{side.name}: idle {event.operation} {records[-1]['took_s']:.1f} s "
                    f"{records[-1]['error']}")
    return account.median_durations(records)


def start_load(side, load, answers):
    # A session of its own: a signal to the bench's group is not one to its load.
    return subprocess.Popen(
        [str(report.BIN / "load_generator"), "--to", f"127.0.0.1:{side.port}", "--rate",
         str(load["rate"]), "--seed", str(load["seed"]), "--mix", load["mix"], "--id-prefix",
         f"{side.name}-{load['seed']}", "--out", str(answers)],
        stdout=subprocess.PIPE, text=True, start_new_session=True)


def under_load(side, events, sampler, records, kept, load):
    begun = time.monotonic()
    time.sleep(WARM_UP_S)
    run_events(side, events, sampler, records, kept)
    left_s = load.get("requests", 0) / load["rate"] - (time.monotonic() - begun)
    time.sleep(max(COOL_DOWN_S, left_s))


def run(side, events, load, directory, idle=(), watch=None, tell=None):
    """{"figures", "lost", "samples", "events"} of one side. `load`: rate, seed, mix, and the least
    number of requests; `idle`: operations that are timed before it begins. Cut short, the figures
    are of what was done, with "cut": true.
    """
    watch = watch or cut.Watch()
    kept = Kept(directory, side.name, tell)
    generator = sampler = None
    records, samples, stored, idle_s, was_cut = [], [], set(), {}, False
    try:
        try:
            with watch.interruptible():
                side.up()
                idle_s = time_idle(side, idle)
                generator = start_load(side, load, kept.answers)
                sampler = Sampler(side)
                under_load(side, events, sampler, records, kept, load)
        except cut.Cut:
            was_cut = True
        if generator is not None:
            generator.send_signal(signal.SIGTERM)
            generator.communicate(timeout=120)
            samples = sampler.finish() if sampler else []
            stored = side.stored_ids()
            (pathlib.Path(directory) / f"{side.name}.history.txt").write_text(side.history(),
                                                                              encoding="utf-8")
    finally:
        if generator is not None and generator.poll() is None:
            generator.kill()
            generator.wait()
        side.down()
    rows = account.answers(kept.answers) if generator is not None else []
    figures, lost = account.account(rows, stored, records, samples)
    if idle_s:
        figures["idle_operation_s"] = idle_s
    if was_cut:
        figures["cut"] = True
    return {"figures": figures, "lost": lost, "samples": samples, "events": records}
