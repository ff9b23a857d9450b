#!/bin/bash
# fmt [--check]: format the C++ sources with clang-format 14 (or check that they are)
main() {
  command -v clang-format-14 >/dev/null || ensure_packages test
  local files args=(-i)
  [ "${1:-}" != --check ] || args=(--dry-run --Werror)
  mapfile -t files < <(git ls-files 'src/*.cc' 'src/*.h' 'src/*.c' 'bench/*.cc' 'tests/*.cc')
  clang-format-14 "${args[@]}" "${files[@]}"
}
