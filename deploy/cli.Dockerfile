# The posthorn command, and the demo page that it serves. Build it from the root of the repository:
#   docker build -f deploy/cli.Dockerfile -t posthorn/cli .
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml tsconfig.base.json ./
# Exactly the pnpm that package.json names.
RUN npm install --global "$(node -p "require('./package.json').packageManager.split('+')[0]")"
COPY e2e/package.json e2e/
COPY libs libs
COPY demo demo
RUN pnpm install --frozen-lockfile --filter posthorn --filter @posthorn/demo --filter-prod '@posthorn/cli...'
RUN pnpm exec tsc -b libs/cli && pnpm --filter @posthorn/demo build
RUN pnpm --filter @posthorn/cli deploy --prod /app

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="posthorn-cli" \
      org.opencontainers.image.description="The posthorn command and the demo page." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
COPY --from=build /src/demo/dist demo
USER node
ENTRYPOINT ["node", "/app/dist/posthorn.js"]
CMD ["--help"]
