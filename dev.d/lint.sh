#!/bin/bash
# lint [FILE...]: shellcheck and clang-tidy, over all sources or those named
main() {
  mkdir -p build
  ensure_packages run build test
  lint_shell
  local files=("$@")
  [ $# -gt 0 ] || mapfile -t files < <(git ls-files 'src/*.cc' 'bench/*.cc')
  configure_preset clang
  ninja -C build/clang build.ninja >/dev/null  # sources that came since then
  python3 dev.d/lib/tidy.py build/clang "$(jobs_count)" "${files[@]}"
}

lint_shell() {
  local files
  mapfile -t files < <(tests/shell_scripts)
  shellcheck -x "${files[@]}"
  say "shellcheck: ${#files[@]} files clean"
}
