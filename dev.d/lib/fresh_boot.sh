#!/bin/bash
# The first process of the fresh machine (see fresh_machine.sh), already in namespaces of its own:
#   fresh_boot.sh ROOT CACHE
# changes to the machine's disk, then reaps what ends, for ever.
set -euo pipefail
root=$1
cache=$2

mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

if [ -n "$cache" ]; then
  mkdir -p root/.cache/ccache
  mount --bind "$cache" root/.cache/ccache
fi

# Control groups as this machine has them: mounted anew, each shows the fresh machine's own part.
while read -r _ target type options _; do
  case "$type" in
    cgroup2 | cgroup) ;;
    *) continue ;;
  esac
  if ! mountpoint -q sys/fs/cgroup && [ "$target" != /sys/fs/cgroup ]; then
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  fi
  mkdir -p ".$target"
  mount -t "$type" -o "$(tr ',' '\n' <<<"$options" | grep -vxE 'rw|relatime' | paste -sd,)" \
    "$type" ".$target"
  if [ "$type" = cgroup2 ]; then
    mkdir ".$target/init"
    echo $$ >".$target/init/cgroup.procs"
  fi
done < <(grep -E '^\S+ \S+ cgroup2? ' /proc/mounts)

mkdir run/old
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old
hostname fresh
ip link set lo up 2>/dev/null || true
touch /run/booted
# Orphans come to the first process: bash reaps them whenever a child of its own ends.
exec bash -c 'while :; do sleep 1; done'
