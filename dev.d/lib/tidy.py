"""clang-tidy over sources, several at a time: tidy.py BUILD_DIR JOBS FILE...

What was clean is remembered (BUILD_DIR/tidy), by everything that the result depends on: the
preprocessed source with its comments, the checks, the tool. Prints each file's findings, then a
summary; exit code 1 if there was any.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys

TOOL = "clang-tidy-14"


def preprocess_command(entry):
    """The compiler's own command line, without its cache, up to the preprocessed text."""
    words = shlex.split(entry["command"])
    if pathlib.Path(words[0]).name == "ccache":
        words = words[1:]
    out = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "-o":
            skip = True
        elif word != "-c":
            out.append(word)
    return [*out, "-E", "-C"]


def fingerprint(entry, checks):
    text = subprocess.run(preprocess_command(entry), cwd=entry["directory"], check=True,
                          capture_output=True).stdout
    return hashlib.sha256(checks + text).hexdigest()


def examine(build, entry, checks):
    """The findings, as text: empty for a clean file."""
    try:
        known = build / "tidy" / fingerprint(entry, checks)
    except subprocess.CalledProcessError as error:
        return error.stderr.decode(errors="replace")
    if known.exists():
        return ""
    run = subprocess.run([TOOL, "-p", str(build), "--quiet", entry["file"]], capture_output=True,
                         text=True)
    if run.returncode == 0 and not run.stdout.strip():
        known.touch()
        return ""
    return run.stdout or run.stderr


def main():
    build, jobs, files = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    (build / "tidy").mkdir(exist_ok=True)
    commands = {entry["file"]: entry
                for entry in json.loads((build / "compile_commands.json").read_text())}
    version = subprocess.run([TOOL, "--version"], check=True, capture_output=True).stdout
    checks = version + pathlib.Path(".clang-tidy").read_bytes()
    entries = {file: commands.get(str(pathlib.Path(file).resolve())) for file in files}
    found = [file for file, entry in entries.items() if entry is None]
    for file in found:
        print(f"{file}: is not compiled by any target")
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        tasks = {pool.submit(examine, build, entry, checks): file
                 for file, entry in entries.items() if entry is not None}
        for task in concurrent.futures.as_completed(tasks):
            if task.result():
                found.append(tasks[task])
                print(task.result(), flush=True)
    for file in sorted(found):
        print(f"not clean: {file}")
    print(f"clang-tidy: {len(files) - len(found)} of {len(files)} files clean")
    sys.exit(1 if found else 0)


main()
