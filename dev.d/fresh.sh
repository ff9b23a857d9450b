#!/bin/bash
# fresh [--quick]: the two commands, and ./dev test, on a new minimal Debian 12
# The machine is made for the run and removed after it; its network is its own, so that a cluster on
# this machine does not matter. The working copy's HEAD is what it gets. --quick leaves ./dev test out
# and uses this machine's compiler cache.
main() {
  local quick=""
  case "${1:-}" in
    "") ;;
    --quick) quick=yes ;;
    *) die "fresh takes --quick or nothing, not '$1'" ;;
  esac
  need_root fresh
  ensure_packages fresh
  # shellcheck source=dev.d/lib/fresh_machine.sh
  . dev.d/lib/fresh_machine.sh
  mkdir -p /run/lock
  exec 9>/run/lock/hive-fresh.lock
  flock --nonblock 9 || die "another ./dev fresh is running"
  fresh_remove
  trap fresh_remove EXIT
  trap 'exit 1' INT TERM HUP
  logs=build/fresh
  rm -rf "$logs"
  mkdir -p "$logs"
  passed=0 failed=0
  say "fresh: making a minimal Debian 12"
  fresh_make
  fresh_start ${quick:+"$(ccache --get-config cache_dir || true)"}
  [ -z "$(git status --porcelain)" ] || say "fresh: what is not committed is not in the clone"
  git clone --quiet --bare --no-hardlinks "$HIVE_SRC" "$fresh_root/root/hive.git"
  run_checks "$quick"
  conclude "$quick"
}

# Bounds are for a machine of two cores with nothing cached.
run_checks() {
  check "git clone" fresh_run 60 git clone --quiet hive.git hive
  traces >"$logs/traces-before"
  check "./dev up" in_clone 2400 ./dev up
  check "three replicas answer" three_replicas_answer
  check "the dashboard answers" dashboard_answers
  tasks >"$logs/tasks-before" || true
  check "./dev up again" in_clone 120 ./dev up
  check "the second ./dev up changed nothing" nothing_changed
  check "./dev down" in_clone 300 ./dev down
  check "nothing is left" nothing_left
  [ -n "$1" ] || check "./dev test" in_clone 4500 ./dev test
}

# check NAME COMMAND...
check() {
  local name=$1 log started=$SECONDS status=0
  log=$logs/$(sed 's/[^a-z]\+/-/g; s/^-//' <<<"${name,,}").log
  printf 'fresh: %-40s ' "$name" >&2
  # In the background, so that a signal ends the run at once and not when the check has ended.
  ("${@:2}" || exit $?) >"$log" 2>&1 &
  wait $! || status=$?
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    say "passed  $((SECONDS - started)) s"
    return
  fi
  failed=$((failed + 1))
  say "FAILED  $((SECONDS - started)) s, exit code $status; the end of $log:"
  tail -n 15 "$log" | sed 's/^/    /' >&2
}

# Where a compiler cache is shared, it shall not matter where the clone is.
in_clone() {
  fresh_run "$1" env -C /root/hive CCACHE_BASEDIR=/root/hive CCACHE_NOHASHDIR=1 "${@:2}"
}
hive_there() { in_clone 30 build/release/bin/hive "$@"; }

three_replicas_answer() {
  local try hosts
  for try in $(seq 30); do
    hosts=$(for _ in $(seq 12); do
      fresh_run 10 curl -fsS --max-time 5 http://127.0.0.1/ | awk '{print $1; exit}'
    done | sort -u)
    [ "$(wc -w <<<"$hosts")" -lt 3 ] || break
    sleep 1
  done
  echo "after $try rounds answered:" "$hosts"
  [ "$(wc -w <<<"$hosts")" = 3 ]
}

dashboard_answers() {
  local nodes
  fresh_run 10 curl -fsS --max-time 5 http://127.0.0.1:5000/ >"$logs/dashboard.html"
  grep -i '<title>hive' "$logs/dashboard.html" || return 1
  nodes=$(hive_there node ls --format json | grep -c '"hostname"')
  echo "$nodes nodes"
  [ "$nodes" = 5 ]
}

# Which tasks run, by their own ids.
tasks() { hive_there service ps hive-server --format json; }

nothing_changed() {
  grep -qi 'nothing' "$logs/dev-up-again.log" || {
    echo "the second ./dev up does not say that it changed nothing"
    return 1
  }
  diff "$logs/tasks-before" <(tasks)
}

# What a cluster leaves on a machine when `down` forgets it: links, mounts, namespaces, control
# groups, packet filter rules, processes, and files that bear hive's name outside the clone.
traces() {
  # shellcheck disable=SC2016 # for the shell there
  fresh_run 60 bash -c '
    ls /sys/class/net | sed "s/^/link /"
    awk "{print \"mount\", \$2}" /proc/mounts
    ls /run/netns 2>/dev/null | sed "s/^/namespace /"
    find /sys/fs/cgroup -mindepth 2 -type d ! -path "*/init" | sed "s/^/control group /"
    for table in filter nat mangle raw; do
      ! command -v iptables >/dev/null || iptables -t $table -S | grep "^-[AN]" | sed "s/^/rule /"
    done
    ps -eo pid=,args= 2>/dev/null | awk "\$1 > 1 && !/ps -eo|awk|sleep 1|bash -c|timeout/ {\$1 = \"process\"; print}"
    find / -xdev -regextype posix-extended -path /root -prune -o -regex ".*/([^/]*[^c])?hive[^/]*" -print |
      sed "s/^/file /"
  ' | sort
}

nothing_left() { diff "$logs/traces-before" <(traces); }

# The last result stays in build/fresh/last.
conclude() {
  local what="./dev fresh"
  [ -z "$1" ] || what+=" --quick"
  say "$what of $(git rev-parse --short HEAD), $SECONDS s, logs in $logs"
  echo "fresh: $passed passed, $failed failed" | tee "$logs/last"
  [ "$failed" = 0 ]
}
