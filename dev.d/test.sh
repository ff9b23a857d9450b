#!/bin/bash
# test [NAME...]: build and run every test, or those whose name matches
# The suite stands on three builds: g++'s release build with the unit tests, the rules of the house,
# the web page in Chromium and the end-to-end tests on real engines; clang's build of the whole tree
# with the unit tests under the address and undefined behaviour sanitizers (asan.*); and those of the
# rooms that have threads under the thread sanitizer (tsan.*). End-to-end tests mostly wait, so they
# begin as soon as what they run is built. The rest is built while they run, with the time that they
# leave: the unit tests, and clang's trees, each followed by its tests.

main() {
  need_root test
  mkdir -p build
  only_one
  ensure_packages run build test
  clean_leftovers
  build_python
  build_cloud_init
  build_dashboard
  timed "g++'s release build" build_release "$@"
  build_images
  # Names choose among the release build's tests; asan and tsan at a name's beginning, among all.
  local names
  names=$(IFS='|' && echo "$*")
  case "$names" in
    "") run_everything ;;
    *asan* | *tsan*)
      timed "clang's build, address and undefined behaviour sanitizers" build_preset asan
      timed "clang's build, thread sanitizer" build_preset tsan
      HIVE_TEST_TREES=$(sanitizer_trees) run_suite release -R "$names"
      ;;
    *stock_image* | *lost_quorum*) # by_name_only, in e2e/CMakeLists.txt
      [[ "$names" != *stock_image* ]] || build_stock
      run_suite release -R "$names"
      ;;
    *) run_suite release -R "$names" -LE by_name_only ;;
  esac
}

# All of it where tests are named: any may be meant.
build_release() {
  if [ $# = 0 ]; then
    build_preset release e2e_programs
  else
    build_preset release
  fi
}

# hive's package, and the image whose machines install it.
build_stock() {
  ensure_packages fresh
  local package
  package=$(./dev package | awk '{print $2}')
  # shellcheck source=dev.d/lib/stock_image.sh
  . dev.d/lib/stock_image.sh
  stock_make "$package"
  cp "$package" build/stock/hive.deb
}

# Two runs would take each other's clusters and ports. What a run starts does not hold its lock: it is
# free again once the run is gone, however that ended.
only_one() {
  mkdir -p /run/lock # a minimal machine has none
  exec 8>/run/lock/hive-test.lock
  flock --nonblock 8 || die "another ./dev test is running on this machine (its lock: /run/lock/hive-test.lock); wait for its end"
}

run_everything() {
  local beside status=0 log=build/beside.log
  configure_preset asan
  configure_preset tsan
  rm -f build/suite-*.xml
  in_spare_time 4500 bash -euo pipefail -c '. dev.d/lib/common.sh && . dev.d/test.sh && run_beside' \
    >"$log" 2>&1 8>&- &
  beside=$!
  run_suite release/tests --output-junit "$HIVE_SRC/build/suite-tests.xml" &
  local short=$!
  run_suite release/e2e -LE by_name_only --output-junit "$HIVE_SRC/build/suite-e2e.xml" || status=1
  wait "$short" || status=1
  timed "waiting for the unit tests, and those with sanitizers" wait "$beside" || status=1
  tail -n 20 "$log"
  summary || status=1
  return "$status"
}

# What run_everything has made in spare time. Each ctest has a folder of its own: it writes into it.
run_beside() {
  local tree status=0
  build_preset release
  run_suite release/src --output-junit "$HIVE_SRC/build/suite-unit.xml" || status=1
  for tree in asan tsan; do
    build_preset "$tree"
    run_suite "$tree" --output-junit "$HIVE_SRC/build/suite-$tree.xml" || status=1
  done
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

# What the ctest runs of the suite counted, as one line; before it, what failed and how it ended.
summary() {
  python3 - build/suite-{tests,e2e,unit,asan,tsan}.xml <<'END'
import sys
from pathlib import Path
from xml.etree import ElementTree

count = dict.fromkeys(("tests", "failures", "disabled", "skipped"), 0)
missing = [name for name in sys.argv[1:] if not Path(name).exists()]
for name in sys.argv[1:]:
    if name in missing:
        continue
    suite = ElementTree.parse(name).getroot()
    for key in count:
        count[key] += int(suite.get(key))
    for case in suite.iter("testcase"):
        if case.get("status") == "fail":
            said = (case.findtext("system-out") or "").rstrip().splitlines()
            print(f"\n=== failed: {case.get('name')}, the end of what it said:", *said[-40:], sep="\n")
for name in missing:
    print(f"\n=== {name} was not written: its tests did not run to their end")
unrun = count["disabled"] + count["skipped"]
passed = count["tests"] - count["failures"] - unrun
failed = count["failures"] + len(missing)
print(f"{passed} passed, {failed} failed" + (f", {unrun} skipped" if unrun else ""))
sys.exit(1 if failed else 0)
END
}

timed() {
  local started=$SECONDS status=0
  "${@:2}" || status=$?
  say "$1: $((SECONDS - started)) s"
  return "$status"
}

# run_suite FOLDER [CTEST_OPTION...] - of build
run_suite() {
  HIVE_STATE_DIR=$(test_state_dir)/lib HIVE_RUN_DIR=$(test_state_dir)/run \
    setpriv --pdeathsig TERM ctest --test-dir "build/$1" -j "$(jobs_count)" --output-on-failure --no-tests=error "${@:2}" 8>&-
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
    HIVE_STATE_DIR=$dir/lib HIVE_RUN_DIR=$dir/run "$bin" --cluster "$(basename "$cluster")" down --yes >&2 8>&- ||
      [ ! -d "$cluster" ] || # what was left of that run may have done it itself
      die "the test cluster '$(basename "$cluster")' could not be taken down"
  done
}
