#!/bin/bash
# The fresh machine: a minimal Debian 12 of its own on this machine, with its own processes, mounts,
# network, host name and control groups. Of this machine it gets what a new one would be given: where
# packages come from, the certificates to trust, and a connection. Nothing of /usr/local.
#   fresh_make    make its disk          fresh_run SECONDS COMMAND...   run a command in it
#   fresh_start   start it               fresh_remove   end it and remove all of it, also what a
#                                                       killed run left behind

fresh_dir=/var/tmp/hive-fresh
fresh_root=$fresh_dir/root
fresh_cgroup=hive-fresh
fresh_release=bookworm
fresh_pid="" # its first process, as this machine numbers it

# fresh_make - the disk, with nothing on it but Debian's essential packages, certificates and git.
fresh_make() {
  mkdir -p "$fresh_dir"
  debian_sources >"$fresh_dir/sources.list"
  [ -s "$fresh_dir/sources.list" ] ||
    die "apt on this machine has no source of Debian 12 ($fresh_release) to make a fresh machine from"
  apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$fresh_dir/apt.conf" || true
  (
    enter_groups
    exec mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,git \
      --aptopt="$fresh_dir/apt.conf" --format=directory \
      "$fresh_release" "$fresh_root" "$fresh_dir/sources.list"
  ) >"$fresh_dir/make.log" 2>&1 || die "making the disk failed: $(tail -n 20 "$fresh_dir/make.log")"
  give_certificates
  give_npm_configuration
  echo fresh >"$fresh_root/etc/hostname"
  printf '127.0.0.1 localhost\n127.0.1.1 fresh\n' >"$fresh_root/etc/hosts"
  # slirp4netns answers for names there.
  echo "nameserver 10.0.2.3" >"$fresh_root/etc/resolv.conf"
}

# Debian's own among the sources of this machine's apt, from whatever mirrors it uses.
debian_sources() {
  # shellcheck disable=SC2016 # apt's placeholders, not the shell's
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' \
    'Created-By: Packages' |
    awk -v release="$fresh_release" \
      '$4 == "Debian" && index($2, release) == 1 {print "deb", $1, $2, $3}' | sort -u
}

give_certificates() {
  local from=/usr/local/share/ca-certificates
  [ -n "$(ls -A "$from" 2>/dev/null)" ] || return 0
  mkdir -p "$fresh_root$from"
  cp -a "$from/." "$fresh_root$from/"
  chroot "$fresh_root" update-ca-certificates >>"$fresh_dir/make.log" 2>&1
}

give_npm_configuration() {
  [ ! -f "$HOME/.npmrc" ] || grep -v '^nodedir' "$HOME/.npmrc" >"$fresh_root/root/.npmrc" || true
  [ ! -f /etc/npmrc ] || cp /etc/npmrc "$fresh_root/etc/npmrc"
}

# fresh_start [CACHE] - its first process, its network; with CACHE, a compiler cache of this machine's.
# Each process of a chain ends with the one above it, so that nothing outlives a ./dev fresh that is
# killed.
fresh_start() {
  local cache=${1:-} parent try
  (
    enter_groups
    exec setpriv --pdeathsig KILL unshare --cgroup --mount --pid --net --uts --ipc --fork \
      --kill-child=KILL bash "$HIVE_SRC/dev.d/lib/fresh_boot.sh" "$fresh_root" "$cache"
  ) </dev/null >"$fresh_dir/boot.log" 2>&1 &
  parent=$!
  disown # else bash tells of its end
  for try in $(seq 100); do
    fresh_pid=$(pgrep -P "$parent" || true)
    [ -n "$fresh_pid" ] && fresh_run 5 test -e /run/booted 2>/dev/null && break
    [ "$try" -lt 100 ] || die "the fresh machine did not start: $(cat "$fresh_dir/boot.log")"
    sleep 0.1
  done
  setpriv --pdeathsig KILL slirp4netns --configure --mtu=65520 --disable-host-loopback \
    "$fresh_pid" tap0 </dev/null >"$fresh_dir/network.log" 2>&1 &
  disown
  for try in $(seq 100); do
    ! fresh_run 5 grep -q tap0 /proc/net/route || return 0
    sleep 0.1
  done
  die "the fresh machine has no network: $(cat "$fresh_dir/network.log")"
}

# fresh_run SECONDS COMMAND... - as root there, with a new login's environment. 124 after SECONDS.
fresh_run() {
  local seconds=$1 variable carried=()
  shift
  # What says how to reach the package registries.
  for variable in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY; do
    [ -z "${!variable:-}" ] || carried+=("$variable=${!variable}")
  done
  (
    enter_groups
    exec nsenter --target "$fresh_pid" --cgroup --mount --pid --net --uts --ipc \
      env -i -C /root HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "${carried[@]}" \
      timeout --kill-after=10 "$seconds" "$@"
  )
}

fresh_groups() {
  awk -v name="$fresh_cgroup" '$3 == "cgroup" || $3 == "cgroup2" {print $2 "/" name}' /proc/mounts
}

# The calling (sub)shell goes into the machine's control groups.
enter_groups() {
  local group file
  for group in $(fresh_groups); do
    mkdir -p "$group"
    # A new cpuset of version 1 takes no process until it has CPUs and memory.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$group/$file" ] && [ -z "$(cat "$group/$file")" ]; then
        cat "$(dirname "$group")/$file" >"$group/$file"
      fi
    done
    # Version 2 allows processes in leaves only, once the machine has groups of its own.
    if [ -d "$group/init" ]; then group+=/init; fi
    echo "$BASHPID" >"$group/cgroup.procs"
  done
}

fresh_processes() {
  local group
  for group in $(fresh_groups); do
    [ ! -d "$group" ] || find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null
  done | sort -un
}

fresh_remove() {
  local try pids target group
  for try in $(seq 100); do
    mapfile -t pids < <(fresh_processes)
    [ ${#pids[@]} -gt 0 ] || break
    kill -KILL "${pids[@]}" 2>/dev/null || true
    sleep 0.1
  done
  [ ${#pids[@]} = 0 ] || die "processes of the fresh machine do not end: ${pids[*]}"
  for target in $(awk -v dir="$fresh_dir/" 'index($2, dir) == 1 {print $2}' /proc/mounts | tac); do
    umount --lazy "$target"
  done
  rm -rf --one-file-system "$fresh_dir"
  # A group is busy for a moment after its last process has gone.
  for group in $(fresh_groups); do
    for try in $(seq 100); do
      [ -d "$group" ] || break
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
  done
}
