#!/bin/bash
# test [NAME...]: build and run every test, or those whose name matches
# The suite is one ctest run over the release build: unit tests, house rules, the web page in
# Chromium, and end-to-end tests on real engines. ./dev sanitize has the other compilers.

main() {
  need_root test
  mkdir -p build
  ensure_packages run build test
  clean_leftovers
  build_dashboard
  build_preset release
  build_images
  if [ $# -gt 0 ]; then
    run_suite -R "$(IFS='|' && echo "$*")"
    return
  fi
  run_suite
}

run_suite() {
  HIVE_STATE_DIR=$(test_state_dir)/lib HIVE_RUN_DIR=$(test_state_dir)/run \
    ctest --test-dir build/release -j "$(jobs_count)" --output-on-failure --no-tests=error "$@"
}

# Tests keep their clusters apart from the user's: a killed run's are found here.
test_state_dir() { echo /var/tmp/hive-test; }

clean_leftovers() {
  local dir bin
  dir=$(test_state_dir)
  bin=$(hive_bin)
  [ -d "$dir/lib" ] || return 0
  [ -x "$bin" ] || build_preset release hive
  local cluster
  for cluster in "$dir"/lib/*/; do
    [ -d "$cluster" ] || continue
    say "taking down '$(basename "$cluster")', left by a test run that was cut short"
    HIVE_STATE_DIR=$dir/lib HIVE_RUN_DIR=$dir/run "$bin" --cluster "$(basename "$cluster")" down --yes >&2 ||
      die "the test cluster '$(basename "$cluster")' could not be taken down"
  done
}
