"""No request and no log line is lost through every kind of event: the short run of
`./dev bench no-loss`, hive's column alone. HIVE_NO_LOSS_SEED=N draws another series.
"""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
from lib.no_loss import account, column, series, tail  # noqa: E402
from lib.no_loss.hive_side import HiveSide  # noqa: E402

SEED = int(os.environ.get("HIVE_NO_LOSS_SEED", "1"))
EVENTS = len(series.KINDS)
LOAD = {"rate": 20, "seed": SEED, "mix": "get:45,keepalive:30,post:15,slow:7,download:3"}
PORT = 18200


def test_the_series_has_every_kind_and_its_bounds():
    for seed in range(200):
        events = series.draw(seed, EVENTS + 20)
        assert {event.kind for event in events[:EVENTS]} == set(series.KINDS)
        assert all(series.FEWEST <= event.replicas <= series.MOST for event in events)
        assert events == series.draw(seed, EVENTS + 20)
        assert all(event.operation in series.KINDS for event in events)
    assert series.draw(1, 50) != series.draw(2, 50)


def answer(number, error="", due=1_000_000_000):
    return {"id": f"r-{number}", "kind": "get", "due_unix_us": str(due), "latency_us": "2000",
            "status": "200", "bytes": "1", "error": error}


def test_the_accounting_finds_what_is_lost():
    events = [{"number": 0, "kind": "drain", "operation": "drain", "began_unix_s": 999.5,
               "took_s": 3, "error": ""}]
    rows = [answer(1), answer(2, "status 503"), answer(3)]
    figures, lost = account.account(rows, {"r-1", "r-2", "other"}, events)
    assert (figures["requests"], figures["failed"]) == (3, 1)
    assert (figures["lines"], figures["lines_missing"]) == (2, 1)
    assert figures["operation_s"] == {"drain": 3}
    assert [(one["what"], one["id"]) for one in lost] == [("request", "r-2"), ("line", "r-3")]
    assert all("event 0 drain" in one["during"] and "+0.5 s" in one["during"] for one in lost)


def test_ids_are_found_in_log_lines_of_any_shape():
    lines = ['2026-11-24T10:00:00Z GET / id=r-0000001', '{"log":"GET / id=r-2\\n"}', "id=-", "none"]
    assert {"r-0000001"} <= account.ids_in(lines)
    assert "r-2\\n\"}" not in account.ids_in(lines) and "r-2" in account.ids_in(lines)


def test_tails_read_what_a_removed_file_still_held(tmp_path):
    file = tmp_path / "a.log"
    file.write_text("one\n")
    tails = tail.Tails(lambda: [str(file)], scan_s=0, linger_s=60)
    tails._scan()
    with open(file, "a", encoding="utf-8") as f:
        f.write("two\nhalf")
        f.flush()
        file.unlink()
        f.write(" done\n")
    tails._read_all()
    assert tails.lines == ["one", "two", "half done"]


def test_nothing_is_lost(tmp_path):
    result = column.run(HiveSide(PORT), series.draw(SEED, EVENTS), LOAD, tmp_path)
    figures = result["figures"]
    failed = [f"{event['kind']} ({event['operation']}): {event['error']}"
              for event in result["events"] if event["error"]]
    lost = [f"{one['what']} {one['id']} ({one['kind']}) {one['error']}: {one['during']}"
            for one in result["lost"]]
    say = f"HIVE_NO_LOSS_SEED={SEED}: {figures}\n" + "\n".join(failed + lost[:50])
    assert figures["requests"] > 500, say
    assert failed == [], say
    assert lost == [], say
