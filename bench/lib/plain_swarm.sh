#!/bin/bash
# A plain Docker Swarm on this machine, without hive: what a good shell script does by hand.
#   plain_swarm.sh up DIR NETWORK [IMAGE.tar REPOSITORY:TAG]...
#                             engines in namespaces, a registry, the images pushed to it, a swarm;
#                             what DIR/registry/data holds already is there without a push
#   plain_swarm.sh serve DIR NETWORK REPOSITORY:TAG
#                             the example's service, until each of its three replicas answers
#   plain_swarm.sh terminate DIR NETWORK NODE
#                             a worker's machine ends in order, its disk too, and it leaves the list
#   plain_swarm.sh launch DIR NETWORK NODE
#                             a fresh machine of that name joins
#   plain_swarm.sh down DIR NETWORK
# NETWORK is "10.78.0": the bridge has .1, the engines .11 and on. Engines are those of hive's local
# cloud (same program, same flags, data on the same disk), started and joined at the same time; the
# image is pushed once, by the first engine, while the others join. DIR/NODE/docker.sock is a
# node's engine, DIR/registry.address the registry.
set -euo pipefail
verb=$1 dir=$2 network=$3
shift 3
docker=/usr/bin/docker
bridge=hvb${network##*.}
managers=(m1 m2 m3)
workers=(w1 w2)
nodes=("${managers[@]}" "${workers[@]}")
registry=$network.1:5001

at() { # NODE ARGUMENT...: docker against that node's engine
  local node=$1
  shift
  DOCKER_CONFIG=$dir/docker-config "$docker" --host "unix://$dir/$node/docker.sock" "$@"
}

address_of() { # NODE
  local i
  for i in "${!nodes[@]}"; do
    [ "${nodes[$i]}" != "$1" ] || echo "$network.$((11 + i))"
  done
}

wire_up() {
  local i node
  for i in "${!nodes[@]}"; do ip netns add "$bridge-${nodes[$i]}"; done
  {
    echo "link add $bridge type bridge"
    echo "addr add $network.1/24 dev $bridge"
    echo "link set $bridge up"
    for node in "${nodes[@]}"; do
      echo "link add $bridge$node type veth peer name eth0 netns $bridge-$node"
      echo "link set $bridge$node master $bridge up"
    done
  } | ip -batch -
  for node in "${nodes[@]}"; do
    printf '%s\n' "link set lo up" "addr add $(address_of "$node")/24 dev eth0" "link set eth0 up" \
      "route add default via $network.1" | ip -netns "$bridge-$node" -batch -
  done
}

# Pid 1 of an instance: what is below it ends with it.
start_engine() { # NODE
  local node=$1
  mkdir -p "$dir/$node"
  echo '{}' >"$dir/$node/daemon.json"
  # shellcheck disable=SC2016 # expanded inside
  setsid nsenter --net="/run/netns/$bridge-$node" \
    unshare --pid --fork --kill-child --mount --mount-proc --uts --ipc sh -c '
      mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock
      hostname "$1"; shift
      "$@" & trap "kill $!; wait $!; exit 0" TERM; wait $!' init "$node" \
    /usr/sbin/dockerd --config-file "$dir/$node/daemon.json" --host "unix://$dir/$node/docker.sock" \
    --data-root "$dir/$node/data" --exec-root "$dir/$node/exec" --pidfile "$dir/$node/dockerd.pid" \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/hive-bench/${bridge}/$node" \
    --userland-proxy=false --insecure-registry "$registry" \
    </dev/null >"$dir/$node/log" 2>&1 &
  echo $! >"$dir/$node/pid"
}

wait_for_engine() { # NODE
  until curl -sf -o /dev/null --unix-socket "$dir/$1/docker.sock" http://engine/_ping; do sleep 0.02; done
}

start_registry() {
  mkdir -p "$dir/registry"
  local password
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  htpasswd -niB -C 5 hive <<<"$password" >"$dir/registry/htpasswd"
  cat >"$dir/registry/config.yml" <<YAML
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: "$dir/registry/data"}}
http: {addr: "$registry"}
auth: {htpasswd: {realm: hive, path: "$dir/registry/htpasswd"}}
YAML
  setsid docker-registry serve "$dir/registry/config.yml" </dev/null >"$dir/registry/log" 2>&1 &
  echo $! >"$dir/registry/pid"
  mkdir -p "$dir/docker-config"
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$registry" \
    "$(printf 'hive:%s' "$password" | base64 -w0)" >"$dir/docker-config/config.json"
  echo "$registry" >"$dir/registry.address"
}

