"""Every id is looked for among the answers and among the stored log lines."""
import csv
import pathlib
import re
import statistics
import time

ID = re.compile(r"\bid=([A-Za-z0-9_.-]+)")


def answers(csv_path):
    """Rows of the load generator: id, kind, due_unix_us, latency_us, status, bytes, error."""
    with open(csv_path, newline="", encoding="utf-8") as f:
        names = ("id", "kind", "due_unix_us", "latency_us", "status", "bytes", "error")
        return [dict(zip(names, row)) for row in csv.reader(f)]


def ids_in(lines):
    return {match.group(1) for line in lines for match in ID.finditer(line)}


def ids_below(folder):
    """Of the files in it. What tasks that run on have written lately is stored a moment later: nothing new
    must come for two seconds, for thirty at most."""
    found, still, until = set(), 0, time.monotonic() + 30
    while still < 2 and time.monotonic() < until:
        before = len(found)
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                with open(path, encoding="utf-8", errors="replace") as f:
                    found |= ids_in(f)
        still = still + 1 if len(found) == before else 0
        time.sleep(1)
    return found


def quantile(sorted_values, q):
    return sorted_values[int(q * (len(sorted_values) - 1))] if sorted_values else 0


class Count:
    """Requests and failures in a file of answers that is still being written."""

    def __init__(self, csv_path):
        self._path, self._at, self._requests, self._failed = csv_path, 0, 0, 0

    def read(self):
        with open(self._path, "rb") as f:
            f.seek(self._at)
            whole, newline, _ = f.read().rpartition(b"\n")
        lines = whole.split(b"\n") if newline else []
        self._at += len(whole) + len(newline)
        self._requests += len(lines)
        self._failed += sum(1 for line in lines if not line.rstrip(b"\r").endswith(b","))
        return {"requests": self._requests, "failed": self._failed}


def event_figures(events):
    done = [event for event in events if event["took_s"] is not None]
    return {"events": len(done),
            "operations_failed": sum(1 for event in done if event["error"]),
            "operation_s": median_durations(done)}


def short_of(samples):
    """How long, in seconds, and by how many at most fewer replicas were healthy than wanted."""
    seconds = most = 0
    for (begin, wanted, healthy), (end, _, _) in zip(samples, samples[1:]):
        if healthy < wanted:
            seconds, most = seconds + end - begin, max(most, wanted - healthy)
    return {"short_s": round(seconds, 1), "short_by": most}


def account(rows, stored_ids, events, samples=()):
    """The column's figures, and what was lost with the events around it.

    A line is due for each request that was answered well: the application logs before it answers.
    """
    failed = [row for row in rows if row["error"]]
    missing = [row for row in rows if not row["error"] and row["id"] not in stored_ids]
    latencies = sorted(int(row["latency_us"]) / 1000 for row in rows if not row["error"])
    sent = {row["id"] for row in rows}
    figures = {
        "requests": len(rows), "failed": len(failed), "lines": len(sent & stored_ids),
        "lines_missing": len(missing), **event_figures(events), **short_of(samples),
        "p50_ms": round(quantile(latencies, 0.5), 2), "p99_ms": round(quantile(latencies, 0.99), 2),
        "max_ms": round(quantile(latencies, 1), 2)}
    lost = [{"what": "request", **row, "during": around(row, events)} for row in failed]
    lost += [{"what": "line", **row, "during": around(row, events)} for row in missing]
    return figures, lost


def median_durations(events):
    """Of each operation that was not struck by a kill and did not fail."""
    took = {}
    for event in events:
        if not event["error"] and event["kind"] == event["operation"]:
            took.setdefault(event["operation"], []).append(event["took_s"])
    return {kind: round(statistics.median(values), 2) for kind, values in took.items()}


def around(row, events):
    """The newest event that had begun before the request was over."""
    end = (int(row["due_unix_us"]) + int(row["latency_us"])) / 1e6
    begun = [event for event in events if event["began_unix_s"] <= end]
    if not begun:
        return "before the first event"
    event = begun[-1]
    return (f"event {event['number']} {event['kind']} ({event['operation']}), "
            f"{int(row['due_unix_us']) / 1e6 - event['began_unix_s']:+.1f} s from its beginning")
