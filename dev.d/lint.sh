#!/bin/bash
# lint [FILE...]: shellcheck and clang-tidy
main() {
  mkdir -p build
  ensure_packages run build test
  lint_shell
  local files=("$@")
  [ $# -gt 0 ] || mapfile -t files < <(git ls-files 'src/*.cc')
  build_preset clang
  printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(jobs_count)" clang-tidy-14 -p build/clang --quiet
}

lint_shell() {
  local files
  mapfile -t files < <(tests/shell_scripts)
  shellcheck -x "${files[@]}"
}
