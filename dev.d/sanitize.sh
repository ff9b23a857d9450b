#!/bin/bash
# sanitize: unit tests under address+undefined and thread sanitizers; compile with clang
main() {
  mkdir -p build
  ensure_packages run build test
  build_dashboard
  local preset
  for preset in asan tsan; do
    build_preset "$preset"
    ctest --test-dir "build/$preset" -j "$(jobs_count)" --output-on-failure --no-tests=error -L unit
  done
  build_preset clang
}
