#!/bin/bash
# package: hive's Debian package for machines on AWS (x-hive.aws.package), into build/
main() {
  ensure_packages run build
  build_preset release hive hive-init
  local version arch root=build/package depends
  version=$(sed -n 's/^project(hive VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  arch=$(dpkg --print-architecture)
  rm -rf "$root"
  mkdir -p "$root/DEBIAN" "$root/usr/local/bin" "$root/lib/systemd/system"
  install -m 755 -s build/release/bin/hive build/release/bin/hive-init "$root/usr/local/bin"
  install -m 644 packaging/systemd/*.service "$root/lib/systemd/system"
  depends=$(library_packages "$root/usr/local/bin/hive")
  cat >"$root/DEBIAN/control" <<CONTROL
Package: hive
Version: $version
Architecture: $arch
Maintainer: hive
Depends: docker.io, haproxy, ca-certificates, iproute2, tzdata, $depends
Description: autopilot for web services on Docker Swarm
CONTROL
  dpkg-deb --build --root-owner-group "$root" "build/hive_${version}_$arch.deb" >&2
  sha256sum "build/hive_${version}_$arch.deb"
}

# library_packages PROGRAM - the packages of the libraries that it is linked with, as Depends has them
library_packages() {
  local where
  where=$(mktemp -d)
  mkdir "$where/debian"
  printf 'Source: hive\n\nPackage: hive\nArchitecture: any\n' >"$where/debian/control"
  cp "$1" "$where/program"
  (cd "$where" && dpkg-shlibdeps -O program 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
  rm -rf "$where"
}
