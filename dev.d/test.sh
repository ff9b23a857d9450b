#!/bin/bash
# test [NAME...]: build and run every test, or those whose name matches
# The suite stands on three builds: g++'s release build with the unit tests, the rules of the house,
# the web page in Chromium and the end-to-end tests on real engines; clang's build of the whole tree
# with the unit tests under the address and undefined behaviour sanitizers (asan.*); and those of the
# rooms that have threads under the thread sanitizer (tsan.*). End-to-end tests mostly wait, so clang
# works while they run, with the time that they leave.

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
    *asan* | *tsan*)
      timed "clang's build, address and undefined behaviour sanitizers" build_preset asan
      timed "clang's build, thread sanitizer" build_preset tsan
      HIVE_TEST_TREES=$(sanitizer_trees) run_suite -R "$names"
      ;;
    *) run_suite -R "$names" ;;
  esac
}

run_everything() {
  local builder status=0 log=build/sanitizers.log
  configure_preset asan
  configure_preset tsan
  rm -f build/suite-*.xml
  in_spare_time 3600 bash -c "cmake --build --preset asan -j $(jobs_count) &&
    cmake --build --preset tsan -j $(jobs_count)" >"$log" 2>&1 &
  builder=$!
  run_suite --output-junit "$HIVE_SRC/build/suite-release.xml" || status=1
  if timed "waiting for the builds with sanitizers" wait "$builder"; then
    HIVE_TEST_TREES=$(sanitizer_trees) run_suite -R '^[at]san\.' \
      --output-junit "$HIVE_SRC/build/suite-sanitizers.xml" || status=1
  else
    tail -n 50 "$log" >&2
    say "./dev: building with sanitizers failed, see $log"
    status=1
  fi
  summary
  return "$status"
}

# in_spare_time SECONDS COMMAND... - run it with processor time that nothing else wants, and end it
# with this process. Where the kernel groups processes by session, a session counts as one process:
# its group is made the least.
in_spare_time() {
  # shellcheck disable=SC2016 # for the shell there
  exec setpriv --pdeathsig TERM setsid bash -c '
    { echo 19 >/proc/self/autogroup; } 2>/dev/null
    CLICOLOR_FORCE=0 exec timeout "$@"' _ "$1" chrt --idle 0 "${@:2}"
}

sanitizer_trees() { echo "$HIVE_SRC/build/asan:$HIVE_SRC/build/tsan"; }

# What the ctest runs of the suite counted, as one line.
summary() {
  python3 - build/suite-*.xml <<'END'
import sys
from xml.etree import ElementTree

count = dict.fromkeys(("tests", "failures", "disabled", "skipped"), 0)
for name in sys.argv[1:]:
    suite = ElementTree.parse(name).getroot()
    for key in count:
        count[key] += int(suite.get(key))
unrun = count["disabled"] + count["skipped"]
passed = count["tests"] - count["failures"] - unrun
print(f"{passed} passed, {count['failures']} failed" + (f", {unrun} skipped" if unrun else ""))
END
}

timed() {
  local started=$SECONDS status=0
  "${@:2}" || status=$?
  say "$1: $((SECONDS - started)) s"
  return "$status"
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
