"""Writes a C++ source that holds every file of a directory: embed.py DIRECTORY OUTPUT.

An absent or empty directory gives a page that says how to build the dashboard.
"""
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json",
         ".png": "image/png", ".ico": "image/x-icon", ".map": "application/json"}
FALLBACK = (b"<!doctype html><title>hive</title><p>This hive was built without its dashboard. "
            b"Run <code>npm ci &amp;&amp; npm run build</code> in <code>dashboard/</code> and build "
            b"again. The API is there: <a href=/v1/status>/v1/status</a>.</p>\n")


def literal(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), 24):
        piece = data[start:start + 24]
        lines.append('    "' + "".join(f"\\{byte:03o}" for byte in piece) + '"')
    return "\n".join(lines) or '    ""'


def main() -> None:
    directory, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = {}
    if directory.is_dir():
        files = {"/" + str(path.relative_to(directory)): path.read_bytes()
                 for path in sorted(directory.rglob("*")) if path.is_file()}
    if "/index.html" not in files:
        files = {"/index.html": FALLBACK}
    text = ['#include "controller/assets.h"', "", "namespace hive::controller {", "namespace {", ""]
    rows = []
    for number, (path, data) in enumerate(files.items()):
        text.append(f"constexpr char kFile{number}[] =\n{literal(data)};\n")
        kind = TYPES.get(pathlib.Path(path).suffix, "application/octet-stream")
        rows.append(f'    {{"{path}", "{kind}", {{kFile{number}, {len(data)}}}}},')
    text += ["constexpr Asset kAssets[] = {", *rows, "};", "", "}  // namespace", "",
             "const Asset* find_asset(std::string_view path) {",
             '  if (path == "/") path = "/index.html";',
             "  for (const Asset& asset : kAssets)",
             "    if (asset.path == path) return &asset;",
             "  return nullptr;", "}", "", "}  // namespace hive::controller", ""]
    output.write_text("\n".join(text))


main()
