# iac-server. From the repository's root: docker build -f deploy/server.Dockerfile -t iac-server .
# BUILD_IMAGE needs Node with npm, g++, make and python3; BASE_IMAGE needs Node and apt.
ARG BUILD_IMAGE=node:22-bookworm
ARG BASE_IMAGE=node:22-bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npm install --global "$(node -p "require('./package.json').packageManager")" && pnpm fetch --ignore-scripts
COPY . .
RUN pnpm install --frozen-lockfile --offline --ignore-scripts \
 && node scripts/package.mjs server \
 && npm install --global --prefix /opt/iac-server ./dist/iac-server-*.tgz
# What only compiling needs: SQLite's source and the object files.
RUN cd /opt/iac-server/lib/node_modules/iac-server/node_modules/better-sqlite3 \
 && find build -type f ! -name better_sqlite3.node -delete \
 && rm -rf deps src

FROM ${BASE_IMAGE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/iac-server --shell /usr/sbin/nologin iac-server \
 && install -d -m 0700 -o iac-server -g iac-server /var/lib/iac-server
COPY --from=build /opt/iac-server /opt/iac-server
COPY deploy/server-healthcheck.mjs /opt/iac-server/healthcheck.mjs
ENV PATH=/opt/iac-server/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    IAC_SERVER_LISTEN=0.0.0.0:8080 \
    IAC_SERVER_DATA_DIR=/var/lib/iac-server \
    IAC_SERVER_LOG_FORMAT=json
USER iac-server
VOLUME /var/lib/iac-server
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["node", "/opt/iac-server/healthcheck.mjs"]
ENTRYPOINT ["/usr/bin/tini", "--", "iac-server"]
CMD ["start"]
