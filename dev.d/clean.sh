#!/bin/bash
# clean: remove everything that was built (clusters stay: ./dev down)
main() {
  local mounted
  mounted=$(awk -v dir="$HIVE_SRC/build/" 'index($2, dir) == 1 {print $2}' /proc/mounts)
  [ -z "$mounted" ] || die "still mounted below build/, not removed: $mounted"
  rm -rf build dashboard/dist dashboard/node_modules
}
