# One image for both: `davit server` (the control plane's child) or `davit agent`, by command.
# The agent needs the host's network and its Docker socket:
#   docker run --net host -v /var/run/docker.sock:/var/run/docker.sock davit agent …
FROM node:20-bookworm-slim AS build
WORKDIR /davit
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nats-server && rm -rf /var/lib/apt/lists/*
WORKDIR /davit
COPY --from=build /davit/package.json ./
COPY --from=build /davit/node_modules node_modules
COPY --from=build /davit/crds crds
COPY --from=build /davit/manifests manifests
COPY --from=build /davit/dist dist
ENV NODE_ENV=production
VOLUME /var/lib/davit
ENTRYPOINT ["node", "--enable-source-maps", "/davit/dist/cli/davit.js"]
CMD ["--help"]
