#!/bin/bash
# test [NAME...]: build and run every test, or those whose name matches
# The suite is one ctest run over three builds: g++'s release build with the unit tests, the rules of
# the house, the web page in Chromium and the end-to-end tests on real engines; clang's build of the
# whole tree with the unit tests under the address and undefined behaviour sanitizers (asan.*); and
# those of the rooms that have threads under the thread sanitizer (tsan.*).

main() {
  need_root test
  mkdir -p build
  ensure_packages run build test
  clean_leftovers
  build_python
  build_dashboard
  timed "g++'s release build" build_preset release
  build_images
  # Names choose among the release build's tests; asan and tsan at a name's beginning, among all.
  local names
  names=$(IFS='|' && echo "$*")
  case "$names" in
    "") run_everything ;;
    *asan* | *tsan*) run_everything -R "$names" ;;
    *) run_suite -R "$names" ;;
  esac
}

run_everything() {
  timed "clang's build, address and undefined behaviour sanitizers" build_preset asan
  timed "clang's build, thread sanitizer" build_preset tsan
  HIVE_TEST_TREES=$HIVE_SRC/build/asan:$HIVE_SRC/build/tsan run_suite "$@"
}

timed() {
  local started=$SECONDS
  "${@:2}"
  say "$1: $((SECONDS - started)) s"
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
