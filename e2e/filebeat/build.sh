#!/bin/bash
# build.sh OUTPUT: builds the real Filebeat (7.17.0, the newest that Go's module index has by a plain
# version) from its Go module, for the proof's end-to-end test. Needs Go 1.17 or newer; takes some
# minutes and 2 GB of module and build cache the first time.
#
#   e2e/filebeat/build.sh build/filebeat
#   HIVE_FILEBEAT=$PWD/build/filebeat build/release/src/logs/logs_filebeat_test
set -euo pipefail
output=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
CGO_ENABLED=0 GOFLAGS=-mod=mod go build -o "$output" .
