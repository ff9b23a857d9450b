#!/bin/bash
# down: take the example cluster away, with everything that it made on this machine
main() {
  need_root down
  [ -x "$(hive_bin)" ] || die "hive is not built: nothing was brought up from here (./dev build builds it)"
  exec "$(hive_bin)" down --yes -f examples/tomcat/hive.yml "$@"
}
