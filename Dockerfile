# Watchpost in a container: Debian with glibc (Alpine is not supported: the pinned Node is built for glibc), an ordinary
# user, nothing written but /data. Settings come from the environment of the container; none is in the image.

# The Node of this image only runs npm; npm brings the Node that Watchpost was tested with.
FROM node:24-bookworm-slim AS build
# Of the pinned Node, not in slim images.
RUN apt-get update && apt-get install --yes --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY bot ./bot
COPY shared ./shared
COPY tab ./tab
COPY appPackage ./appPackage
RUN npm run build
# The page is built: what it was made of would be 400 MB that nothing runs.
RUN npm uninstall --no-save --omit=dev vite @vitejs/plugin-react react react-dom @fluentui/react-components @microsoft/teams-js

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 watchpost \
  && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin watchpost \
  && install -d -o watchpost -g watchpost -m 0700 /data \
  && install -d -o watchpost -g watchpost -m 0755 /var/cache/watchpost
WORKDIR /app
# Owned by root: what runs cannot change what will run.
COPY --from=build /app ./
ENV PATH=/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin \
  NODE_ENV=production \
  NODE_COMPILE_CACHE=/var/cache/watchpost \
  WATCHPOST_DATA=/data
USER 10001:10001
# Without settings the program says so and ends before it listens. By then all its modules are loaded, and their compiled
# form is in the cache for every start to come (the cache belongs to one user: this one).
RUN node bot/main.ts 2>&1 | grep --quiet 'Watchpost cannot start'
VOLUME /data
EXPOSE 3978
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3978}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "bot/main.ts"]
