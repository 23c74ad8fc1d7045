# By digest, so that a build is the same tomorrow; Renovate moves it (renovate.json).
ARG BASE=node:24.18.0-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No package that is built or run here needs its install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Of Swagger UI only what is served: its source maps and other bundles are ten megabytes.
RUN npm run build && npm prune --ignore-scripts --omit=dev --no-audit --no-fund && \
    find node_modules/swagger-ui-dist -type f ! -name package.json ! -name 'swagger-ui.css' \
    ! -name 'swagger-ui-bundle.js' ! -name '*LICENSE*' ! -name NOTICE -delete


FROM ${BASE} AS runtime
# Nothing is installed from here on; what could do it is only something to attack.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
    /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=build /app/dist/package.json dist/
# The user "node" by number, so that Kubernetes can tell that it is not root. All files belong to root.
USER 1000:1000


# A Zendesk to try the service on: docker build --target sandbox
FROM runtime AS sandbox
ENV PORT=4000
COPY --from=build /app/dist/test/sandbox dist/test/sandbox
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/sandbox/faults`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/test/sandbox/server.js"]


FROM runtime AS service
ENV PORT=3000 UV_THREADPOOL_SIZE=16
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/openapi.yaml /app/dist/openapi.json dist/
COPY --from=build /app/dist/plugins dist/plugins
COPY --from=build /app/dist/routes dist/routes
COPY --from=build /app/dist/src dist/src
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["node", "dist/src/health-check.js"]
# SIGUSR1 would open a debugger; the entry ignores it, and this does so before the entry is loaded.
ENTRYPOINT ["node", "--disable-sigusr1", "dist/src/start.js"]
CMD ["serve"]
# Last, since they change with each build. The release gives the values.
ARG VERSION=unknown REVISION=unknown SOURCE=unknown
LABEL org.opencontainers.image.title="zendesk-session-proxy" \
      org.opencontainers.image.description="Renews Zendesk sessions for callers who must not hold Zendesk credentials" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
