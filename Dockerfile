# One image for every app of the line: the command says which.
#   docker build -t ragline . && docker run ragline bun apps/encoder/main.ts
FROM oven/bun:1.4.5 AS build
WORKDIR /app

# onnxruntime-node's install script would fetch GPU libraries that are not used.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json bun.lock ./
# Its libraries for other systems are 40 % of all dependencies.
RUN bun install --frozen-lockfile --production \
 && rm -rf node_modules/onnxruntime-node/bin/napi-v*/darwin node_modules/onnxruntime-node/bin/napi-v*/win32

# The model before the apps: it is built again only when what builds it has changed.
COPY contracts contracts
COPY packages packages
COPY scripts scripts
RUN bun scripts/build-model.ts && bun scripts/build-vector-scan.ts

FROM oven/bun:1.4.5
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/.models .models
COPY . .

# The SQLite store's place, where there is no Qdrant: mount a volume at /app/.data to keep it.
RUN mkdir .data && chown bun:bun .data
USER bun
CMD ["bun", "apps/gateway/main.ts"]
