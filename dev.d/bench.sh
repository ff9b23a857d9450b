#!/bin/bash
# bench [NAME [--json FILE] [OPTION...]]: list the benches, or run one
main() {
  local name=${1:-} file
  case "$name" in
    "" | -h | --help | help)
      list_benches
      return
      ;;
  esac
  shift
  file=bench/${name//-/_}.py
  if [[ ! "$name" =~ ^[a-z][a-z-]*$ || ! -f "$file" ]]; then
    say "./dev bench: no bench '$name'"
    list_benches >&2
    exit 2
  fi
  need_root "bench $name"
  mkdir -p build
  ensure_packages run build bench
  build_dashboard
  local tools
  read -ra tools <<<"$(sed -n 's/^TOOLS = //p' "$file" | tr -d '[]",')"
  build_preset release hive "${tools[@]}"
  build_images
  exec python3 "$file" "$@"
}

# The first line of each bench's docstring says what it measures.
list_benches() {
  echo "usage: ./dev bench NAME [--json FILE] [OPTION...]   (NAME --help: its options)"
  echo
  local file name
  for file in bench/*.py; do
    name=$(basename "$file" .py)
    printf '  %-14s %s\n' "${name//_/-}" "$(sed -n '1s/^"""//p' "$file")"
  done
}
