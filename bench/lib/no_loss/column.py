"""One column of the bench: a cluster under load, the series of events on it, and the accounting."""
import pathlib
import signal
import subprocess
import threading
import time

from lib import report
from lib.no_loss import account

WARM_UP_S, COOL_DOWN_S = 3, 8


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


def perform(side, event):
    """Runs the event's operation, with its kill in the middle of it."""
    record = {"number": event.number, "kind": event.kind, "operation": event.operation,
              "began_unix_s": time.time(), "error": ""}
    killer = None
    if event.kind != event.operation and event.kind.endswith("_kill"):
        killer = threading.Timer(event.kill_after_s, side.kill, [event])
        killer.start()
    begin = time.monotonic()
    try:
        getattr(side, event.operation)(event)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        record["error"] = str(error)[-600:]
    record["took_s"] = round(time.monotonic() - begin, 2)
    if killer:
        killer.join()
    if event.operation in ("drain", "terminate"):
        try:
            side.bring_back(event)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            record["error"] += f" afterwards: {str(error)[-600:]}"
    return record


def run_events(side, events, sampler):
    """Begins each event after the last one's rest; seconds are those of the sampler."""
    records = []
    for event in events:
        sampler.wanted = min(sampler.wanted, event.replicas)
        record = perform(side, event)
        sampler.wanted = event.replicas
        record["at_s"] = round(record["began_unix_s"] - sampler.began_unix_s, 2)
        report.note(f"{side.name}: {event.number + 1}/{len(events)} {event.kind} "
                    f"({event.operation}) {record['took_s']:.1f} s {record['error']}")
        records.append(record)
        time.sleep(event.rest_s)
    return records


def run(side, events, load, work):
    """{"figures", "lost", "samples", "events"} of one side. `load`: rate, seed, mix."""
    results = pathlib.Path(work) / f"{side.name}.csv"
    generator = None
    side.up()
    try:
        generator = subprocess.Popen(
            [str(report.BIN / "load_generator"), "--to", f"127.0.0.1:{side.port}", "--rate",
             str(load["rate"]), "--seed", str(load["seed"]), "--mix", load["mix"], "--id-prefix",
             f"{side.name}-{load['seed']}", "--out", str(results)],
            stdout=subprocess.PIPE, text=True)
        sampler = Sampler(side)
        time.sleep(WARM_UP_S)
        records = run_events(side, events, sampler)
        time.sleep(COOL_DOWN_S)
        generator.send_signal(signal.SIGTERM)
        generator.communicate(timeout=120)
        samples = sampler.finish()
        stored = side.stored_ids()
    finally:
        if generator is not None and generator.poll() is None:
            generator.kill()
            generator.wait()
        side.down()
    figures, lost = account.account(account.answers(results), stored, records)
    return {"figures": figures, "lost": lost, "samples": samples, "events": records}
