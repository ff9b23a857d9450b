#!/bin/bash
# What mmdebstrap runs once the packages of the stock image are installed (see stock_image.sh):
#   stock_hook.sh ROOT, with STOCK_NEEDS and mmdebstrap's configuration of apt
set -euo pipefail
root=$1

# What machines will install, without installing it.
read -ra needs <<<"${STOCK_NEEDS//$'\n'/ }"
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --quiet --no-install-recommends --download-only \
  install curl "${needs[@]}"
mkdir -p "$root/srv/debian"
mv "$root"/var/cache/apt/archives/*.deb "$root/srv/debian"
(cd "$root/srv/debian" && dpkg-scanpackages --multiversion . >Packages)
rm -f "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
echo 'deb [trusted=yes] file:/srv/debian ./' >"$root/etc/apt/sources.list"

# There is no systemd: a machine goes off when its first process is told.
printf '#!/bin/sh\nkill -TERM 1\n' >"$root/usr/sbin/shutdown"
chmod 755 "$root/usr/sbin/shutdown"
# Its firmware would say that it is one of EC2's, so that no other source of data is asked.
rm -f "$root/etc/cloud/cloud.cfg.d/90_dpkg.cfg"
