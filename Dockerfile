# syntax=docker/dockerfile:1

# The current LTS; plain JavaScript and prebuilt packages, so amd64 and arm64 build from the same lines.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npx tsc -b && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
LABEL databox.type="export-service"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8080
# Without a macaroon the relay answers 401 (and 503 while it cannot serve anybody yet): it is alive.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.DATABOX_LOCAL_PORT || 8080}/export`, { method: 'POST' }).then(({ status }) => process.exit(status === 401 || status === 503 ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js", "serve"]
