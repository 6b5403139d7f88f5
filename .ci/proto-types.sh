#!/usr/bin/env bash
# Generates the TypeScript types of the protobuf contracts into the folder given (default src/wire/generated).
# `npm run check:proto` compares a fresh set with the committed one.
set -euo pipefail
out=${1:-src/wire/generated}
rm -rf "$out"
npx --no-install proto-loader-gen-types --keepCase --longs=String --enums=String --defaults --oneofs --arrays \
  --includeDirs=proto --importFileExtension=.ts --targetFileExtension=.ts \
  --inputTemplate=%s__Input --outputTemplate=%s --grpcLib=@grpc/grpc-js \
  --outDir="$out" etcd/rpc.proto holdfast/health.proto
