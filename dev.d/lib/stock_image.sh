#!/bin/bash
# The disk of a stock Debian 12 image, for machines of the emulated AWS (e2e/aws/stock_image_test.py):
# minimal, with cloud-init as Debian's cloud images have it, and nothing of hive. Machines reach no
# mirror: what hive's package needs lies in /srv/debian of the disk, as the one repository of its apt.
#   stock_make PACKAGE    make build/stock/root, unless it is there with what this package needs

stock_dir=build/stock

stock_make() {
  # shellcheck source=dev.d/lib/fresh_machine.sh
  . dev.d/lib/fresh_machine.sh
  local needs
  needs=$(dpkg-deb -f "$1" Depends | sed 's/([^)]*)//g; s/|[^,]*//g' | tr -d ' ' | tr ',' '\n' | sort -u)
  [ "$(cat "$stock_dir/needs" 2>/dev/null)" != "$needs" ] || return 0
  say "stock: making a stock Debian 12 image"
  rm -rf --one-file-system "$stock_dir"
  mkdir -p "$stock_dir"
  debian_sources >"$stock_dir/sources.list"
  [ -s "$stock_dir/sources.list" ] || die "apt on this machine has no source of Debian 12 to make an image from"
  apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$stock_dir/apt.conf" || true
  STOCK_NEEDS=$needs mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
    --include=ca-certificates,cloud-init,iproute2 --aptopt="$stock_dir/apt.conf" \
    --customize-hook="bash $HIVE_SRC/dev.d/lib/stock_hook.sh \"\$1\"" \
    "$fresh_release" "$stock_dir/root" "$stock_dir/sources.list" >"$stock_dir/log" 2>&1 ||
    die "making the image failed: $(tail -n 20 "$stock_dir/log")"
  echo "$needs" >"$stock_dir/needs"
}