push() { # [IMAGE.tar REPOSITORY:TAG]...
  until curl -s -o /dev/null "http://$registry/v2/"; do sleep 0.02; done
  while [ $# -gt 0 ]; do
    at m1 load -q -i "$1" >/dev/null
    at m1 tag "$2" "$registry/$2"
    at m1 push -q "$registry/$2" >/dev/null
    shift 2
  done
}

join() { # NODE ROLE TOKEN
  wait_for_engine "$1"
  at "$1" swarm join --token "$3" --advertise-addr "$(address_of "$1")" "$(address_of m1):2377" >/dev/null
}

each_in_parallel() { # waits for all of the jobs named by their pids
  local pid failed=0
  for pid in "$@"; do wait "$pid" || failed=1; done
  return $failed
}

up() {
  mkdir -p "$dir"
  wire_up
  local node token pids=() pushing
  for node in "${nodes[@]}"; do start_engine "$node"; done
  start_registry
  wait_for_engine m1
  push "$@" &
  pushing=$!
  at m1 swarm init --advertise-addr "$(address_of m1)" >/dev/null
  token=$(at m1 swarm join-token -q manager)
  for node in "${managers[@]:1}"; do join "$node" manager "$token" & pids+=($!); done
  each_in_parallel "${pids[@]}"
  token=$(at m1 swarm join-token -q worker)
  pids=()
  for node in "${workers[@]}"; do join "$node" worker "$token" & pids+=($!); done
  each_in_parallel "${pids[@]}" "$pushing"
}

# One port on each node, so that no load balancer is needed to reach every replica.
serve() { # REPOSITORY:TAG
  # The network that a stack's services have in common, as `docker stack deploy` makes it.
  at m1 network create --driver overlay shop_default >/dev/null
  at m1 service create --detach --quiet --network shop_default --endpoint-mode dnsrr --with-registry-auth --name hive-server --replicas 3 \
    --publish mode=host,published=8080,target=8080 \
    --health-cmd 'wget -q -O /dev/null http://127.0.0.1:8080/health' --health-interval 2s \
    --health-timeout 2s --health-retries 3 --health-start-period 20s \
    --update-order start-first --restart-condition any "$registry/$1" >/dev/null
  local node answering=() seen
  until [ ${#answering[@]} -ge 3 ]; do
    for node in "${nodes[@]}"; do
      seen=" ${answering[*]-} "
      [[ "$seen" != *" $node "* ]] || continue
      ! curl -sf -m 2 -o /dev/null "http://$(address_of "$node"):8080/" || answering+=("$node")
    done
    [ ${#answering[@]} -ge 3 ] || sleep 0.02
  done
  # What it serves counts as served once Swarm itself says so: its health checks have passed.
  until [ "$(at m1 service ls --filter name=hive-server --format '{{.Replicas}}')" = 3/3 ]; do sleep 0.05; done
}

terminate() { # NODE
  local pid child
  pid=$(cat "$dir/$1/pid")
  child=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
  # Pid 1 of the machine passes the signal to its engine, as systemd does at a shutdown.
  # shellcheck disable=SC2086 # one word, or none when it has ended already
  [ -z "$child" ] || kill -TERM $child
  for _ in $(seq 600); do
    [ -d "/proc/$pid" ] || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -rf "${dir:?}/$1"
  at m1 node rm --force "$1" >/dev/null
}

launch() { # NODE
  start_engine "$1"
  join "$1" worker "$(at m1 swarm join-token -q worker)"
}

# Ends exactly what `up` started: by recorded pid, namespace, link and cgroup of its own names.
down() {
  local node pid group
  for node in "${nodes[@]}" registry; do
    pid=$(cat "$dir/$node/pid" 2>/dev/null) || continue
    [[ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" == *"$dir/"* ]] || continue
    kill -KILL "$pid" 2>/dev/null || true
  done
  for node in "${nodes[@]}"; do
    for _ in $(seq 100); do
      [ -n "$(ip netns pids "$bridge-$node" 2>/dev/null)" ] || break
      sleep 0.05
    done
    ip netns del "$bridge-$node" 2>/dev/null || true
    ip link del "$bridge$node" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
  for group in /sys/fs/cgroup/hive-bench/"$bridge" /sys/fs/cgroup/*/hive-bench/"$bridge"; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rmdir "$(dirname "$group")" 2>/dev/null || true
  done
  rm -rf "$dir"
}

"$verb" "$@"
