# One member in a small image. Build: docker build -t holdfast .
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY proto proto
COPY bin bin
COPY src src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts
# The engine's package carries binaries for every platform; one is enough.
RUN keep="linux-$(node -p process.arch)" \
  && find node_modules/rocksdb-native/prebuilds -mindepth 1 -maxdepth 1 ! -name "$keep" \
    -exec rm -rf {} + \
  && test -f "node_modules/rocksdb-native/prebuilds/$keep/rocksdb-native.node" \
  && find node_modules dist \( -name '*.map' -o -name '*.bare' \) -delete

FROM node:24-bookworm-slim
# RocksDB's binary needs libatomic.
RUN apt-get update \
  && apt-get install -y --no-install-recommends libatomic1 \
  && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
  && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/proto proto
COPY --from=build /app/bin bin
COPY --from=build /app/dist dist
ENV NODE_ENV=production HOLDFAST_DATA_DIR=/data
USER node
VOLUME /data
EXPOSE 2379 2380 2381
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:2381/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["bin/holdfast", "server"]
