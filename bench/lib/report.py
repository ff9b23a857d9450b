"""What every bench does in the same way: options, the machine's description, table, JSON file."""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "build/release/bin"
HIVE = os.environ.get("HIVE_BIN", str(BIN / "hive"))


def parser(docstring):
    out = argparse.ArgumentParser(description=docstring.splitlines()[0],
                                  formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    out.add_argument("--json", metavar="FILE", help="write the figures there too")
    return out


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")),
                   platform.machine())
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory_kb = int(next(line.split()[1] for line in f if line.startswith("MemTotal")))
    docker = subprocess.run(["/usr/sbin/dockerd", "--version"], capture_output=True, text=True)
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory_kb / 2**20, 1),
            "kernel": platform.release(), "engine": docker.stdout.strip(),
            "load_before": round(os.getloadavg()[0], 2)}


def spread(values):
    return {"median": round(statistics.median(values), 3), "min": round(min(values), 3),
            "max": round(max(values), 3)}


def table(rows, header):
    rows = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def finish(figures, args, description):
    """Prints where and how, and writes the JSON file when one was asked for."""
    figures = {**figures, "machine": description,
               "command": "./dev bench " + " ".join(
                   [pathlib.Path(sys.argv[0]).stem.replace("_", "-"), *sys.argv[1:]])}
    print(f"\n{description['cpu']}, {description['cores']} cores, {description['memory_gib']} GiB, "
          f"Linux {description['kernel']}, load before {description['load_before']}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        print(f"figures written to {args.json}")


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)
