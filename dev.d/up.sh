#!/bin/bash
# up: install what is missing, build, bring up a cluster with the example application
main() {
  need_root up
  mkdir -p build
  ensure_packages run build
  build_dashboard
  build_preset release hive
  build_images
  exec "$(hive_bin)" up -f examples/tomcat/hive.yml "$@"
}
