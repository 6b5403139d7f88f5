#!/usr/bin/env bash
# Generates the TypeScript types of the protobuf contracts into src/wire/generated (`npm run proto`). With --check it
# writes nothing there: it compares a fresh set with the committed one and fails if they differ (`npm run check:proto`).
set -euo pipefail
cd "$(dirname "$0")/.."
committed=src/wire/generated

generate() {
  npx --no-install proto-loader-gen-types --keepCase --longs=String --enums=String --defaults --oneofs --arrays \
    --includeDirs=proto --importFileExtension=.ts --targetFileExtension=.ts \
    --inputTemplate=%s__Input --outputTemplate=%s --grpcLib=@grpc/grpc-js \
    --outDir="$1" etcd/rpc.proto etcd/lock.proto etcd/election.proto holdfast/health.proto holdfast/peer.proto holdfast/admin.proto \
    holdfast/pipeline.proto
}

if [ "${1:-}" = --check ]; then
  fresh="$(mktemp -d)"
  trap 'rm -rf "$fresh"' EXIT
  generate "$fresh" >/dev/null
  if ! diff -r "$committed" "$fresh" >&2; then
    echo "$committed does not match proto/: run npm run proto and commit the result" >&2
    exit 1
  fi
else
  rm -rf "$committed"
  generate "$committed"
fi
