#!/bin/bash
# Shared by the verbs of ./dev: messages, packages, builds, images.

say() { printf '%s\n' "$*" >&2; }
die() {
  say "./dev: $*"
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "${1:-installing packages} needs root: run it as root (sudo ./dev ...)"
}

# packages KIND... - names of the packages of these kinds
packages() {
  local kinds
  kinds=$(IFS='|' && echo "$*")
  awk -v kinds="^($kinds)\$" '$1 ~ kinds {print $2}' packaging/debian-packages.txt
}

# Newer Node packages bring npm along (and refuse Debian's): a command that is
# there needs no package.
have_package() {
  case "$1" in
    npm) command -v npm >/dev/null && return 0 ;;
    nodejs) command -v node >/dev/null && return 0 ;;
  esac
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
  local name installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | awk '$1 == "installed" {print $2}')
  for name in $(packages "$@"); do
    grep -qxF -- "$name" <<<"$installed" || have_package "$name" || echo "$name"
  done
}

# ensure_packages KIND... - install what is missing; costs one dpkg-query when nothing is.
ensure_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  need_root "installing packages"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  install_packages "${missing[@]}"
}

# hive starts engines, balancers and registries of its own: the services that the
# packages would start on this machine are kept off, unless they were here before.
install_packages() {
  local policy=/usr/sbin/policy-rc.d placed="" service services=() status=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n# placed by hive while it installs packages\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    placed=yes
  elif grep -q 'placed by hive' "$policy"; then
    placed=yes # left by a run that was killed
  fi
  for service in docker.io:docker haproxy:haproxy docker-registry:docker-registry; do
    [[ " $* " == *" ${service%:*} "* ]] && services+=("${service#*:}")
  done
  apt_install "$@" || status=$?
  [ -z "$placed" ] || rm -f "$policy"
  [ "$status" = 0 ] || die "packages could not be installed (see above). Check that apt works: apt-get update"
  if [ -d /run/systemd/system ]; then
    for service in "${services[@]}"; do
      systemctl disable --quiet "$service" 2>/dev/null || true
    done
  fi
}

apt_install() {
  local -a apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  export DEBIAN_FRONTEND=noninteractive
  dpkg --configure -a --force-confdef --force-confold >&2 || true # after a killed run
  "${apt[@]}" update >&2 &&
    "${apt[@]}" install --no-install-recommends "$@" >&2
}

# build_dashboard - the web page that the binary embeds, when what it is made of changed
build_dashboard() {
  local stamp=dashboard/dist/.inputs now
  now=$(find dashboard -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -print0 |
    sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || [ ! -d dashboard/node_modules ] || return 0
  (cd dashboard && npm ci --no-audit --no-fund --loglevel=error &&
    npm run --silent check && npm run --silent build) >&2 || die "building the dashboard failed"
  echo "$now" >"$stamp"
}

# build_python - Python packages that Debian does not have, for the tests on AWS, in a place of their
# own (build/python). They come from where this machine's pip looks for packages.
build_python() {
  local wanted=packaging/python-requirements.txt dir=build/python
  ! cmp -s "$wanted" "$dir/requirements.txt" || return 0
  rm -rf "$dir"
  if ! /usr/bin/python3 -m venv "$dir" >&2 ||
    ! PIP_CERT=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt} "$dir/bin/pip" install --quiet \
      --disable-pip-version-check --requirement "$wanted" >&2; then
    die "installing the Python packages of $wanted failed (see above)"
  fi
  cp "$wanted" "$dir/requirements.txt"
}

# build_cloud_init - Debian's cloud-init, unpacked in build/cloud-init: installed, it would want to set
# up this machine at its next boot.
build_cloud_init() {
  local dir=build/cloud-init part=build/cloud-init.part
  [ ! -d "$dir" ] || return 0
  rm -rf "$part"
  mkdir -p "$part"
  # The lists of packages that are there may be old.
  if ! (cd "$part" && { apt-get -q download cloud-init || { apt-get -q update && apt-get -q download cloud-init; }; } >&2 &&
    dpkg-deb -x cloud-init_*.deb . && rm cloud-init_*.deb); then
    die "getting Debian's package cloud-init failed (see above). Check that apt works: apt-get update"
  fi
  mv "$part" "$dir"
}

# configure_preset PRESET - unless it is already
configure_preset() {
  local preset=$1
  # A different source or compiler than the cache's: start over, do not fail.
  if [ ! -f "build/$preset/CMakeCache.txt" ] || [ ! -f "build/$preset/build.ninja" ]; then
    rm -rf "build/$preset/CMakeCache.txt" "build/$preset/CMakeFiles"
    cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 || {
      cat "build/$preset.configure.log" >&2
      die "configuring preset $preset failed"
    }
  fi
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1 args=()
  shift
  [ $# = 0 ] || args=(--target "$@")
  configure_preset "$preset"
  CLICOLOR_FORCE=0 cmake --build --preset "$preset" -j "$(jobs_count)" "${args[@]}" >&2 ||
    die "building preset $preset failed"
}

# g++ on this code takes up to 1 GB a job.
jobs_count() {
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  [ "$memory_gb" -ge 1 ] || memory_gb=1
  echo $((cores < memory_gb ? cores : memory_gb))
}

hive_bin() { echo "$HIVE_SRC/build/release/bin/hive"; }

# build_images - the example images, when what they are made of changed
build_images() {
  local dir
  for dir in examples/*/; do
    [ -x "${dir}build.sh" ] || continue
    "${dir}build.sh" >&2 || die "building the image of $dir failed"
  done
}
