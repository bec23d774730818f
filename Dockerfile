# One image, by command. The API listens on loopback, and an agent publishes ports of the machine: both want its network.
#   docker run --net host -v davit:/var/lib/davit -v /var/run/docker.sock:/var/run/docker.sock davit up
# or each part of it alone, with a nats-server and credentials that somebody else keeps:
#   … davit server --data-dir /var/lib/davit --api-port 7443 --nats-url nats://… --nats-creds F
#   … davit agent  --data-dir /var/lib/davit --nats-url nats://… --nats-creds F
# or only the agent of a machine that joins another's Davit (docs/machines.md, "The agent as a container").
FROM node:20-bookworm-slim AS build
WORKDIR /davit
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev && rm -rf dist/test dist/bench dist/scripts

FROM node:20-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nats-server && rm -rf /var/lib/apt/lists/*
WORKDIR /davit
COPY --from=build /davit/package.json ./
COPY --from=build /davit/node_modules node_modules
COPY --from=build /davit/crds crds
COPY --from=build /davit/manifests manifests
COPY --from=build /davit/dist dist
# The commit it is built from, which agents say: docker build --build-arg COMMIT=$(git rev-parse HEAD) .
ARG COMMIT=
ENV NODE_ENV=production DAVIT_COMMIT=$COMMIT
VOLUME /var/lib/davit
ENTRYPOINT ["node", "--enable-source-maps", "/davit/dist/cli/davit.js"]
CMD ["--help"]
