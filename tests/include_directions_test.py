"""Rooms include only what their CMakeLists.txt names, and the architecture's rules hold."""
import pathlib
import re

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
ROOM_CALL = re.compile(r"hive_room\(([^)]*)\)", re.S)
KEYWORDS = {"NAME", "SOURCES", "TESTS", "DEPS", "LIBS", "LABELS", "TEST_DEPS"}

# What only adapters may touch: sockets, files, processes, outside libraries.
PURE = {"decide", "model"}
PURE_MAY_INCLUDE = PURE | {"base"}
# Headers of the operating system, libraries aside; std headers have neither dot nor slash.
STD_HEADER = re.compile(r"^[a-z_0-9]+$|^(std(def|int|lib)|string|assert|math|limits|errno)\.h$")
STD_OF_THE_OUTSIDE = {"filesystem", "fstream", "thread", "iostream", "mutex", "condition_variable",
                      "future", "atomic"}


def parse_rooms(text):
    """The hive_room(...) calls of a CMakeLists.txt: {name: {keyword: [values]}}."""
    rooms = {}
    text = re.sub(r"#.*", "", text)
    variables = re.findall(r"(?:set|list|foreach)\((?:APPEND )?(\w+)\s+([^)]*)\)", text)
    for name, values in variables * 2:  # a variable's values may name another
        text = text.replace("${" + name + "}", values + " ${" + name + "}")
    for call in ROOM_CALL.findall(text):
        fields, key = {}, None
        for word in call.split():
            if word in KEYWORDS:
                key = word
                fields.setdefault(key, [])
            elif key:
                fields[key].append(word)
        rooms[fields["NAME"][0]] = fields
    return rooms


def read_rooms(src):
    rooms = {}
    for cmake in src.rglob("CMakeLists.txt"):
        for name, fields in parse_rooms(cmake.read_text()).items():
            rooms[name] = {"dir": cmake.parent, **fields}
    return rooms


def owner(path, rooms):
    """The room whose folder is the nearest above the path; of several in one folder, the one that
    names the file among its sources."""
    best, best_rank = None, None
    for name, room in rooms.items():
        if not path.is_relative_to(room["dir"]):
            continue
        names = {pathlib.PurePath(source).stem for key in ("SOURCES", "TESTS")
                 for source in room.get(key, [])}
        rank = (len(room["dir"].parts), path.stem in names)
        if best is None or rank > best_rank:
            best, best_rank = name, rank
    return best


def is_for_tests(path):
    """What tests of a room share, and rooms that are for tests altogether."""
    return "testing" in path.parts[:-1]


def closure(name, rooms):
    seen, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current in seen or current not in rooms:
            continue
        seen.add(current)
        todo += rooms[current].get("DEPS", [])
    return seen


def violations(src):
    rooms = read_rooms(src)
    found = []
    for file in sorted([*src.rglob("*.cc"), *src.rglob("*.h")]):
        room = owner(file, rooms)
        here = file.relative_to(src)
        top = here.parts[0]
        is_test = file.name.endswith("_test.cc") or is_for_tests(here)
        for kind, header in INCLUDE.findall(file.read_text()):
            if top in PURE and not is_test:
                if kind == "<" and (not STD_HEADER.match(header) or header in STD_OF_THE_OUTSIDE):
                    found.append(f"{here}: <{header}>: {top} includes nothing but base and std")
                if kind == '"' and header.split("/")[0] not in PURE_MAY_INCLUDE:
                    found.append(f'{here}: "{header}": {top} includes nothing but base and std')
            if kind == "<":
                continue
            target = src / header
            if not target.exists():
                if (file.parent / header).exists() or "/" not in header:
                    found.append(f'{here}: "{header}": write includes as "room/file.h"')
                continue
            target_room = owner(target, rooms)
            if not is_test and target_room == room and is_for_tests(pathlib.PurePath(header)):
                found.append(f'{here}: "{header}": only tests include what is for tests')
            if room is None or target_room is None or target_room == room:
                continue
            allowed = closure(room, rooms)
            if is_test:
                for dep in rooms[room].get("TEST_DEPS", []):
                    allowed |= closure(dep, rooms)
            if target_room not in allowed:
                found.append(f'{here}: "{header}": {room} does not name {target_room} in its DEPS')
    return found


def cycles(rooms):
    return [name for name, room in rooms.items()
            if any(name in closure(dep, rooms) for dep in room.get("DEPS", []))]


def test_every_include_goes_in_an_allowed_direction():
    assert violations(SRC) == []


def test_rooms_have_no_cycles():
    assert cycles(read_rooms(SRC)) == []


def test_the_check_bites(tmp_path):
    for name, cmake in {"base": "hive_room(NAME base)", "os": "hive_room(NAME os\n  DEPS base)",
                        "model": "hive_room(NAME model DEPS base)"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "CMakeLists.txt").write_text(cmake)
    (tmp_path / "base/a.h").write_text('#include "os/b.h"\n')
    (tmp_path / "os/b.h").write_text('#include "base/a.h"\n#include <sys/socket.h>\n')
    (tmp_path / "os/testing").mkdir()
    (tmp_path / "os/testing/d.h").write_text('#include "os/b.h"\n')
    (tmp_path / "os/e.cc").write_text('#include "os/testing/d.h"\n')
    (tmp_path / "os/e_test.cc").write_text('#include "os/testing/d.h"\n')
    (tmp_path / "model/c.h").write_text("#include <vector>\n#include <sys/socket.h>\n")
    found = violations(tmp_path)
    assert found == ['base/a.h: "os/b.h": base does not name os in its DEPS',
                     "model/c.h: <sys/socket.h>: model includes nothing but base and std",
                     'os/e.cc: "os/testing/d.h": only tests include what is for tests']


def test_cycles_are_seen():
    assert cycles({"a": {"DEPS": ["b"]}, "b": {"DEPS": ["a"]}, "c": {"DEPS": ["a"]}}) == ["a", "b"]
