# iac-agent. From the repository's root: docker build -f deploy/agent.Dockerfile -t iac-agent .
# Terraform is not in it: the agent downloads what a workspace asks for, or mount one, or build on this image.
# BUILD_IMAGE needs Node with npm; BASE_IMAGE needs Node and apt.
ARG BUILD_IMAGE=node:22-bookworm-slim
ARG BASE_IMAGE=node:22-bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npm install --global "$(node -p "require('./package.json').packageManager")" && pnpm fetch --ignore-scripts
COPY . .
RUN pnpm install --frozen-lockfile --offline --ignore-scripts \
 && node scripts/package.mjs agent \
 && npm install --global --prefix /opt/iac-agent ./dist/iac-agent-*.tgz

FROM ${BASE_IMAGE}
# git and ssh are for module sources; terraform calls them itself. Their manuals and translations stay out, their licences do not.
RUN apt-get update \
 && printf 'path-exclude %s\n' '/usr/share/locale/*' '/usr/share/man/*' '/usr/share/doc/*' >/etc/dpkg/dpkg.cfg.d/iac-slim \
 && echo 'path-include /usr/share/doc/*/copyright' >>/etc/dpkg/dpkg.cfg.d/iac-slim \
 && apt-get install -y --no-install-recommends tini ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/iac-agent --shell /usr/sbin/nologin iac-agent \
 && install -d -m 0700 -o iac-agent -g iac-agent /var/lib/iac-agent
COPY --from=build /opt/iac-agent /opt/iac-agent
# A container's end is the end of its terraform: on SIGTERM the agent interrupts it in time for the state to get out.
# Give it 30 s: `docker stop -t 30`, compose's stop_grace_period, Kubernetes' default.
ENV PATH=/opt/iac-agent/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    IAC_AGENT_DATA_DIR=/var/lib/iac-agent \
    IAC_AGENT_LOG_FORMAT=json \
    IAC_AGENT_ON_TERM=cancel \
    IAC_AGENT_TERM_GRACE=25s
USER iac-agent
VOLUME /var/lib/iac-agent
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["iac-agent", "status", "--json"]
ENTRYPOINT ["/usr/bin/tini", "--", "iac-agent"]
CMD ["start"]
