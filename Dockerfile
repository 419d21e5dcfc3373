# syntax=docker/dockerfile:1

# The current LTS; plain JavaScript and prebuilt packages, so amd64 and arm64 build from the same lines.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run --silent build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
LABEL databox.type="export-service"
# Names are looked up on half of these threads, and one whose servers are silent holds its thread for many seconds.
ENV NODE_ENV=production UV_THREADPOOL_SIZE=64
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A volume mounted here belongs to the user that the relay runs as, and can hold a journal.
RUN install -d -o node -g node -m 0700 /var/lib/export-relay
USER node
EXPOSE 8080
# Asks over HTTP or HTTPS, whichever it speaks: any answer, or a connection closed on a question it does not
# understand, shows that it is alive.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["node", "-e", "require('node:net').connect(process.env.DATABOX_LOCAL_PORT || 8080).on('connect', function () { this.write('HEAD / HTTP/1.0\\r\\n\\r\\n') }).on('data', () => process.exit(0)).on('close', () => process.exit(0)).on('error', ({ code }) => process.exit(code === 'ECONNRESET' ? 0 : 1))"]
ENTRYPOINT ["node", "/app/dist/main.js", "serve"]
