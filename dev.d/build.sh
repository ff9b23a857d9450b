#!/bin/bash
# build [PRESET]: build hive and its tests (release, debug, asan, tsan or clang)
main() {
  mkdir -p build
  ensure_packages run build
  [ "${1:-release}" != clang ] || ensure_packages test
  build_dashboard
  build_preset "${1:-release}"
  build_images
}
