"""Rules of the house that a machine can hold, over every tracked text file."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
HERE = "tests/house_rules_test.py"

TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
SHARED = re.compile(r"\.\./shared\b|/work/(main|wt|shared)\b")
# Packages come from what the machine is configured with: no registry is named.
REGISTRY_HOST = re.compile(
    r"\b(deb\.debian\.org|security\.debian\.org|registry\.npmjs\.org|pypi\.org|"
    r"registry\.yarnpkg\.com|ghcr\.io|quay\.io|gcr\.io)\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")
CXX_FORBIDDEN = [
    (re.compile(r"#\s*include\s*<(format|source_location|coroutine|ranges)>"), "not on our compilers"),
    (re.compile(r"\bstd::(views|ranges::views|source_location|format)\b"), "not on our compilers"),
    (re.compile(r"\bco_(await|return|yield)\b"), "g++ 12 destroys temporaries twice"),
]


def tracked():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        path = ROOT / name
        if name == HERE or not path.is_file():
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def offences(text, name):
    """(line number, why) of each broken rule."""
    lock = name.endswith("package-lock.json")
    unit_test = name.startswith("src/") and name.endswith("_test.cc")
    unit_test = unit_test and "/testing/" not in name  # contracts that real parts answer too
    cxx = name.endswith((".cc", ".h"))
    for number, line in enumerate(text.splitlines(), 1):
        if TODO.search(line):
            yield number, "a TODO names its issue: TODO(#12)"
        if SHARED.search(line):
            yield number, "refers to a place outside the repository"
        if REGISTRY_HOST.search(line):
            yield number, "names a registry's host" + (" (omit resolved URLs)" if lock else "")
        if unit_test and SLEEP.search(line):
            yield number, "unit tests do not sleep: hand in a clock"
        if cxx:
            for pattern, why in CXX_FORBIDDEN:
                if pattern.search(line):
                    yield number, why


def test_house_rules():
    found = [f"{name}:{number}: {why}" for name, text in tracked()
             for number, why in offences(text, name)]
    assert found == []


def test_the_rules_bite():
    bad = {"src/a.cc": "// TODO later", "doc.md": "see ../shared/x", "a/package-lock.json":
           "https://registry.npmjs.org/x", "src/b_test.cc": "sleep_for(1s)",
           "src/c.h": "#include <format>"}
    for name, text in bad.items():
        assert len(list(offences(text, name))) == 1, name
    assert list(offences("// TODO(#7): later", "src/a.cc")) == []
