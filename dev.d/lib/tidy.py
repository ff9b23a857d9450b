"""clang-tidy over sources, several at a time: tidy.py BUILD_DIR JOBS FILE...

What was clean is remembered (BUILD_DIR/tidy), by everything that the result depends on: the
preprocessed source with its comments, the checks, the tool. Prints each file's findings, then a
summary; exit code 1 if there was any.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TOOL = "clang-tidy-14"
BATCH = 20


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


def tidy(build, file, *options):
    """The findings in this source and in hive's own files that it includes: empty if clean."""
    run = subprocess.run([TOOL, "-p", str(build), "--quiet", *options, file], capture_output=True,
                         text=True)
    return "" if run.returncode == 0 and not run.stdout.strip() else run.stdout or run.stderr


class Source:
    """A source that is to be examined, with its place among the clean ones."""

    def __init__(self, build, file, entry, checks):
        self.file, self.entry = file, entry
        self.known = build / "tidy" / fingerprint(entry, checks)

    def target(self):
        return re.search(r"\S*/CMakeFiles/[^/]+\.dir/", self.entry["command"])[0]

    def flags(self):
        """What else than itself it is compiled with: sources with the same go together."""
        words = preprocess_command(self.entry)
        return [word for word in words if word not in ("-E", "-C", self.entry["file"])]


def batches(sources):
    """Most of the work is in the headers: so some sources of a target are read as one; no two of them
    give one name to two things (cmake/HiveBatches.cmake)."""
    targets = {}
    for source in sources:
        targets.setdefault((source.target(), tuple(source.flags())), []).append(source)
    for group in targets.values():
        turns = -(-len(group) // BATCH)
        yield from (group[turn::turns] for turn in range(turns))


def examine(build, batch):
    """The findings as [(source, text)]. What a batch's findings name is examined by itself: what is told
    is true of the source alone."""
    suspects = batch if len(batch) == 1 else suspects_of(batch, batch_findings(build, batch))
    findings = [(source, tidy(build, source.file) if source in suspects else "") for source in batch]
    for source, text in findings:
        if not text:
            source.known.touch()
    return findings


def suspects_of(batch, text):
    """All of them where a header is named, or nothing could be read, as where a batch does not compile."""
    named = set(re.findall(r"^(/[^:\n]+):\d+:\d+: (?:warning|error)", text, re.MULTILINE))
    ours = {source.entry["file"] for source in batch}
    if text and (not named or named - ours or "clang-diagnostic-error" in text):
        return batch
    return [source for source in batch if source.entry["file"] in named]


def batch_findings(build, batch):
    with tempfile.TemporaryDirectory() as folder:
        whole = pathlib.Path(folder) / "batch.cc"
        whole.write_text("".join(f'#include "{source.entry["file"]}"\n' for source in batch))
        command = shlex.join([*batch[0].flags(), "-c", str(whole)])
        (pathlib.Path(folder) / "compile_commands.json").write_text(json.dumps(
            [{"directory": batch[0].entry["directory"], "command": command, "file": str(whole)}]))
        # What a batch is made of is no finding.
        return tidy(folder, str(whole), "--config-file", ".clang-tidy",
                    "--checks=-bugprone-suspicious-include")


def unknown(build, file, entry, checks):
    """The source, or None if it is known to be clean."""
    source = Source(build, file, entry, checks)
    return None if source.known.exists() else source


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
        looks = [pool.submit(unknown, build, file, entry, checks)
                 for file, entry in entries.items() if entry is not None]
        sources = [source for source in (look.result() for look in looks) if source is not None]
        print(f"clang-tidy: {len(files) - len(sources) - len(found)} of {len(files)} files are known "
              "to be clean", flush=True)
        tasks = [pool.submit(examine, build, batch) for batch in batches(sources)]
        for task in concurrent.futures.as_completed(tasks):
            for source, text in task.result():
                if text:
                    found.append(source.file)
                    print(text, flush=True)
    for file in sorted(found):
        print(f"not clean: {file}")
    print(f"clang-tidy: {len(files) - len(found)} of {len(files)} files clean")
    sys.exit(1 if found else 0)


main()
