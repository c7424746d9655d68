# ws-gateway. Build it from the root of the repository:
#   docker build -f deploy/ws-gateway.Dockerfile -t posthorn/ws-gateway .
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json ./
# Exactly the pnpm that package.json names.
RUN npm install --global "$(node -p "require('./package.json').packageManager.split('+')[0]")"
COPY e2e/package.json e2e/
COPY libs libs
COPY services services
RUN pnpm install --frozen-lockfile --filter posthorn --filter-prod '@posthorn/ws-gateway...'
RUN pnpm exec tsc -b services/ws-gateway
RUN pnpm --filter @posthorn/ws-gateway deploy --prod /app

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="posthorn-ws-gateway" \
      org.opencontainers.image.description="Holds WebSocket connections and delivers messages." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
USER node
EXPOSE 3001 9301
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.ADMIN_PORT || 9301) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Room for what lives for one message only: docs/DEPLOY.md, "Images".
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
